"""Records of a source file, and the rows of it that can't be used.

A place is counted as a person finds it: for tables in text, JSON Lines and plain text the line of the file (a CSV header is
line 1), for a workbook the row of the sheet, for a JSON list, Parquet and Arrow the position in the list, from 1. Of several
files it goes on counting, and a row error has the name of the file before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend.core.errors import Problem, StudioError

_TYPES = {dict: "object", list: "list", str: "text", bool: "true or false", int: "number", float: "number"}
MAX_NAMED = 5
"""How many bad rows of a kind an error names; all are counted."""


def json_type(value: object) -> str:
    """What a value is, in words of `backend.core.messages.words`; a type that only Parquet has keeps its name."""
    return "nothing" if value is None else _TYPES.get(type(value), type(value).__name__)


@dataclass(slots=True)
class Record:
    """One row of a source: `place` and its values by column."""

    place: int
    values: dict[str, Any]


@dataclass
class RowErrors:
    """Collects bad rows of one file by kind, so that one error names all kinds at once."""

    file: str
    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)
    about: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, code: str, place: int | str, found: object = "", **about: Any) -> None:
        """`found` is shown beside the place; `about` are arguments of the sentence, kept from the first row."""
        self.counts[code] = self.counts.get(code, 0) + 1
        self.about.setdefault(code, about)
        named = self.places.setdefault(code, [])
        if len(named) < MAX_NAMED:
            named.append(f"{place} → {found}" if found != "" else str(place))

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def problems(self, blocking: bool = True) -> list[Problem]:
        """One problem per kind, with the count and the first places."""
        return [
            Problem(code=code, args=self.about[code] | self._args(code), blocking=blocking)
            for code in sorted(self.counts)
        ]

    def stop(self) -> None:
        """Raises StudioError when there is a bad row."""
        if self.counts:
            raise StudioError.of(self.problems())

    def _args(self, code: str) -> dict[str, Any]:
        more = ", …" if self.counts[code] > MAX_NAMED else ""
        return {"file": self.file, "count": self.counts[code], "places": ", ".join(self.places[code]) + more}
