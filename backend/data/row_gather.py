"""Rows of a scratch file in another order, megabytes at a time, without a call for each row."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECE = 32 << 20
"""Bytes that are put into order together."""
_WINDOW = 8 << 20
_PASSES = 16
"""A file is read over once for each piece; beyond so many, rows are read one by one."""


def gather(path: Path, starts: NDArray[np.int64], numbers: NDArray[Any], piece: int = PIECE) -> Iterator[bytes]:
    """The bytes of the rows `numbers`, in this order. `starts`: where each row begins, and where the last one ends."""
    if not len(numbers):
        return
    lengths = starts[1:][numbers] - starts[numbers]
    ends = np.cumsum(lengths)
    bounds = np.searchsorted(ends, np.arange(piece, int(ends[-1]) + piece, piece), side="left") + 1
    one_by_one = int(starts[-1]) > _PASSES * piece
    descriptor = os.open(path, os.O_RDONLY)
    try:
        begin = 0
        for end in np.minimum(bounds, len(numbers)).tolist():
            part = numbers[begin:end]
            if one_by_one:
                rows = zip(starts[part].tolist(), lengths[begin:end].tolist(), strict=True)
                yield b"".join([os.pread(descriptor, length, start) for start, length in rows])
            elif len(part):
                yield _in_order(descriptor, starts, part)
            begin = end
    finally:
        os.close(descriptor)


def _in_order(descriptor: int, starts: NDArray[np.int64], numbers: NDArray[Any]) -> bytes:
    """One pass over the file, in windows of whole rows."""
    import pyarrow

    order = np.argsort(numbers, kind="stable")
    wanted = numbers[order]
    found = []
    first, last = int(wanted[0]), int(wanted[-1]) + 1
    while first < last:
        end = min(last, max(first + 1, int(np.searchsorted(starts, starts[first] + _WINDOW, side="right")) - 1))
        here = wanted[np.searchsorted(wanted, first) : np.searchsorted(wanted, end)]
        if len(here):
            offsets = starts[first : end + 1] - starts[first]
            data = os.pread(descriptor, int(offsets[-1]), int(starts[first]))
            buffers = [None, pyarrow.py_buffer(offsets), pyarrow.py_buffer(data)]
            rows = pyarrow.Array.from_buffers(pyarrow.large_binary(), end - first, buffers)
            found.append(rows.take(here - first))
        first = end
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    joined = pyarrow.concat_arrays(found)
    del found  # three copies are enough
    taken = joined.take(back)
    del joined
    _, offsets, data = taken.buffers()
    places = np.frombuffer(offsets, np.int64)[taken.offset : taken.offset + len(taken) + 1]
    return bytes(memoryview(data)[int(places[0]) : int(places[-1])])
