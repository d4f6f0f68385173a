"""Rows in another order are the same rows, whatever is read together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.data import row_gather
from backend.data.row_gather import gather


@pytest.mark.parametrize("piece", [1, 50, 400, 1 << 20])
@pytest.mark.parametrize("passes", [0, 100_000])
def test_rows_come_in_the_order_that_is_asked_for(
    piece: int, passes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_gather, "_WINDOW", 64)
    monkeypatch.setattr(row_gather, "_PASSES", passes)  # 0: row by row
    rows = [f"row {number} é{'x' * (number % 30)}\n".encode() for number in range(300)]
    (tmp_path / "rows").write_bytes(b"".join(rows))
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    for numbers in (
        np.random.default_rng(1).permutation(300)[:200],
        np.array([299]),
        np.array([5, 4, 4]),
        np.array([]),
    ):
        numbers = numbers.astype(np.int32)
        assert b"".join(gather(tmp_path / "rows", starts, numbers, piece)) == b"".join(rows[at] for at in numbers)


def test_pieces_are_as_large_as_asked_for(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"0123456789" * 100)
    sizes = [len(block) for block in gather(tmp_path / "rows", np.arange(0, 1001, 10), np.arange(100), 105)]
    assert sum(sizes) == 1000 and max(sizes) <= 120 and len(sizes) >= 9
