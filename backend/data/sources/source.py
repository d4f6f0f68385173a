"""What an opened source offers, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from backend.data.row_errors import Record, RowErrors
from backend.data.sources.options import SourceFacts


class Source(Protocol):
    """An opened file. `columns`: all that occur in any row, in the order of the file; a nested object is a column, and its
    leaves are columns too (`meta.source`), which every record holds beside the object. `records` may be asked for again and
    never holds all rows; `count()` is a cheap number of rows (exact or slightly above)."""

    path: Path
    columns: list[str]
    facts: SourceFacts

    def records(self, row_errors: RowErrors) -> Iterator[Record]: ...

    def count(self) -> int: ...
