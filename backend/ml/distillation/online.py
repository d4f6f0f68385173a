"""A teacher in memory beside its student: it scores what the student reads, with its whole distribution.

`online_logit`: the dataset's answers. `on_policy`: in part of the batches answers that the student has just sampled, after
"On-Policy Distillation of Language Models", Agarwal et al. 2024, arXiv 2306.13649 (GKD). TRL's GKDTrainer wants one
vocabulary and scores every position; here the student may hold a part of the teacher's tokens, and the losses are equal to
TRL's where it can compute them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from random import Random
from typing import Any

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.chat_template import Encoder
from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.inference.sampler import Sampler
from backend.ml.distillation.divergence import dense_divergence
from backend.ml.distillation.offline import id_maps
from backend.ml.distillation.shards import Array
from backend.ml.inference.device import device
from backend.ml.inference.load import load_model
from backend.ml.inference.torch_engine import SharedPrefix, answer_batch
from backend.ml.training.shared_prefix import answer_hidden_states, head_logits
from backend.ml.training.trainer import LogitsTrainer
from backend.training.methods import MethodParams, tokenizer_problem


class Teacher:
    """A frozen model that reads a student's rows. `to_teacher`: the student's id -> the teacher's, -1 where it has none."""

    def __init__(self, model: Any, to_teacher: Array) -> None:
        self.model = model.to(device()).eval().requires_grad_(False)
        self.ids = torch.from_numpy(to_teacher).to(device())

    def with_teacher_ids(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """A batch in the teacher's ids. Padding may have none; nothing looks at it."""
        return {**inputs, "input_ids": self.ids[inputs["input_ids"]].clamp(min=0)}

    def scores(self, inputs: dict[str, Any]) -> torch.Tensor:
        """Logits (positions, the teacher's vocabulary) of the answers of a student's batch, row by row."""
        return self.answer_logits(self.with_teacher_ids(inputs))

    @torch.no_grad()
    def answer_logits(self, inputs: dict[str, Any]) -> torch.Tensor:
        """The same of a batch in the teacher's ids."""
        hidden, _ = answer_hidden_states(self.model, inputs)
        return head_logits(self.model, hidden).float()


def load_teacher(params: MethodParams, student: ArtifactView, ctx: Context) -> Teacher:
    """The teacher that `params` names. Raises StudioError when its tokens are not the student's."""
    view = ctx.input(params.teacher)
    if wrong := tokenizer_problem(params.method, student.path, view.path, view.name):
        raise StudioError.of([wrong])
    ctx.progress(0, 1, "loading the teacher")
    model = load_model(view, ctx.input, merged=True)
    vocabulary = (Encoder(view.path).vocabulary(), Encoder(student.path).vocabulary())
    rows = model.get_output_embeddings().weight.shape[0]
    return Teacher(model, id_maps(*vocabulary, rows, student.facts["vocabulary"])[1])


class OnlineLogitTrainer(LogitsTrainer):
    """LogitsTrainer with a teacher beside the student. Validation rows count as with every other method: by their answer."""

    def __init__(self, teacher: Teacher, params: MethodParams, **options: Any) -> None:
        super().__init__(**options)
        self.teacher = teacher
        self.params = params

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """Sum over positions of kl_weight x divergence + (1 - kl_weight) x negative log-likelihood."""
        if not torch.is_grad_enabled():
            return super().total_loss(logits, labels, inputs)
        weight = self.params.kl_weight
        answers = functional.cross_entropy(logits, labels, reduction="sum")
        return (1 - weight) * answers + weight * self.teacher_distance(logits, inputs)

    def teacher_distance(self, logits: Any, inputs: dict[str, Any]) -> Any:
        """Sum over positions of the divergence from the teacher."""
        scores, ids = self.teacher.scores(inputs), self.teacher.ids
        return dense_divergence(logits, scores, ids, self.params.divergence, self.params.temperature).sum()


class OnPolicyTrainer(OnlineLogitTrainer):
    """LiveTrainer that in `own_share` of the batches lets the student answer, and learns there from the teacher alone.

    Whether a batch is one of them, and what is drawn, depends on (seed, step, batch of the step) alone: a resumed run draws
    what the unbroken one would have drawn.
    """

    def __init__(self, encoder: Encoder, context: int, teacher: Teacher, params: MethodParams, **options: Any) -> None:
        """`encoder`: the student's; `context`: tokens that both models can read."""
        super().__init__(teacher, params, **options)
        self.encoder = encoder
        self.context = context
        self.own = False
        self.place = (-1, 0)

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        step, batch = self.state.global_step, self.place[1] + 1 if self.place[0] == self.state.global_step else 0
        self.place = (step, batch)
        chance = Random(f"{self.args.seed}/{step}/{batch}")
        self.own = chance.random() < self.params.own_share
        if self.own:
            begun = time.perf_counter()
            inputs = self._answered(model, inputs, chance.getrandbits(32))
            self.step_seconds += time.perf_counter() - begun
            if num_items_in_batch is not None:  # counted before: the answers were others
                asked = (inputs["labels"] != IGNORE_INDEX).sum()
                num_items_in_batch = asked * self.current_gradient_accumulation_steps
        return super().training_step(model, inputs, num_items_in_batch)

    def total_loss(self, logits: Any, labels: Any, inputs: dict[str, Any]) -> Any:
        """Of an answer of its own there is no right one: the divergence alone."""
        if self.own and torch.is_grad_enabled():
            return self.teacher_distance(logits, inputs)
        return super().total_loss(logits, labels, inputs)

    def _answered(self, model: Any, inputs: dict[str, Any], seed: int) -> dict[str, Any]:
        """The same prompts with answers that the student draws by its own probabilities."""
        asked = (inputs["labels"] == IGNORE_INDEX) & (inputs["attention_mask"] == 1)
        prompts = [ids[mask].tolist() for ids, mask in zip(inputs["input_ids"], asked, strict=True)]
        left = self.context - max(map(len, prompts))
        most = min(self.params.own_tokens, left)
        model.eval()
        rounded = hasattr(model, "get_base_model")  # below an adapter weights may be in bfloat16
        with self.accelerator.autocast() if rounded else nullcontext():
            answers = sample_answers(model, self.encoder, prompts, most, seed)
        model.train()
        whole = [prompt + answer for prompt, answer in zip(prompts, answers, strict=True)]
        return collate(whole, [len(prompt) for prompt in prompts], inputs["labels"].device)


def sample_answers(
    model: Any, encoder: Encoder, prompts: Sequence[list[int]], max_tokens: int, seed: int
) -> list[list[int]]:
    """What a model in training answers to each prompt, drawn by its own probabilities, with the end of turn where it came to
    one."""
    samplers = [Sampler(1.0, seed=[seed, row]) for row in range(len(prompts))]
    stops, end = encoder.stops, encoder.answer_ids("")
    found = answer_batch(model, prompts, samplers, stops, [max_tokens] * len(prompts), SharedPrefix(model, prompts))
    return [ids + end * (len(logprobs) > len(ids)) for ids, logprobs in found]


def collate(rows: Sequence[Sequence[int]], starts: Sequence[int], where: Any) -> dict[str, torch.Tensor]:
    """A batch of rows of ids whose answers begin at `starts`."""
    ids = [torch.tensor(row) for row in rows]
    labels = [torch.tensor([*[IGNORE_INDEX] * start, *row[start:]]) for row, start in zip(rows, starts, strict=True)]
    parts = {
        "input_ids": pad_sequence(ids, batch_first=True),
        "attention_mask": pad_sequence([torch.ones_like(each) for each in ids], batch_first=True),
        "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORE_INDEX),
    }
    return {name: part.to(where) for name, part in parts.items()}


def make_trainer(
    params: MethodParams, student: ArtifactView, _data: ArtifactView, _examples: EncodedExamples, ctx: Context
) -> Callable[..., OnlineLogitTrainer]:
    """Make the trainer of the methods `online_logit` and `on_policy`. Raises StudioError when the teacher does not fit."""
    teacher = load_teacher(params, student, ctx)
    if params.method == "on_policy":
        context = min(int(view.facts["context"]) for view in (student, ctx.input(params.teacher)))
        return partial(OnPolicyTrainer, Encoder(student.path), context, teacher, params)
    return partial(OnlineLogitTrainer, teacher, params)
