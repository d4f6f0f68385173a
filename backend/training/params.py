"""What the stages that train have in common: parameters, checks, reading rows, the shape of the work."""

from __future__ import annotations

import math
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Epochs, Labels, Name, TrainingBatch
from backend.core.schemas import ArtifactView
from backend.core.stage import ArtifactInfo, Params, World
from backend.data.dataset import DataFolder
from backend.data.facts import complete_facts
from backend.data.prompt_words import DEFAULT, PROMPT_WORDS
from backend.models import costs
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES
from backend.training.control import ControlParams, check_control, inactive_control
from backend.training.lora import inactive_lora
from backend.training.rates import Learner, Rate, usual_rate
from backend.training.trackers import check_trackers
from backend.training.turns import check_tools

HEAD_POSITIONS = 512
"""Positions of a batch whose logits are in memory at a time."""
_HEAD_TWICE = 1.5
"""Work of the output head in parts over that where its logits are kept: it runs once more in the backward pass."""
_EIGHT_BIT_SECONDS = 22e-9
"""Of AdamW in 8 bits over AdamW, per parameter and step: 23 against 0.8 ns on two cores."""


class _Hyperparameters(Params):
    """How the weights are updated."""

    epochs: Epochs = 3
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=1,
        title="Learning rate",
        description="Size of each weight update. Too large diverges; too small barely learns. Blank: what is usual for the "
        "model's size and the method.",
    )
    max_steps: int = Field(
        default=0,
        ge=0,
        title="Maximum steps",
        description="Stops after this many steps, regardless of epochs. 0 means no limit.",
    )
    batch_size: TrainingBatch = 16
    accumulation: int = Field(
        default=1,
        ge=1,
        le=1024,
        title="Gradient accumulation",
        description="Batches summed before each step: the stability of a larger batch without its memory.",
    )
    max_length: int = Field(
        default=512,
        ge=16,
        le=131072,
        title="Maximum length",
        description="Longest example in tokens (parts of words). Longer prompts lose their start; more "
        "uses memory and time.",
    )
    schedule: Annotated[
        Literal["cosine", "linear", "constant"],
        Labels({"cosine": "Cosine", "linear": "Linear", "constant": "Constant"}),
    ] = Field(
        default="cosine",
        title="Schedule",
        description="How the learning rate decreases. Cosine, a smooth curve, nearly always works well.",
    )
    warmup_ratio: float = Field(
        default=0.05,
        ge=0,
        le=1,
        title="Warm-up",
        description="Share of steps in which the learning rate rises from zero; 0.05 is one in twenty.",
    )
    weight_decay: float = Field(
        default=0.0,
        ge=0,
        le=1,
        title="Weight decay",
        description="Penalty on large weights. A little can reduce overfitting; 0 is off.",
    )
    optimizer: Annotated[
        Literal["adamw", "adamw_8bit"], Labels({"adamw": "AdamW", "adamw_8bit": "AdamW in 8 bits"})
    ] = Field(
        default="adamw",
        title="Optimizer",
        description="In 8 bits its state takes a quarter of the memory, which counts where all weights learn. Slower on a CPU.",
    )
    gradient_checkpointing: bool = Field(
        default=False,
        title="Gradient checkpointing",
        description="Uses much less memory but takes about twice as long. Try it if memory runs out.",
    )


class TrainingParams(ControlParams, _Hyperparameters):
    """Hyperparameters of every training; a stage adds its own."""

    name: Name = ""

    @property
    def merges_turns(self) -> bool:
        """Whether the answers of one conversation are learned in one sequence."""
        return not self.learns_rationales

    @property
    def learns_rationales(self) -> bool:
        """Whether rows become a second example, whose answer is their rationale."""
        return False

    @property
    def learner(self) -> Learner:
        """What learns, as `rates` knows it."""
        return "student"

    @property
    def chance_loss(self) -> float:
        """The loss before anything is learned, where the method says it and the least is 0; else 0."""
        return 0.0

    def usual_rate(self, facts: Mapping[str, Any]) -> Rate:
        """For the model with these facts."""
        return usual_rate(self.learner, int(facts["parameters"]))

    @property
    def rate(self) -> float:
        """The learning rate of resolved parameters."""
        assert self.learning_rate is not None
        return self.learning_rate

    def resolved(self, facts: Mapping[str, Any]) -> Self:
        """With the learning rate that these mean for the model with these facts."""
        return self.model_copy(update={"learning_rate": self.learning_rate or self.usual_rate(facts).usual})

    @property
    def state_bytes(self) -> int:
        """Memory of a parameter that learns beside its weight: gradient and two moments."""
        return 12 if self.optimizer == "adamw" else 6

    def optimizer_steps(self, rows: int) -> int:
        """How many this many rows take."""
        batches = math.ceil(rows / self.batch_size)
        return self.max_steps or math.ceil(self.epochs * math.ceil(batches / self.accumulation))


