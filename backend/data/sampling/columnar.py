"""Samples of Parquet and Arrow files: rows of many places, in a file of the same schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.data.sampling.part import PLACES, SAMPLE_BYTES, Part

MOST_ROWS = 60_000
_DECODED = 400_000_000
"""Bytes of a Parquet file that are decoded, at most."""
_Take = Callable[[int, int], Iterator[tuple[int, Any]]]
"""(rows between two places, rows of each) -> (first row, the rows) of each place."""


def sample_parquet(path: Path, target: Path) -> Part | None:
    """None where the file is damaged, or holds what can't be written."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
            total = sum(group.total_byte_size for group in groups)
            every = max(1, -(-total // _DECODED))
            chosen = [number for number in range(len(groups)) if number % every == 0 or number == len(groups) - 1]
            firsts = [sum(group.num_rows for group in groups[:number]) for number in chosen]
            rows = sum(groups[number].num_rows for number in chosen)

            def taken(stride: int, count: int) -> Iterator[tuple[int, Any]]:
                for number, first in zip(chosen, firsts, strict=True):
                    for batch in file.iter_batches(stride, row_groups=[number]):
                        yield first, batch.slice(0, count)
                        first += batch.num_rows

            with pyarrow.parquet.ParquetWriter(target, file.schema_arrow) as writer:
                return _write(
                    writer, taken, rows, total * rows / max(1, file.metadata.num_rows), file.metadata.num_rows
                )
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, EOFError):
        return None


def sample_arrow(path: Path, target: Path) -> Part | None:
    """None where the file is damaged, or holds what can't be written."""
    import pyarrow

    try:
        with _batches(path) as (schema, batches, _):
            rows = sum(batch.num_rows for batch in batches)
        with _batches(path) as (schema, batches, made):

            def taken(stride: int, count: int) -> Iterator[tuple[int, Any]]:
                first = 0
                for batch in batches:
                    for place in range(-first % stride, batch.num_rows, stride):
                        yield first + place, batch.slice(place, count)
                    first += batch.num_rows

            with made(target, schema) as writer:
                return _write(writer, taken, rows, path.stat().st_size, rows)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, EOFError):
        return None


def _write(writer: Any, taken: _Take, rows: int, size: float, all_rows: int) -> Part | None:
    """`size`: bytes of the `rows` among which is chosen."""
    wanted = int(min(MOST_ROWS, max(PLACES, rows * SAMPLE_BYTES / max(1, size))))
    stride = max(1, rows // PLACES)
    begins, written = list[tuple[int, int]](), 0
    for first, batch in taken(stride, max(1, min(stride, wanted // PLACES))):
        begins.append((written + 1, first + 1))
        writer.write_batch(batch)
        written += batch.num_rows
    return Part(all_rows / written, begins) if written else None


@contextmanager
def _batches(path: Path) -> Iterator[tuple[Any, Iterator[Any], Any]]:
    """(schema, batches, what writes a file of the same kind)."""
    import pyarrow

    with pyarrow.memory_map(str(path)) as mapped:
        if mapped.read(6) == b"ARROW1":
            with pyarrow.ipc.open_file(mapped) as file:
                batches = (file.get_batch(number) for number in range(file.num_record_batches))
                yield file.schema, batches, pyarrow.ipc.new_file
        else:
            mapped.seek(0)
            with pyarrow.ipc.open_stream(mapped) as stream:
                yield stream.schema, iter(stream), pyarrow.ipc.new_stream
