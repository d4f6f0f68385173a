"""The registry of thresholds: below or above which figure a result that is there all the same is not a good one.

A threshold is one row here: the field that sets it in forms and recipes, the metric that it holds, its default with the reason
for it, and the finding that it leaves. A stage takes the field by `threshold_field` and asks `findings` for what passed its
thresholds; the job then ends "with findings".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from pydantic import Field

from backend.core.errors import Problem
from backend.core.units import percent_text


@dataclass(frozen=True)
class Threshold:
    """`name`: the field; `metric`: the figure of a result, a share of 1; `at_least`: the figure must not be below, else not
    above; `reason`: why `default` is what it is; `code`: of the finding, whose arguments are `value` and `limit`."""

    name: str
    title: str
    description: str
    metric: str
    default: float
    at_least: bool
    code: str
    reason: str

    def passed(self, value: float, limit: float) -> bool:
        """A value that is no number passes nothing."""
        return isfinite(value) and (value >= limit if self.at_least else value <= limit)


THRESHOLDS = {
    each.name: each
    for each in (
        Threshold(
            name="max_invalid",
            title="Maximum unusable answers",
            description="Share of answers that may be empty, not a label or not JSON. Above it, the result has findings.",
            metric="unusable",
            default=0.1,
            at_least=False,
            code="good.unusable",
            reason="A program that reads the answers would stumble over every tenth.",
        ),
        Threshold(
            name="max_cut_off",
            title="Maximum truncated answers",
            description="Share of answers that may be cut off. Above it, the result has findings.",
            metric="cut_off",
            default=0.1,
            at_least=False,
            code="good.cut_off",
            reason="Scores of answers without their end say little about the model.",
        ),
        Threshold(
            name="max_too_long",
            title="Maximum rows beyond the context",
            description="Share of rows that may be longer than the model's context. Above it, the result has findings.",
            metric="too_long",
            default=0.05,
            at_least=False,
            code="good.too_long",
            reason="Such rows are left out, and the longest rows are often the hardest.",
        ),
        Threshold(
            name="min_numbers",
            title="Minimum answers with right numbers",
            description="Share of answers that must have all their numbers right, where numbers are expected. Below it, the "
            "result has findings.",
            metric="numbers_right",
            default=0.5,
            at_least=True,
            code="good.numbers",
            reason="An answer with a wrong figure is wrong, however many of its words are right.",
        ),
        Threshold(
            name="min_agreement",
            title="Minimum agreement",
            description="Share of sample answers that must start like the original's. Below it, the result has findings.",
            metric="first_token_agreement",
            default=0.5,
            at_least=True,
            code="good.agreement",
            reason="Rounding moves some first tokens; a model that loses half of them is another one.",
        ),
    )
}


def threshold_field(name: str) -> Any:
    """The field of a stage's parameters that sets a threshold: a share of 1."""
    row = THRESHOLDS[name]
    return Field(row.default, title=row.title, description=row.description, ge=0, le=1)


def findings(figures: Mapping[str, float], limits: Mapping[str, Any]) -> list[Problem]:
    """A finding for every figure of `figures` that does not pass its threshold; `limits`: the stage's parameters by field."""
    found = []
    for row in THRESHOLDS.values():
        if row.name not in limits or row.metric not in figures:
            continue
        value, limit = figures[row.metric], float(limits[row.name])
        if not row.passed(value, limit):
            shown = percent_text(value) if isfinite(value) else str(value)
            args = {"value": shown, "limit": percent_text(limit), "setting": row.name}
            found.append(Problem(code=row.code, args=args, blocking=False))
    return found


def as_facts(found: list[Problem]) -> dict[str, Any]:
    """What an artifact keeps of its findings; nothing where there are none."""
    return {"findings": [each.model_dump(mode="json") for each in found]} if found else {}
