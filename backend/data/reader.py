"""Opens a source file in any of the formats. Line formats and Parquet are read in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Protocol

from backend.data.row_errors import Record, RowErrors
from backend.data.sniff import sniff


class Source(Protocol):
    """An opened file. `columns` in the order of the file; `count()` a cheap number of rows (exact or slightly above)."""

    path: Path
    columns: list[str]

    def records(self, row_errors: RowErrors) -> Iterator[Record]: ...

    def count(self) -> int: ...


def open_source(path: Path) -> Source:
    """Look at the head of `path`. Raises StudioError that names the file and what is wrong with it."""
    found, encoding = sniff(path)
    module, name = found.source.split(":")
    opened: Source = getattr(import_module(f"backend.data.{module}"), name)(path, encoding)
    return opened
