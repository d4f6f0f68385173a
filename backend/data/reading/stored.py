"""The reading that a dataset was made by, as it lies in the dataset's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.data.reading.model import Reading

FILE = "reading.json"
"""In a dataset's folder; datasets of before have none."""


def stored_reading(folder: Path) -> Reading | None:
    """None for a dataset without one, or with one of another version: it is still a dataset."""
    try:
        return Reading.model_validate_json((folder / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def stored_warnings(facts: dict[str, Any]) -> list[Problem]:
    """What was warned of when a dataset was made, from its facts."""
    return [problem for problem in _said(facts) if not problem.is_note]


def stored_notes(facts: dict[str, Any]) -> list[Problem]:
    """What was taken when a dataset was made, from its facts."""
    return [problem for problem in _said(facts) if problem.is_note]


def _said(facts: dict[str, Any]) -> list[Problem]:
    """Datasets of before have their notes among the warnings."""
    said = [*facts.get("notes", []), *facts.get("warnings", [])]
    return [Problem.model_validate({**found, "blocking": False}) for found in said]
