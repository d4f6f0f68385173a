"""The trainer of a distillation method, by its row (backend.training.methods)."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.encoding import EncodedExamples
from backend.ml.training.rationale import rationale_trainer
from backend.ml.training.trainer import AnswerTrainer
from backend.training.methods import METHODS

MakeTrainer = Callable[..., AnswerTrainer]


def method_trainer(
    params: Any, student: ArtifactView, data: ArtifactView, examples: EncodedExamples, ctx: Context
) -> MakeTrainer | None:
    """What makes the trainer for the method of `params` (of `distill`); None for plain answers. Raises StudioError when teacher
    or capture don't fit."""
    method = next(method for method in METHODS if method.name == params.method)
    if not method.module:
        return rationale_trainer(params, examples)
    module = import_module(
        f"backend.ml.distillation.{method.module}"
    )  # TRL's experimental part only where it is asked for
    made: MakeTrainer = module.make_trainer(params, student, data, examples, ctx)
    return made
