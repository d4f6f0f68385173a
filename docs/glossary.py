"""The table of words behind glossary.md and tests/test_glossary.py: glossary.yaml, read and checked.

A word that must not come back counts as a part of a name where it is written in small letters (`seat` in `free_seats`; give
plurals too), as a whole name where it has a capital or an underscore (`Turns`). Where it means something else it may stay:
`except` lists patterns of `path:name` with the reason. `only` lists the paths where it has the sense that is meant.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_suffix(".yaml")


class OldWord(BaseModel):
    """`allowed`: pattern of `path:name` that may use the word -> why; `only`: patterns of paths where it counts."""

    model_config = ConfigDict(extra="forbid")

    allowed: dict[str, str] = Field(default={}, alias="except")
    only: list[str] = ["*"]


class Term(BaseModel):
    """A word, what it means here, and the words that it replaces."""

    model_config = ConfigDict(extra="forbid")

    term: str
    area: str
    means: str
    instead_of: dict[str, OldWord | None] = Field(default={}, alias="not")


@cache
def terms() -> tuple[Term, ...]:
    """All terms in the order of the file. Raises pydantic's ValidationError for a row of another shape."""
    raw = yaml.safe_load(FILE.read_text("utf-8"))
    return tuple(Term.model_validate({**term, "area": area}) for area, listed in raw.items() for term in listed)