@dataclass(frozen=True)
class Workload:
    """The amount of training: examples (epochs counted), steps, mean tokens of an example and of its answer; of
    rationales `rationale_row_tokens` is the mean of all tokens and `rationale_tokens` of their own, 0 without them. `answered`:
    validation rows that the model answers itself, all evaluations together. `longest`: tokens of the longest example, or 0."""

    rows: float
    steps: float
    tokens: float
    answers: float
    rationale_row_tokens: float = 0.0
    rationale_tokens: float = 0.0
    answered: float = 0.0
    longest: float = 0.0

    @property
    def timing(self) -> dict[str, float]:
        return {"rows": self.rows, "steps": self.steps, "tokens": self.tokens, "answers": self.answers}

    def batch_tokens(self, params: TrainingParams) -> float:
        """Tokens of the largest batch whose activations are kept: all of its rows are as long as the longest."""
        kept = 0.25 if params.gradient_checkpointing else 1.0
        longest = max(self.longest or 2 * self.tokens, 2 * self.rationale_row_tokens)
        return kept * params.batch_size * min(params.max_length, longest)

    def kept_bytes(self, facts: Mapping[str, Any], top: float, passes: float) -> int:
        """Disk that the outputs of the frozen layers take while the share `top` of the layers learns."""
        kept = self.rows / passes * self.tokens if top < 1 < passes else 0.0
        return round(kept * int(facts["hidden_size"]) * 4)

    def rationale_bytes(self, params: TrainingParams, vocabulary: int) -> int:
        """Memory that steps add where they are scored, as they are many times longer than labels."""
        return round(params.batch_size * self.rationale_tokens * vocabulary * 4 * costs.LOGIT_TABLES)

    def head_work(self, params: TrainingParams) -> float:
        """Answers' tokens of an example, counted as often as the output head works on them where it works in parts."""
        parts = params.batch_size * self.answers > HEAD_POSITIONS and not self.rationale_tokens
        return self.answers * (_HEAD_TWICE if parts else 1.0)

    def answering_seconds(self, facts: dict[str, Any], params: TrainingParams) -> float:
        """Seconds on the reference machine in which a model with these facts answers validation rows."""
        read = costs.teacher_forward_seconds(facts, self.answered, self.tokens, 0)
        return read + costs.sampling_seconds(facts, self.answered / (2 * params.batch_size), self.answers)

    def optimizer_seconds(self, params: TrainingParams, trained: int) -> float:
        """Seconds on the reference machine that another optimizer than AdamW adds."""
        return self.steps * trained * _EIGHT_BIT_SECONDS if params.optimizer == "adamw_8bit" else 0.0

    def slowdown(self, params: TrainingParams) -> float:
        """Checkpointing computes everything twice and can't share the beginning of prompts (measured: 1.9 times)."""
        return 1.9 if params.gradient_checkpointing else 1.0


