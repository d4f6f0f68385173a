"""Whether a training that came to its end made a model that is worth having."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, log
from typing import Any

from backend.core.errors import Problem

_WORSE_THAN_CHANCE = 1.5
"""A model that knows nothing has a loss of log(vocabulary) nats a token; one and a half times that is no accident."""


def training_findings(metrics: Mapping[str, float], facts: Mapping[str, Any]) -> list[Problem]:
    """Findings from the loss on validation rows (`eval_loss`, nats a token): no number, or far above that of a model that
    knows nothing. `facts`: of the model that was trained."""
    if "eval_loss" not in metrics:
        return []
    loss, vocabulary = metrics["eval_loss"], int(facts.get("vocabulary") or 0)
    if not isfinite(loss):
        return [Problem(code="good.no_loss", args={"value": str(loss)}, blocking=False)]
    if vocabulary > 1 and loss > _WORSE_THAN_CHANCE * log(vocabulary):
        args = {"value": round(loss, 2), "limit": round(log(vocabulary), 2)}
        return [Problem(code="good.diverged", args=args, blocking=False)]
    return []


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Without those that are no numbers, which JSON does not have."""
    return {name: value for name, value in metrics.items() if isfinite(value)}
