"""What was counted in one column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from backend.data.reading.model import ColumnKind


@dataclass(slots=True)
class ColumnProfile:
    """A column, all `rows` looked at. `distinct`: at most the limit and one more; `values`: the distinct texts with their
    counts, empty where there are more than the limit; texts of over 100 characters stand there as their hash. `forms`: how many
    of the `looks` looked like what. `speakers`, `media`, `ends_with`, `system`: of lists of messages; `system` is the system
    turn that all rows share. `keys`: of objects and of the objects in lists; `elements`: of lists of texts; `sizes`: of
    lists; `marked`: texts that are conversations with marks of who speaks."""

    name: str
    rows: int = 0
    kind: ColumnKind = "empty"
    filled: int = 0
    distinct: int = 0
    capped: bool = False
    unique: bool = False
    mean_chars: float = 0.0
    max_chars: int = 0
    mean_words: float = 0.0
    lines: bool = False
    looks: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    values: dict[str | int, int] = field(default_factory=dict)
    counts_up: float = 0.0
    skeletons: int = 0
    json_text: bool = False
    speakers: Counter[str] = field(default_factory=Counter)
    ends_with: Counter[str] = field(default_factory=Counter)
    media: set[str] = field(default_factory=set)
    system: str = ""
    keys: Counter[str] = field(default_factory=Counter)
    elements: Counter[str] = field(default_factory=Counter)
    marked: int = 0
    sizes: set[int] = field(default_factory=set)
    examples: list[str] = field(default_factory=list)

    def share(self, *names: str) -> float:
        """The part of the values that were looked at which have one of these forms."""
        return sum(self.forms[name] for name in names) / self.looks if self.looks else 0.0

    @property
    def texts(self) -> list[str]:
        """The distinct values as texts; empty where they are too many or too long."""
        return [value for value in self.values if isinstance(value, str)]

    @property
    def zero_one(self) -> bool:
        """Whether all values are 0 or 1 (or true and false), both there."""
        found = set()
        for value in self.values:
            found.add(str(value).strip().casefold())
            if len(found) > 2:
                return False
        return found in ({"0", "1"}, {"true", "false"})
