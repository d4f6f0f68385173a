"""Which task a dataset's answers belong to, by the answers of its training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.stage import World
from backend.data.dataset import DataFolder, answer_of
from backend.stats.tasks import Task, recognized

AskedTask = Annotated[
    Literal["auto", "label", "extraction", "maths", "qa", "generation"],
    Labels(
        {
            "auto": "From the answers",
            "label": "Labels",
            "extraction": "Extraction (JSON)",
            "maths": "Maths (numbers)",
            "qa": "Questions and answers",
            "generation": "Long texts, such as summaries",
        }
    ),
]


def known_answers(data: DataFolder) -> list[str]:
    return [answer for row in data.rows("train") if (answer := answer_of(row)) is not None]


def answer_task(data: DataFolder, known: Sequence[str], expected: Sequence[str], asked: AskedTask = "auto") -> Task:
    """`known`: the answers of the training rows; without any, those that are `expected` tell. Labels are labels and calls of
    tools plain text, whatever is asked."""
    if data.template.answer == "label":
        return "label"
    if any(row.tool_calls for row in data.rows("train")):
        return "text"
    return recognized(known or expected) if asked == "auto" else asked


def check_task(asked: str, data: str, world: World, field: str = "task") -> list[Problem]:
    """A problem when labels are asked of a dataset known to have none, or another task of one that has."""
    known = world.describe(data)
    kind = known.facts.get("answer") if known else None
    if kind is None or asked == "auto" or (asked == "label") == (kind == "label"):
        return []
    return [Problem(code="data.other_task", args={"ref": data}, field=field)]
