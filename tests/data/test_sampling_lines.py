"""Wherever a piece of a table begins and ends, only whole rows are taken from it."""

from __future__ import annotations

import pytest

from backend.data.sampling.lines import RowBorders
from backend.data.sources.dialect import Dialect

_ROWS = [
    'T-{n},2025-02-17,Oboe for Quarry,"Dear team,\n\nthe oboe ordered under {n} never came.\nRegards",Billing\n',
    'T-{n},2025-02-17,"A ""quoted"" oboe, and\nmore, of, it, ""all""","",Sales\n',
    "T-{n},2025-02-17,Plain,a plain body,Sales\n",
    '"T-{n}","2025-02-17","Wrapped","\na, b, c, d, e\n","Sales"\n',
]


@pytest.mark.parametrize("dialect", [Dialect(","), Dialect(",", "literal")])
def test_from_every_byte_to_every_seventh(dialect: Dialect) -> None:
    rows = [_ROWS[number % 4 if dialect.quotes == "quoted" else 2].format(n=number) for number in range(60)]
    text = "".join(rows).encode()
    borders, at = {0}, 0
    for row in rows:
        at += len(row)
        borders.add(at)
    told = 0
    for start in range(1, len(text) - 900):
        piece = text[start : start + 700 + start % 7]
        first, last = RowBorders(dialect, 5).inside(piece, False, False)
        assert first == last == 0 or {start + first, start + last} <= borders, (start, piece)
        told += last > first
    assert told > 0.9 * (len(text) - 900)
