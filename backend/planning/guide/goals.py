"""What people want of a model, and whether a file fits that. A goal is a row of `GOALS`; pages hold the words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.core.errors import Problem

GoalName = Literal["sort", "answer", "extract", "style", "shrink"]
Needs = Literal["labels", "texts", "fields", "any"]
LEAST_ROWS = 10
"""Rows with an answer below which nothing can be learned and measured."""
_FIELDS = re.compile(r"^\s*([{\[<]|[\w ]{1,40}\s*[:=]\s*\S)")
"""The beginning of an answer that holds fields: JSON, XML, or `name: value`."""


@dataclass(frozen=True)
class Goal:
    """`answers`: what the answers in the file have to be; `distills`: a teacher takes part."""

    name: GoalName
    answers: Needs
    distills: bool = False


GOALS: dict[str, Goal] = {
    goal.name: goal
    for goal in (
        Goal("sort", "labels"),
        Goal("answer", "texts"),
        Goal("extract", "fields"),
        Goal("style", "texts"),
        Goal("shrink", "any", distills=True),
    )
}


@dataclass(frozen=True)
class Material:
    """What a file holds: rows per split, the kind of answer, how many labels, and a few answers."""

    rows: Mapping[str, int] = field(default_factory=dict)
    answer: Literal["label", "text"] = "text"
    labels: int = 0
    examples: Sequence[str] = ()

    @classmethod
    def of(cls, forecast: Mapping[str, Any], examples: Sequence[str] = ()) -> Material:
        """From the facts that a dataset has or is going to have."""
        return cls(
            rows=dict(forecast.get("rows", {})),
            answer=forecast.get("answer", "text"),
            labels=len(forecast.get("labels") or ()),
            examples=tuple(examples),
        )

    @property
    def answered(self) -> int:
        return sum(self.rows.get(split, 0) for split in ("train", "validation", "test"))

    @property
    def pool(self) -> int:
        return self.rows.get("pool", 0)

    @property
    def kind(self) -> Needs:
        if self.answer == "label":
            return "labels"
        fields = sum(bool(_FIELDS.match(text)) for text in self.examples)
        return "fields" if self.examples and fields == len(self.examples) else "texts"

    def measurable(self, split: str = "test") -> bool:
        return self.rows.get(split, 0) > 0


@dataclass(frozen=True)
class Fit:
    """`problem`: why goal and file don't belong together; `better`: the goal that does."""

    problem: Problem | None = None
    better: GoalName | None = None


def fit(goal: Goal, material: Material) -> Fit:
    """Whether a file holds what a goal needs. Blocking only where there is nothing to learn from."""
    if not goal.distills and not material.answered:
        return Fit(Problem(code="guide.no_answers"), "shrink" if material.pool else None)
    if not goal.distills and material.answered < LEAST_ROWS:
        return Fit(Problem(code="guide.few_rows", args={"count": material.answered, "least": LEAST_ROWS}))
    kind = material.kind
    if goal.answers == "any" or goal.answers == kind or (goal.answers == "texts" and kind == "fields"):
        return Fit()
    if kind == "labels":
        return Fit(Problem(code="guide.labels_found", args={"count": material.labels}, blocking=False), "sort")
    better: GoalName = "extract" if kind == "fields" else "answer"
    code = "guide.no_labels" if goal.answers == "labels" else "guide.no_fields"
    return Fit(Problem(code=code, blocking=False), better)
