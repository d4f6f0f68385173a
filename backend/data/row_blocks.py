"""The rows of a dataset file as blocks of columns, for checks that go over all of them: no object is made for a plain row.

Most of a large dataset are rows with an id, an input and an answer alone; pyarrow reads these as columns, ten times as fast as
a row at a time. A block with any other row is read as objects.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import json as arrow_json

from backend.data.dataset import Row

BLOCK_BYTES = 4 << 20
"""A block ends with the line that reaches this size."""
_COLUMNS = pa.schema([("id", pa.string()), ("input", pa.string()), ("output", pa.string())])
_ONLY = arrow_json.ParseOptions(explicit_schema=_COLUMNS, unexpected_field_behavior="error")
_PLAIN = {*_COLUMNS.names, "fields"}
T = TypeVar("T")
Made = Callable[["RowBlock"], T]


class RowBlock:
    """Rows that lie one after another in a split. `first`: the number of the first among the rows of all splits; `ids`,
    `inputs`, `outputs`: columns, an output null where there is none; `bare`: no row has anything else."""

    def __init__(self, split: str, first: int, lines: bytes) -> None:
        self.split, self.first = split, first
        self._made: dict[Made[Any], Any] = {}
        self._values: list[dict[str, Any]] | None = None
        try:
            table = _bare_table(lines)
        except pa.ArrowInvalid:  # another field
            self._values = [orjson.loads(line) for line in lines.splitlines()]
            values = self._values
            columns = [pa.array([each.get(name) for each in values], pa.string()) for name in _COLUMNS.names]
        else:
            columns = [pa.concat_arrays(table.column(name).chunks) for name in _COLUMNS.names]
        self.ids, self.inputs, self.outputs = columns

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def bare(self) -> bool:
        return self._values is None

    def rows(self) -> Iterator[Row]:
        """The rows, for a pass that keeps none of them: plain ones are one object, filled anew."""
        one = Row(id="", input="")
        for values in self._values if self._values is not None else self._bare_values():
            if values.keys() <= _PLAIN:
                vars(one).update({"output": None, "fields": {}, **values})
                yield one
            else:
                yield Row.model_validate(values)

    def once(self, make: Made[T]) -> T:
        """What `make` makes of this block, made once however many ask for it."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast(T, self._made[make])

    def of_rows(self, get: Callable[[Row], str | None]) -> pa.Array:
        """A column of texts, made row by row."""
        return pa.array([get(row) for row in self.rows()], pa.string())

    def _bare_values(self) -> Iterator[dict[str, Any]]:
        columns = (column.to_pylist() for column in (self.ids, self.inputs, self.outputs))
        return ({"id": one, "input": text, "output": answer} for one, text, answer in zip(*columns, strict=True))


def _bare_table(lines: bytes) -> pa.Table:
    """Raises ArrowInvalid where a row has another field than `_COLUMNS`."""
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(lines) + 1)
    return arrow_json.read_json(io.BytesIO(lines), options, _ONLY)


def read_lines(file: Path) -> Iterator[bytes]:
    """A file of JSON lines in pieces of whole lines, of about `BLOCK_BYTES`."""
    if file.is_file():
        with file.open("rb") as stream:
            while lines := stream.read(BLOCK_BYTES):
                yield lines + stream.readline()


def line_starts(lines: bytes) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each line begins."""
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
    starts: np.ndarray[Any, np.dtype[np.int64]] = np.r_[0, ends[: -1 if lines.endswith(b"\n") else None]].astype(
        np.int64
    )
    return starts
