"""How many validation rows a model in training answers right, by the answers that it generates itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch

from backend.data.encoding import IGNORE_INDEX, EncodedExamples
from backend.inference.engine import UNLIMITED
from backend.inference.sampler import Sampler
from backend.ml.inference.torch_decoder import positions
from backend.ml.inference.torch_engine import SharedPrefix, answer_batch
from backend.ml.training.distributed import mine
from backend.stats.token_f1 import token_f1


class AskedRow(NamedTuple):
    """A validation row as the model is asked: the ids before its last answer, and those of this answer with its end."""

    prompt: list[int]
    answer: list[int]


class AnswerScore:
    """`score(trainer)` -> {`eval_accuracy` or `eval_token_f1`: share}. Greedy, up to as many tokens as the longest expected
    answer of the batch: a longer one is wrong anyway."""

    def __init__(self, held_out: EncodedExamples, tokenizer: Any, name: str, tick: Callable[[], None]) -> None:
        """`name`: accuracy (equal texts) or token_f1; `tick` is called for every token."""
        rows = [asked_row(item["input_ids"], item["labels"]) for item in held_out.items if item.get("desirable", 1)]
        self.rows = sorted(rows, key=lambda row: len(row.prompt))
        self.tokenizer = tokenizer
        self.name = name
        self.tick = tick
        self.stops = frozenset([tokenizer.eos_token_id, *(row.answer[-1] for row in rows)])

    def score(self, trainer: Any) -> dict[str, float]:
        """Of the trainer's model as it stands; its mode is kept."""
        size, model = trainer.args.eval_batch_size, trainer.model
        training = model.training
        model.eval()
        found, rows = list[float](), mine(self.rows)
        rounded = hasattr(model, "get_base_model")  # below an adapter weights may be in bfloat16
        with trainer.accelerator.autocast() if rounded else nullcontext():
            for at in range(0, len(rows), size):
                found += self._batch(model, rows[at : at + size])
        model.train(training)
        right = trainer.accelerator.reduce(torch.tensor(sum(found), dtype=torch.float64, device=model.device))
        return {f"eval_{self.name}": float(right) / len(self.rows)}

    def _batch(self, model: Any, rows: Sequence[AskedRow]) -> list[float]:
        prompts = [row.prompt for row in rows]
        longest = max(len(row.answer) for row in rows)
        samplers = [Sampler(0.0) for _ in rows]
        context = positions(model) or UNLIMITED
        limits = [min(longest, context - len(prompt)) for prompt in prompts]
        given = answer_batch(model, prompts, samplers, self.stops, limits, SharedPrefix(model, prompts), self.tick)
        pairs = [(self._text(row.answer), self._text(ids)) for row, (ids, _logprobs) in zip(rows, given, strict=True)]
        return [float(one == other) if self.name == "accuracy" else token_f1(one, other) for one, other in pairs]

    def _text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()


def asked_row(ids: list[int], labels: list[int]) -> AskedRow:
    """Of a conversation its last answer."""
    end = len(labels) - next(at for at, label in enumerate(reversed(labels)) if label != IGNORE_INDEX)
    start = end - next((at for at, label in enumerate(reversed(labels[:end])) if label == IGNORE_INDEX), end)
    return AskedRow(ids[:start], ids[start:end])
