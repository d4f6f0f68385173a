"""When a training evaluates, when it stops before its end, and which of its weights are kept. No torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.stage import ArtifactInfo, Params, Result

Kept = Annotated[Literal["last", "best"], Labels({"last": "Last weights", "best": "Best weights"})]

BestBy = Annotated[
    Literal["loss", "accuracy", "token_f1"],
    Labels({"loss": "Validation loss", "accuracy": "Accuracy of answers", "token_f1": "Token F1 of answers"}),
]

_OPTIMIZER_BYTES = 8
"""Of a parameter: two means of Adam, in float32."""


class ControlParams(Params):
    """What every training asks about its validation rows."""

    evaluate_rows: int = Field(
        default=100,
        ge=0,
        le=10000,
        title="Validation rows",
        description="Validation rows checked at each evaluation; their loss reveals overfitting. 0 checks none.",
    )
    evaluate_steps: int = Field(
        default=0,
        ge=0,
        title="Steps between evaluations",
        description="Evaluates after so many steps. 0 evaluates after each epoch.",
    )
    patience: int = Field(
        default=0,
        ge=0,
        le=1000,
        title="Early stopping",
        description="Stops after so many evaluations without improvement; 2 to 5 is usual. 0 never stops early.",
    )
    min_improvement: float = Field(
        default=0.0,
        ge=0,
        le=10,
        title="Minimum improvement",
        description="Smaller gains don't count as improvement for early stopping; of answers, 0.01 is one in a hundred.",
    )
    keep: Kept = Field(
        default="last",
        title="Weights kept",
        description="Best keeps the weights of the best evaluation; needs disk for their checkpoint.",
    )
    best_by: BestBy = Field(
        default="loss",
        title="Best by",
        description="What tells the best weights. Answers are generated for every validation row, which takes longer.",
    )

    checkpoints_kept: int = Field(
        default=0,
        ge=0,
        le=1000,
        title="Checkpoints kept",
        description="Keeps the checkpoints of so many last evaluations and the best, to compare them and make models of "
        "them. 0 keeps none after the end.",
    )

    @property
    def needs_validation(self) -> list[str]:
        """The fields whose values mean nothing without validation rows."""
        asked = {
            "patience": self.patience > 0,
            "keep": self.keep == "best",
            "checkpoints_kept": self.checkpoints_kept > 0,
        }
        return [name for name, wanted in asked.items() if wanted]

    @property
    def scores_answers(self) -> bool:
        """Whether evaluations let the model answer the validation rows."""
        return bool(self.needs_validation) and self.best_by != "loss"

    def evaluations(self, steps: float, passes: float) -> int:
        """How often `steps` optimizer steps in `passes` epochs are evaluated, unless the run stops early."""
        return math.ceil(steps / self.evaluate_steps) if self.evaluate_steps else math.ceil(passes)

    def checkpoint_bytes(self, weights: float, trained: float, steps: float) -> int:
        """Disk at most for the checkpoints that are kept: each has `weights` bytes, and two that resuming needs have the
        optimizer's states of `trained` parameters as well."""
        if not self.checkpoints_kept:
            return 0
        evaluated = math.ceil(steps / self.evaluate_steps) if self.evaluate_steps else self.checkpoints_kept
        return round((min(self.checkpoints_kept, evaluated) + 3) * weights + 2 * _OPTIMIZER_BYTES * trained)


class TrainingResult(Result):
    """What every training gives. `hints`: what could be better about a result that is sound."""

    hints: list[Problem] = []


_SCORES = [f"{when}eval_{name}" for name in ("accuracy", "token_f1") for when in ("", "last_")]
_STEPS = ("steps", "planned_steps", "kept_step", "eval_loss", "best_step", "best_eval_loss", "last_eval_loss")


def control_facts(metrics: Mapping[str, float], params: Any) -> dict[str, float]:
    """What a trained artifact keeps of its run: where it stopped, which weights it holds, their losses, and with which learning
    rate its parameters made it learn."""
    told = {name: metrics[name] for name in (*_STEPS, *_SCORES) if name in metrics}
    return told | {"learning_rate": params.rate}


def inactive_control(values: Mapping[str, Any]) -> set[str]:
    """The fields of control that have no effect beside these values of the others."""
    if values.get("evaluate_rows") == 0:
        return set(ControlParams.model_fields) - {"evaluate_rows"}
    off = set() if values.get("patience") else {"min_improvement"}
    asked = values.get("patience") or values.get("checkpoints_kept") or values.get("keep") == "best"
    return off if asked else {*off, "best_by"}


def check_control(params: ControlParams, data: ArtifactInfo | None, data_ref: str) -> list[Problem]:
    """A problem for every field that needs validation rows where the dataset is known to have none."""
    if data is None or data.facts.get("rows", {}).get("validation", 0) or not params.evaluate_rows:
        return []
    codes = {"checkpoints_kept": "train.no_checkpoints"}
    return [
        Problem(code=codes.get(name, "train.no_validation"), args={"data": data_ref}, field=name)
        for name in params.needs_validation
    ]
