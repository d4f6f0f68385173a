"""The reading that a dataset was made by, as it lies in the dataset's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.data.gates.model import ScoreCard
from backend.data.reading.model import Reading

NEAR_NOT_CHECKED = "split.near_not_checked"
_UNTIL_CHECKED = (NEAR_NOT_CHECKED, "gates.sampled")
FILE = "reading.json"
"""In a dataset's folder; datasets of before have none."""


def stored_reading(folder: Path) -> Reading | None:
    """None for a dataset without one, or with one of another version: it is still a dataset."""
    try:
        return Reading.model_validate_json((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def stored_warnings(facts: dict[str, Any], check: ScoreCard | None = None) -> list[Problem]:
    """What was warned of when a dataset was made, from its facts, but for what its newest `check` has looked at since."""
    found = [problem for problem in _said(facts) if not problem.is_note]
    looked = check is not None and not any(problem.code == "gates.left_out" for problem in check.not_checked)
    return [problem for problem in found if not (looked and problem.code in _UNTIL_CHECKED)]


def stored_notes(facts: dict[str, Any]) -> list[Problem]:
    """What was taken when a dataset was made, from its facts."""
    return [problem for problem in _said(facts) if problem.is_note]


def _said(facts: dict[str, Any]) -> list[Problem]:
    """Datasets of before have their notes among the warnings."""
    said = [*facts.get("notes", []), *facts.get("warnings", [])]
    return [Problem.model_validate({**found, "blocking": False}) for found in said]
