"""What is known of a sample: how much larger the file is, and where its rows stand in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from backend.data.row_errors import RowErrors

SAMPLE_BYTES = 5_000_000
"""Bytes of a sample, about."""
PLACES = 192
"""So many places of a file are looked at: a file that is sorted by its labels shows all that are not rarer than that."""
_PIECE = 1 << 22


@dataclass
class Part:
    """`times`: how many rows of the file stand for one of the sample; `begins`: (first place of a piece in the sample, its
    place in the file), ascending; where `lines_of` is set, the second is a byte offset instead. No `begins`: the places of the
    sample are not those of the file."""

    times: float
    begins: list[tuple[int, int]] = field(default_factory=list)
    lines_of: Path | None = None

    def place(self, sampled: int) -> int | None:
        """The place in the file of a row of the sample; None where it can't be told."""
        at = bisect_right(self.begins, (sampled, 1 << 62)) - 1
        if at < 0:
            return None
        first, begins = self.begins[at]
        if self.lines_of is not None:
            begins = 1 + _lines_before(self.lines_of, begins)
        return begins + sampled - first

    def counted(self) -> list[tuple[int, int]]:
        """`begins` with places in place of bytes: for a file that goes."""
        if self.lines_of is None:
            return self.begins
        found, line, passed = list[tuple[int, int]](), 1, 0
        with self.lines_of.open("rb") as stream:
            for first, offset in self.begins:
                while passed < offset and (piece := stream.read(min(_PIECE, offset - passed))):
                    line, passed = line + piece.count(b"\n"), passed + len(piece)
                found.append((first, line))
        return found

    def correct(self, errors: RowErrors) -> None:
        """Gives the row errors of a sample their places in the file; those that can't be told lose theirs."""
        for code, places in errors.places.items():
            told = [place.partition(" → ") for place in places]
            found = [(self.place(int(number)) if number.isdigit() else None, mark, what) for number, mark, what in told]
            errors.places[code] = [f"{place or '…'}{mark}{what}" for place, mark, what in found]


def _lines_before(path: Path, offset: int) -> int:
    lines = 0
    with path.open("rb") as stream:
        while offset > 0 and (piece := stream.read(min(_PIECE, offset))):
            lines += piece.count(b"\n")
            offset -= len(piece)
    return lines
