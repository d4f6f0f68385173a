"""Whether a training that came to its end made a model that is worth having."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, log
from typing import Any

from backend.core.errors import Problem

_WORSE_THAN_CHANCE = 1.5
"""A model that knows nothing has a loss of log(vocabulary) nats a token; one and a half times that is no accident."""


def result_fields(
    said: Sequence[Problem], metrics: Mapping[str, float], facts: Mapping[str, Any]
) -> dict[str, list[Problem]]:
    """What was said of a training's curves and rows, and what its loss says, as the fields of its result. `facts`: of the model
    that was trained."""
    findings = [each for each in said if each.blocking]
    findings += [] if any(each.code == "curve.diverged" for each in findings) else _worse_than_chance(metrics, facts)
    return {"findings": findings, "hints": [each for each in said if not each.blocking]}


def _worse_than_chance(metrics: Mapping[str, float], facts: Mapping[str, Any]) -> list[Problem]:
    """A loss on validation rows (`eval_loss`, nats a token) far above that of a model that knows nothing."""
    loss, vocabulary = metrics.get("eval_loss", 0.0), int(facts.get("vocabulary") or 0)
    if vocabulary < 2 or not isfinite(loss) or loss <= _WORSE_THAN_CHANCE * log(vocabulary):
        return []
    return [Problem(code="good.diverged", args={"value": round(loss, 2), "limit": round(log(vocabulary), 2)})]


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Without those that are no numbers, which JSON does not have."""
    return {name: value for name, value in metrics.items() if isfinite(value)}
