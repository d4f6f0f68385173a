"""Whether a teacher's answers are worth learning: said before hours are spent on a student. No torch."""

from __future__ import annotations

from typing import Any

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView
from backend.core.stage import Context, World
from backend.data.facts import complete_facts
from backend.stats.intervals import wilson_interval

MIN_TEACHER_ACCURACY = 0.9
"""Share of right answers from which on a teacher may pay. Measured on demo data, students of a teacher's answers against the
same students of people's: +2.5 points where 96 % of the learned answers were right, -0.9 (no difference) where 90 % were, -10
where 79 % were."""


def check_answers(data_ref: str, world: World) -> list[Problem]:
    """A warning when a dataset that is there holds too many wrong answers of a teacher."""
    known = world.describe(data_ref)
    if known is None or known.pending:
        return []
    return _accuracy_problems(complete_facts(known.facts, known.path))


def warn_inaccurate(data: ArtifactView, ctx: Context) -> None:
    """Log the same at the start of a job: in a recipe the answers were not there yet when it was checked."""
    for problem in _accuracy_problems(complete_facts(data.facts, data.path)):
        ctx.log(problem.sentence(), "warning")


def _accuracy_problems(facts: dict[str, Any]) -> list[Problem]:
    """Labels only, as free text is rarely right word for word; and only where the share is surely below `ENOUGH`, by the
    upper end of its interval."""
    known, right = facts.get("known", 0), facts.get("known_right", 0)
    teacher = facts.get("teacher")
    if (
        not teacher
        or facts.get("answer") != "label"
        or not known
        or wilson_interval(right, known)[1] >= MIN_TEACHER_ACCURACY
    ):
        return []
    args = {"teacher": teacher, "known": known, "right": right, "percent": round(100 * right / known)}
    return [Problem(code="teacher.weak", args=args, field="data", blocking=False)]
