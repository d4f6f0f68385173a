"""Shared by the tests of sources: reads a file whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.data.reader import ReadOptions, Source, open_source
from backend.data.row_errors import RowErrors

ROWS = [{"text": f"the lamp number {n} is fine, thank you", "label": "odd" if n % 2 else "even"} for n in range(20)]


def opened(path: Path, content: str | bytes, **options: Any) -> Source:
    """Writes `content` and opens it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_source(path, ReadOptions(**options))


def rows(source: Source, errors: dict[str, int] | None = None) -> list[dict[str, Any]]:
    """All values; the row errors must be `errors`."""
    found = RowErrors(source.path.name)
    values = [record.values for record in source.records(found)]
    assert found.counts == (errors or {})
    return values


def notes(source: Source) -> set[str]:
    assert not any(note.blocking for note in source.facts.notes)
    assert all(note.text() for note in source.facts.notes)
    return {note.code for note in source.facts.notes}