def workload(params: TrainingParams, data: dict[str, Any]) -> Workload:
    """From a dataset's facts as they are trained on (`training_facts`), or the forecast of them. Evaluation counts as a third
    of training per row. Steps that are learned beside the answers are examples of their own."""
    rows, more = int(data["rows"].get("train", 0)), _rationale_rows(params, data)
    rationale_tokens = {**data, "answer_chars": data.get("rationale_chars", 0.0)}
    rationale_tokens["prompt_chars"] = data["prompt_chars"] + len(PROMPT_WORDS[DEFAULT].rationale)
    rationale_row_tokens = costs.row_tokens(rationale_tokens, params.max_length) if more else 0.0
    share = more / max(1, rows + more)
    tokens = (1 - share) * costs.row_tokens(data, params.max_length) + share * rationale_row_tokens
    answers = (1 - share) * costs.answer_tokens(data) + share * costs.answer_tokens(rationale_tokens)
    per_step, rows = params.batch_size * params.accumulation, rows + more
    steps = params.max_steps or math.ceil(params.epochs * math.ceil(rows / per_step))
    held_out = min(params.evaluate_rows, int(data["rows"].get("validation", 0)))
    passes = steps * per_step / rows if rows else 0
    evaluated = held_out * params.evaluations(steps, passes)
    scored = costs.answer_tokens(rationale_tokens) if more else 0.0
    return Workload(
        rows=min(steps * per_step, rows * passes) + evaluated / 3,
        steps=steps,
        tokens=tokens,
        answers=answers,
        rationale_row_tokens=rationale_row_tokens,
        rationale_tokens=scored,
        answered=evaluated if params.scores_answers else 0.0,
        longest=costs.prompt_tokens(data["longest_chars"]) if data.get("longest_chars") else 0.0,
    )


def _rationale_rows(params: TrainingParams, data: dict[str, Any]) -> int:
    """How many rows become a second example."""
    return int(data.get("rationales", 0)) if params.learns_rationales else 0


def _lacks_rationales(data: Any) -> bool:
    """Whether no row has steps. A dataset that is still to be made from an old one may not tell: then it may have."""
    facts = complete_facts(data.facts, data.path)
    return "rationales" in facts and not facts["rationales"] if data.pending else not facts.get("rationales")


def check_training(params: TrainingParams, model_ref: str, data_ref: str, world: World) -> list[Problem]:
    """Problems that can be seen without loading anything; the references are known to be good."""
    model, data = world.describe(model_ref), world.describe(data_ref)
    problems = []
    if data and not data.pending and not data.facts["rows"].get("train"):
        problems.append(Problem(code="train.no_rows", args={"data": data_ref}, field="data"))
    elif data and params.learns_rationales and _lacks_rationales(data):
        problems.append(Problem(code="steps.none", args={"data": data_ref}, field="rationale"))
    problems += check_control(params, data, data_ref)
    return problems + check_values(params, model) + check_trackers() + check_tools(model_ref, data_ref, world)


def check_values(params: TrainingParams, model: ArtifactInfo | None, never: Collection[str] = ()) -> list[Problem]:
    """What can be seen of the values and the model alone. `never`: fields that the stage does not read."""
    problems = []
    fields, values = type(params).model_fields, params.model_dump()
    off = inactive_fields(values) | {*never}
    unread = [name for name in fields if name in off and values[name] != fields[name].default]
    problems += [Problem(code="train.unread", field=name) for name in unread]
    if model and (params.learning_rate or 0) > (usual := params.usual_rate(model.facts)).high:
        args = {"rate": params.learning_rate, "low": usual.low, "high": usual.high}
        problems.append(Problem(code="train.rate_large", args=args, field="learning_rate", blocking=False))
    if model and params.max_length > model.facts["context"]:
        args = {"max_length": params.max_length, "context": model.facts["context"]}
        problems.append(Problem(code="train.context", args=args, field="max_length"))
    return problems


def inactive_fields(values: Mapping[str, Any]) -> set[str]:
    """The fields that have no effect beside these values of the others; also of a form that is being filled in."""
    off = inactive_control(values) | ({"rationale_weight"} if values.get("rationale") == "ignore" else set())
    return off | inactive_lora(values)


def learned_facts(model: ArtifactView, data: ArtifactView, out: Path) -> dict[str, Any]:
    """Give `out` tokenizer and license of `model`, template and notice of `data`; returns the model's facts with that
    template."""
    for name in (*TOKENIZER_FILES, *LEGAL_FILES):
        if (model.path / name).is_file():
            shutil.copyfile(model.path / name, out / name)
    shutil.copyfile(data.path / "template.json", out / "template.json")
    _add_notice(data.path / "NOTICE", out / "NOTICE")
    template = DataFolder(data.path).template.model_dump()
    return {**model.facts, "data": data.id, "template": template}


def _add_notice(source: Path, target: Path) -> None:
    """Append the notice `source`, if there is one, unless `target` has its words already."""
    words = source.read_text("utf-8") if source.is_file() else ""
    there = target.read_text("utf-8") if target.is_file() else ""
    if words not in there:
        target.write_text(f"{there}\n{words}" if there else words, encoding="utf-8")
