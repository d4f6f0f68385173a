"""The rows of a dataset folder, for checks that go over them several times and look some up again."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from backend.data.dataset import SPLITS, Row

_HELD_ROWS = 200_000
_HELD_BYTES = 150_000_000
"""Fewer and smaller rows than these are kept in memory; more are read again from the files each time."""


class CheckedRows:
    """(split, row) of all splits, in the order of the files, as often as wanted; `rows[n]` is the n-th again."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._starts: list[tuple[str, array[int]]] = [(split, self._offsets(split)) for split in SPLITS]
        size = sum(self._file(split).stat().st_size for split in SPLITS if self._file(split).is_file())
        self._held: list[tuple[str, Row]] | None = None
        if len(self) <= _HELD_ROWS and size <= _HELD_BYTES:
            self._held = list(self._read())

    def __len__(self) -> int:
        return sum(len(starts) for _split, starts in self._starts)

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        return iter(self._held) if self._held is not None else self._read()

    def __getitem__(self, number: int) -> tuple[str, Row]:
        if self._held is not None:
            return self._held[number]
        for split, starts in self._starts:
            if number < len(starts):
                with self._file(split).open("rb") as stream:
                    stream.seek(starts[number])
                    return split, Row.model_validate_json(stream.readline())
            number -= len(starts)
        raise IndexError(number)

    def each(self, tick: Callable[[int], None]) -> Iterator[tuple[str, Row]]:
        """The same, `tick(rows)` being called every 500 rows."""
        for number, found in enumerate(self, 1):
            if number % 500 == 0:
                tick(500)
            yield found

    def split(self, name: str) -> Iterator[Row]:
        """The rows of one split."""
        if self._held is not None:
            return (row for split, row in self._held if split == name)
        return self._lines(name)

    def _file(self, split: str) -> Path:
        return self.folder / f"{split}.jsonl"

    def _offsets(self, split: str) -> array[int]:
        starts = array("Q")
        if self._file(split).is_file():
            at = 0
            with self._file(split).open("rb") as stream:
                for line in stream:
                    starts.append(at)
                    at += len(line)
        return starts

    def _read(self) -> Iterator[tuple[str, Row]]:
        for split in SPLITS:
            for row in self._lines(split):
                yield split, row

    def _lines(self, split: str) -> Iterator[Row]:
        if self._file(split).is_file():
            with self._file(split).open("rb") as stream:
                for line in stream:
                    yield Row.model_validate_json(line)
