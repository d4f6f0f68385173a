"""The rows of a dataset folder, for checks that go over them several times and look some up again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backend.data.dataset import SPLITS, DataFolder, Row
from backend.data.row_blocks import RowBlock, line_starts, read_lines


@dataclass
class _Place:
    """A block of a file: where it lies, and where each line in it begins, from when that is first asked for."""

    split: str
    start: int
    size: int
    lines: np.ndarray[Any, np.dtype[np.int64]] | None = None


class CheckedRows:
    """The rows of all splits in blocks, in the order of the files, as often as wanted; `rows[n]` is split and row of the n-th
    again, of those that a pass has gone over."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._places: list[_Place] = []
        self._firsts: list[int] = []

    def __len__(self) -> int:
        return self._count

    def blocks(self, tick: Callable[[int], None] = lambda rows: None) -> Iterator[RowBlock]:
        """`tick(rows)` is called behind each block."""
        first = 0
        places, firsts = [], []
        for split in SPLITS:
            at = 0
            for lines in read_lines(self._file(split)):
                block = RowBlock(split, first, lines)
                places.append(_Place(split, at, len(lines)))
                firsts.append(first)
                if len(places) > len(self._places):
                    self._places, self._firsts = places, firsts
                at, first = at + len(lines), first + len(block)
                yield block
                tick(len(block))

    def __getitem__(self, number: int) -> tuple[str, Row]:
        at = bisect_right(self._firsts, number) - 1
        place = self._places[at]
        with self._file(place.split).open("rb") as stream:
            if place.lines is None:
                stream.seek(place.start)
                place.lines = line_starts(stream.read(place.size))
            stream.seek(place.start + int(place.lines[number - self._firsts[at]]))
            return place.split, Row.model_validate_json(stream.readline())

    def split(self, name: str) -> Iterator[Row]:
        """The rows of one split."""
        return DataFolder(self.folder).rows(name)

    def _file(self, split: str) -> Path:
        return self.folder / f"{split}.jsonl"

    @cached_property
    def _count(self) -> int:
        """Lines, the last one with or without an end."""
        return sum(len(line_starts(lines)) for split in SPLITS for lines in read_lines(self._file(split)))
