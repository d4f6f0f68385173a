"""JSON Lines, a line at a time, and JSON lists, read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from backend.core.errors import StudioError
from backend.data.row_errors import Record, RowErrors, json_type
from backend.data.sniff import broken_encoding, locate_bad_byte

_SAMPLE_ROWS = 200
LIST_LIMIT = 100_000_000
"""Bytes. A list is read whole and takes some four times as much memory, in the web process too."""


class JsonLinesSource:
    """One JSON object per line; empty lines are skipped. Columns are the keys of the first rows."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.encoding = encoding
        self.columns = _columns(self)

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows; a line that is no JSON object goes to `row_errors`."""
        with self._open() as stream:
            for number, line in enumerate(_decoded(stream, self.path, self.encoding), 1):
                if not line.strip():
                    continue
                values = self._object(number, line, row_errors)
                if values is not None:
                    yield Record(number, values)

    def count(self) -> int:
        """Number of lines."""
        with self.path.open("rb") as stream:
            return max(1, sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b"")))

    def _object(self, number: int, line: str, row_errors: RowErrors) -> dict[str, Any] | None:
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            _, column, reason = _reason(error)
            row_errors.add("data.json_line", number, f"{reason} ({column})")
            return None
        try:
            line.encode()
        except UnicodeEncodeError:
            byte = locate_bad_byte(self.path, self.encoding)[1] if "data.encoding" not in row_errors.counts else 0
            row_errors.add("data.encoding", number, byte=byte)
            return None
        if not isinstance(values, dict):
            row_errors.add("data.json_item", number, json_type(values))
            return None
        return values

    def _open(self) -> IO[str]:
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "strict"
        return self.path.open(encoding=self.encoding, errors=errors, newline="\n")


class JsonListSource:
    """A list of objects, or an object that holds one list of objects (or one under `data`)."""

    def __init__(self, path: Path, encoding: str) -> None:
        if path.stat().st_size > LIST_LIMIT:
            raise StudioError("data.json_large", file=path.name, limit=f"{LIST_LIMIT // 1_000_000} MB")
        self.path = path
        self.encoding = encoding
        self.columns = _columns(self)

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All items; what is no object goes to `row_errors`."""
        for number, item in enumerate(self._items, 1):
            if isinstance(item, dict):
                yield Record(number, item)
            else:
                row_errors.add("data.json_item", number, json_type(item))

    def count(self) -> int:
        return len(self._items)

    @cached_property
    def _items(self) -> list[Any]:
        content = self._content()
        if isinstance(content, dict):
            lists = {key: value for key, value in content.items() if isinstance(value, list)}
            only = lists.get("data") if "data" in lists else next(iter(lists.values())) if len(lists) == 1 else None
            if only is None:
                raise StudioError("data.json_no_list", file=self.path.name, keys=", ".join(list(content)[:10]))
            content = only
        if not isinstance(content, list):
            raise StudioError("data.json_not_list", file=self.path.name, found=json_type(content))
        if not content:
            raise StudioError("data.header_only", file=self.path.name)
        return content

    def _content(self) -> Any:
        try:
            return json.loads(self.path.read_text(self.encoding))
        except UnicodeDecodeError:
            raise broken_encoding(self.path, self.encoding) from None
        except (ValueError, RecursionError) as error:
            row, column, reason = _reason(error)
            raise StudioError("data.json", file=self.path.name, row=row, column=column, reason=reason) from None


def _decoded(stream: IO[str], path: Path, encoding: str) -> Iterator[str]:
    try:
        yield from stream
    except UnicodeDecodeError:
        raise broken_encoding(path, encoding) from None


def _reason(error: Exception) -> tuple[int, int, str]:
    """(line, column, reason) of what the JSON parser refused; it also refuses huge numbers and very deep nesting."""
    if isinstance(error, json.JSONDecodeError):
        return error.lineno, error.colno, error.msg
    return 1, 1, "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _columns(source: JsonLinesSource | JsonListSource) -> list[str]:
    """Keys of the first rows, in order of appearance. Raises StudioError when no row can be read."""
    row_errors = RowErrors(source.path.name)
    keys: dict[str, None] = {}
    for _, record in zip(range(_SAMPLE_ROWS), source.records(row_errors), strict=False):
        keys |= dict.fromkeys(record.values)
    if not keys:
        row_errors.stop()
        raise StudioError("data.header_only", file=source.path.name)
    return list(keys)
