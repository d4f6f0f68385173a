"""The trainer of each route from a teacher to a student (backend.training.methods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.encoding import Examples
from backend.ml.distillation.hidden_states import hidden_trainer
from backend.ml.distillation.offline import logit_trainer
from backend.ml.distillation.online import live_trainer
from backend.ml.training.rationale import steps_trainer
from backend.ml.training.trainer import AnswerTrainer


def route_trainer(
    params: Any, student: ArtifactView, data: ArtifactView, examples: Examples, ctx: Context
) -> Callable[..., AnswerTrainer] | None:
    """What makes the trainer for the route of `params` (of `distill`); None for plain answers. Raises StudioError when teacher
    or capture don't fit."""
    if params.route == "logit":
        return logit_trainer(params, student, data, examples, ctx)
    if params.route in ("live", "on_policy"):
        return live_trainer(params, student, ctx)
    if params.route == "hidden":
        return hidden_trainer(params, student, ctx)
    if params.route == "cross_tokenizer":
        from backend.ml.distillation.cross_tokenizer import (
            cross_trainer,  # TRL's experimental part: only where it is asked for
        )

        return cross_trainer(params, student, data, examples, params.max_length, ctx)
    return steps_trainer(params, examples)
