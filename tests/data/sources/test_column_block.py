"""Batches of rows: few of those that are very wide or long."""

from __future__ import annotations

from typing import Any

import pytest

from backend.data.row_errors import Record
from backend.data.sources.column_block import BATCH, batched


@pytest.mark.parametrize(
    ("values", "least", "most"),
    [
        ({"text": "short", "number": 3}, BATCH, BATCH),
        ({"text": "x" * 100_000}, 60, 90),
        ({f"n{at}": "1" for at in range(20_000)}, 30, 70),
        ({"messages": [{"role": "user", "content": "x" * 100_000}]}, 60, 90),
    ],
)
def test_batches_of_wide_or_long_rows_are_small(values: dict[str, Any], least: int, most: int) -> None:
    batches = list(batched(Record(place, values) for place in range(3 * BATCH)))
    assert [record.place for batch in batches for record in batch] == list(range(3 * BATCH))
    assert least <= len(batches[0]) == max(map(len, batches)) <= most
