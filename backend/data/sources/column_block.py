"""Rows on their way out of a source, many at a time: as records, or as columns of text where the format allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from backend.data.row_errors import Record, RowErrors
from backend.data.sources.source import Source

BATCH = 2000
"""Records that are handed on together."""
_BATCH_CHARS = 8_000_000
"""Characters that they have together, at most, as far as can be told from one in eight."""
_WEIGHED_EVERY = 8
_CELL = 6


@dataclass(frozen=True)
class ColumnBlock:
    """`places`: where each row stands; `cells`: by column a string array of pyarrow's, without nulls, of the same length."""

    places: NDArray[np.int64]
    cells: dict[str, Any]

    def __len__(self) -> int:
        return len(self.places)

    def records(self) -> list[Record]:
        """The same, row by row."""
        names = list(self.cells)
        columns = [texts(array) for array in self.cells.values()]
        rows = zip(*columns, strict=True)
        return [
            Record(place, dict(zip(names, row, strict=True)))
            for place, row in zip(self.places.tolist(), rows, strict=True)
        ]

    def part(self, start: int, count: int) -> ColumnBlock:
        """At most `count` rows from `start` on."""
        cells = {name: array.slice(start, count) for name, array in self.cells.items()}
        return ColumnBlock(self.places[start : start + count], cells)

    def filled(self) -> ColumnBlock:
        """Without rows that are empty in every column."""
        import pyarrow.compute as pc

        kept = np.zeros(len(self), bool)
        for array in self.cells.values():
            kept |= pc.not_equal(array, "").to_numpy(zero_copy_only=False)
            if kept.all():
                return self
        return ColumnBlock(self.places[kept], {name: array.filter(kept) for name, array in self.cells.items()})


SourceBlock = ColumnBlock | list[Record]


@runtime_checkable
class BlockSource(Source, Protocol):
    """A source that has its rows in blocks."""

    def blocks(self, row_errors: RowErrors) -> Iterator[SourceBlock]: ...


def row_blocks(source: Source, row_errors: RowErrors) -> Iterator[SourceBlock]:
    """All rows of any source, in its order."""
    if isinstance(source, BlockSource):
        return source.blocks(row_errors)
    return batched(source.records(row_errors))


def batched(records: Iterable[Record], size: int = BATCH) -> Iterator[list[Record]]:
    """Lists of so many records, the last one shorter, and so are those of very wide or long ones."""
    batch, left = list[Record](), _BATCH_CHARS
    for record in records:
        if len(batch) % _WEIGHED_EVERY == 0:
            left -= _WEIGHED_EVERY * _weight(record)
        batch.append(record)
        if len(batch) >= size or left <= 0:
            yield batch
            batch, left = [], _BATCH_CHARS
    if batch:
        yield batch


def _weight(record: Record) -> int:
    """About as many characters as it takes memory of."""
    values = record.values.values()
    texts = sum(len(value) for value in values if isinstance(value, str))
    return texts + sum(len(str(value)) for value in values if isinstance(value, list | dict)) + _CELL * len(values)


def limited(blocks: Iterable[SourceBlock], most: int) -> Iterator[SourceBlock]:
    """The first `most` rows, 0: all."""
    left = most
    for block in blocks:
        if most and len(block) >= left:
            yield block.part(0, left) if isinstance(block, ColumnBlock) else block[:left]
            return
        left -= len(block)
        yield block


def records_of(block: SourceBlock) -> list[Record]:
    """The rows of a block one by one."""
    return block.records() if isinstance(block, ColumnBlock) else block


def parts(block: SourceBlock, size: int = BATCH) -> Iterator[SourceBlock]:
    """A block in smaller ones."""
    for start in range(0, len(block), size):
        yield block.part(start, size) if isinstance(block, ColumnBlock) else block[start : start + size]


def texts(array: Any) -> list[str]:
    """A string array as a list; by way of numpy in a third of the time."""
    found: list[str] = array.to_numpy(zero_copy_only=False).tolist()
    return found
