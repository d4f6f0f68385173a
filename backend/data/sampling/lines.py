"""Samples of tables in text and of JSON Lines: whole rows, also where cells hold line breaks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backend.data.sampling.part import PLACES, SAMPLE_BYTES, Part
from backend.data.sources.dialect import Dialect

HEAD_BYTES = 1_200_000
"""Read from the beginning: what tells the dialect and the header."""
_LARGER = (1, 8, 64)
"""Times the usual size of a piece: what is tried where rows are long."""
_FITTING = 0.9
"""Share of the rows of a piece that have the right width, at least: else it isn't told where they begin."""
Range = tuple[int, int]


@dataclass(frozen=True)
class RowBorders:
    """How rows are told from lines. `dialect`: None where every line is a row; `width`: cells of most rows."""

    dialect: Dialect | None = None
    width: int = 0

    def inside(self, piece: bytes, begun: bool, ended: bool) -> Range:
        """Where the whole rows of a piece begin and end, (0, 0) where it has none or they can't be told. `begun`: a row begins
        at its first byte; `ended`: one ends at its last."""
        if self.dialect is None or self.dialect.quotes == "literal":
            start = 0 if begun else piece.find(b"\n") + 1
            end = len(piece) if ended else piece.rfind(b"\n") + 1
            return (start, end) if end > start and (begun or start) else (0, 0)
        if begun:
            rows, _ = self._rows(piece, self.dialect, ended)
            return (rows[0], rows[-1]) if len(rows) > 1 else (0, 0)
        return self._quoted(piece, ended, self.dialect)

    def _quoted(self, piece: bytes, ended: bool, dialect: Dialect) -> Range:
        """Whether the piece begins inside a quoted cell is told by what gives rows of the right width."""
        plain, fits = self._rows(piece, dialect, ended, passed=1)
        if fits == 1:
            return plain[0], plain[-1]
        turned, turned_fits = self._rows(b'"' + piece, dialect, ended, passed=1)
        if max(fits, turned_fits) < _FITTING or fits == turned_fits:
            return 0, 0
        return (plain[0], plain[-1]) if fits > turned_fits else (turned[0] - 1, turned[-1] - 1)

    def _rows(self, piece: bytes, dialect: Dialect, ended: bool, passed: int = 0) -> tuple[list[int], float]:
        """(bytes at which rows begin, with the end of the last whole one; share of them that have the right width and whose
        quotation marks are pairs), but the first `passed`; no rows where the quotes can't be. A cell that is taken for
        several rows leaves a single mark in one of them."""
        lines = [f"{line}\n" for line in piece.decode("latin-1").split("\n")]
        at, places, marks = 0, [0], [0]
        for line in lines:
            at += len(line)
            places.append(min(at, len(piece)))
            marks.append(marks[-1] + line.count('"'))
        reader = dialect.reader(lines)
        right, ends = list[bool](), [0]
        try:
            for cells in reader:
                pairs = dialect.quotes == "escaped" or (marks[reader.line_num] - marks[ends[-1]]) % 2 == 0
                right.append(pairs and len(cells) in (0, self.width))
                ends.append(reader.line_num)
        except csv.Error as error:
            if "unexpected end" not in str(error) or ended:
                return [], 0.0
        if not ended:
            right, ends = right[:-1], ends[:-1]
        right, ends = right[passed:], ends[passed:]
        return [places[end] for end in ends], sum(right) / len(right) if right else 0.0


def rows_of(head: bytes, dialect: Dialect) -> RowBorders:
    """Raises csv.Error where the head can't be read in this dialect."""
    lines = (f"{line}\n" for line in head.decode("latin-1").split("\n")[:-1])
    widths: Counter[int] = Counter()
    try:
        widths.update(len(cells) for cells in dialect.reader(lines) if cells)
    except csv.Error as error:
        if "unexpected end" not in str(error):
            raise
    return RowBorders(dialect, widths.most_common(1)[0][0] if widths else 0)


def sample_lines(path: Path, target: Path, rows: RowBorders) -> Part | None:
    """Writes a sample of the file `path`; None where its head has no whole row."""
    size = path.stat().st_size
    with path.open("rb") as stream, target.open("wb") as out:
        _, end = rows.inside(head := stream.read(HEAD_BYTES), True, False)
        if not end:
            return None
        out.write(head[:end])
        lines, begins = 1 + head.count(b"\n", 0, end), [(1, 0)]
        for offset, piece in _pieces(stream, rows, end, size):
            begins.append((lines, offset))
            lines += piece.count(b"\n")
            out.write(piece)
            if not piece.endswith(b"\n"):
                out.write(b"\n")
    return Part(size / target.stat().st_size, begins, path)


def _pieces(stream: BinaryIO, rows: RowBorders, begin: int, size: int) -> Iterator[tuple[int, bytes]]:
    """(offset, whole rows) at evenly spaced places behind the head, the last one at the end."""
    usual = (SAMPLE_BYTES - HEAD_BYTES) // PLACES
    passed = begin
    for number in range(1, PLACES + 1):
        offset = max(passed, begin + (size - usual - begin) * number // PLACES)
        for times in _LARGER:
            stream.seek(offset)
            piece = stream.read(times * usual)
            ended = offset + len(piece) >= size
            start, end = rows.inside(piece, offset == begin, ended)
            if end > start:
                yield offset + start, piece[start:end]
                passed = offset + end
            if end > start or ended:
                break
