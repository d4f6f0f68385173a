"""CSV and TSV, a row at a time, with the line of everything that is wrong."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from backend.core.errors import StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sniff import broken_encoding, locate_bad_byte

CELL_LIMIT = 16 * 1024 * 1024
"""Longest cell, in characters: an unclosed quote must not swallow a large file into memory."""
_SAMPLE = 64 * 1024


class CsvSource:
    """A CSV or TSV file. Raises StudioError when header or first row are missing, or column names repeat or are empty."""

    separator = ","

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.encoding = encoding
        csv.field_size_limit(CELL_LIMIT)
        self.delimiter = self._delimiter()
        header, _ = self._first("data.empty")
        self.columns = [name.strip() for name in header]
        self._check_header()
        self._first("data.header_only", skip=1)

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows; ragged or undecodable ones go to `row_errors`. Raises StudioError for a quote that is not closed."""
        rows = self._rows()
        next(rows)
        for line, cells in rows:
            if not any(cells):
                continue
            if len(cells) != len(self.columns):
                row_errors.add("data.ragged", line, len(cells), expected=len(self.columns))
            elif not _encodable(cells):
                byte = locate_bad_byte(self.path, self.encoding)[1] if "data.encoding" not in row_errors.counts else 0
                row_errors.add("data.encoding", line, byte=byte)
            else:
                yield Record(line, dict(zip(self.columns, cells, strict=True)))

    def count(self) -> int:
        """Number of rows, at most: lines without the header."""
        with self.path.open("rb") as stream:
            return max(1, sum(piece.count(b"\n") for piece in iter(lambda: stream.read(1 << 20), b"")))

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._open() as stream:
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    raise StudioError("data.quote", file=self.path.name, row=line) from None
                except UnicodeDecodeError:
                    raise broken_encoding(self.path, self.encoding) from None
                if cells:
                    yield line, cells

    def _first(self, otherwise: str, skip: int = 0) -> tuple[list[str], int]:
        for index, (line, cells) in enumerate(self._rows()):
            if index >= skip and any(cell.strip() for cell in cells):
                return cells, line
        raise StudioError(otherwise, file=self.path.name)

    def _check_header(self) -> None:
        repeated = [name for name, count in Counter(self.columns).items() if count > 1 and name]
        if repeated:
            raise StudioError("data.column_twice", file=self.path.name, names=", ".join(repeated))
        for number, name in enumerate(self.columns, 1):
            if not name:
                raise StudioError("data.column_unnamed", file=self.path.name, number=number)
        if not _encodable(self.columns):
            raise broken_encoding(self.path, self.encoding)

    def _open(self) -> IO[str]:
        # A broken byte becomes a lone surrogate, so that its row can be named (or skipped) instead of ending the reading.
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "strict"
        return self.path.open(encoding=self.encoding, errors=errors, newline="")

    def _delimiter(self) -> str:
        """What cuts the first rows into the most even columns; the format's own separator when nothing does."""
        with self.path.open(encoding=self.encoding, errors="replace", newline="") as stream:
            lines = stream.read(_SAMPLE).splitlines()[:30]
        own = self.separator
        best, score = own, (0.0, 0)
        for mark in (own, *(other for other in ",;\t" if other != own)):
            widths = [len(cells) for cells in csv.reader(lines, delimiter=mark) if cells]
            if widths and widths[0] > 1:
                even = sum(width == widths[0] for width in widths) / len(widths)
                if (round(even, 1), widths[0]) > score:
                    best, score = mark, (round(even, 1), widths[0])
        return best


class TsvSource(CsvSource):
    """A TSV file."""

    separator = "\t"


def _encodable(cells: list[Any]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
