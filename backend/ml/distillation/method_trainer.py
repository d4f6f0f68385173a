"""The trainer of each distillation method (backend.training.methods)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.encoding import EncodedExamples
from backend.ml.distillation.hidden_states import hidden_states_trainer
from backend.ml.distillation.offline import offline_logit_trainer
from backend.ml.distillation.online import online_trainer
from backend.ml.training.rationale import rationale_trainer
from backend.ml.training.trainer import AnswerTrainer


def method_trainer(
    params: Any, student: ArtifactView, data: ArtifactView, examples: EncodedExamples, ctx: Context
) -> Callable[..., AnswerTrainer] | None:
    """What makes the trainer for the method of `params` (of `distill`); None for plain answers. Raises StudioError when teacher
    or capture don't fit."""
    if params.route == "logit":
        return offline_logit_trainer(params, student, data, examples, ctx)
    if params.route in ("live", "on_policy"):
        return online_trainer(params, student, ctx)
    if params.route == "hidden":
        return hidden_states_trainer(params, student, ctx)
    if params.route == "cross_tokenizer":
        from backend.ml.distillation.cross_tokenizer import (
            cross_tokenizer_trainer,  # TRL's experimental part: only where it is asked for
        )

        return cross_tokenizer_trainer(params, student, data, examples, params.max_length, ctx)
    return rationale_trainer(params, examples)
