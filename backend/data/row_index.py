"""A compact index of the rows of one split, so that any page of it is a seek, however large the file is.

It is a `.npy` file of one record a row (`RECORD`, 73 bytes), made once by reading the file a row at a time. Filters and
orders are computed on it; rows are read from the file only where they are shown or searched. The file must not change.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias
from uuid import uuid4

from backend.core.errors import StudioError
from backend.data.dataset import DataFolder, Row
from backend.data.row_filter import RowFilter, Sort

if TYPE_CHECKING:
    import numpy as np

RECORD = [
    *(("offset", "<u8"), ("length", "<u4"), ("label", "<i4"), ("confidence", "<f4"), ("tagged", "?")),
    *(("ident", "<u8"), ("id_key", ">u8", (2,)), ("answer_key", ">u8", (2,))),
    ("bytes", "<u8"),
]
"""`length`: characters of the input; `label`: place in the template's labels, -1 for another answer; `ident`: a hash of the
id; the keys sort like the first 16 bytes of the text."""
BATCH = 20_000
BLOCK = 1000
MOST_HITS = 10_000
"""A search ends after so many rows: nobody reads more of them, and memory stays small."""
Positions: TypeAlias = "Sequence[int] | np.ndarray"
_Stop = Callable[[], bool]
_building = threading.Lock()


def never() -> bool:
    return False


def ident(row_id: str) -> int:
    """A hash of 64 bits."""
    return int.from_bytes(blake2b(row_id.encode(), digest_size=8).digest(), "little")


def sort_key(text: str) -> bytes:
    """16 bytes that sort as the text does, whatever its case; numbers by their value."""
    folded = text.strip().casefold()[:16]
    return (folded.rjust(16, "0") if folded.isdecimal() else folded).encode()[:16].ljust(16, b"\0")


class RowIndex:
    """The rows of `<folder>/<split>.jsonl`. `records`: one of `RECORD` a row, on disk."""

    def __init__(self, file: Path, records: Path, labels: Sequence[str]) -> None:
        import numpy as np

        self.file, self.labels = file, list(labels)
        self.records: Any = np.load(records, mmap_mode="r")
        self._orders = records

    def __len__(self) -> int:
        return len(self.records)

    def rows(self, positions: Positions) -> list[Row]:
        with self.file.open("rb") as stream:
            return [Row.model_validate_json(self._read(stream, int(each), int(each))) for each in positions]

    def _read(self, stream: BinaryIO, first: int, last: int) -> bytes:
        """The lines from one place to another."""
        start = int(self.records["offset"][first])
        stream.seek(start)
        return stream.read(int(self.records["offset"][last] + self.records["bytes"][last]) - start)

    def find(self, row_id: str) -> int | None:
        """The place of a row; None when there is none."""
        import numpy as np

        for position in np.flatnonzero(self.records["ident"] == ident(row_id)):
            if self.rows([int(position)])[0].id == row_id:
                return int(position)
        return None

    def select(
        self, wanted: RowFilter, sort: Sort = "", descending: bool = False, stop: _Stop = never
    ) -> tuple[Positions, bool]:
        """Places of the rows that fit, in order, and whether all rows were looked at: a search ends early after `MOST_HITS`
        rows or when `stop` says so."""
        import numpy as np

        if wanted.empty and not sort:
            return range(len(self)), True
        found, whole = self._matching(wanted, stop)
        if sort:
            order = self.order(sort)
            if not wanted.empty:
                mask = np.zeros(len(self), dtype=bool)
                mask[found] = True
                order = order[mask[order]]
            found = order[::-1] if descending else order
        return found, whole

    def _matching(self, wanted: RowFilter, stop: _Stop) -> tuple[np.ndarray, bool]:
        import numpy as np

        records = self.records
        mask = records["length"] >= wanted.least
        if wanted.most is not None:
            mask &= records["length"] <= wanted.most
        if wanted.label and wanted.label in self.labels:
            mask &= records["label"] == self.labels.index(wanted.label)
        if wanted.ids:
            mask &= np.isin(records["ident"], np.array([ident(each) for each in wanted.ids], dtype=np.uint64))
        if wanted.tag:
            mask &= records["tagged"]
        found = np.flatnonzero(mask)
        indexed = (not wanted.label or wanted.label in self.labels) and not wanted.tag and not wanted.search
        return (found, True) if indexed else self._search(found, wanted, stop)

    def _search(self, candidates: np.ndarray, wanted: RowFilter, stop: _Stop) -> tuple[np.ndarray, bool]:
        """Reads the candidates block by block; a block whose bytes hold no hit is passed over."""
        import numpy as np

        hits: list[int] = []
        with self.file.open("rb") as stream:
            for start in range(0, len(candidates), BLOCK):
                if stop():
                    return np.array(hits, dtype=np.int64), False
                block = candidates[start : start + BLOCK]
                hits += (position for position, line in self._lines(stream, block, wanted) if _fits(line, wanted))
                if len(hits) >= MOST_HITS:
                    return np.array(hits, dtype=np.int64), start + BLOCK >= len(candidates)
        return np.array(hits, dtype=np.int64), True

    def _lines(self, stream: BinaryIO, block: np.ndarray, wanted: RowFilter) -> Iterator[tuple[int, bytes]]:
        """Places and lines of a block of rows; none where the whole block can't hold the search."""
        first, last = int(block[0]), int(block[-1])
        if last - first > 2 * len(block):  # scattered: what lies between would be read for nothing
            yield from ((int(each), self._read(stream, int(each), int(each))) for each in block)
            return
        text, begin = self._read(stream, first, last), int(self.records["offset"][first])
        if may_hold(text, wanted.search):
            for each in block:
                start = int(self.records["offset"][each]) - begin
                yield int(each), text[start : start + int(self.records["bytes"][each])]

    def order(self, sort: Sort) -> np.ndarray:
        """All places, ascending; made once and kept beside the index. Rows without a confidence come last."""
        import numpy as np

        file = self._orders.with_suffix(f".{sort}.npy")
        if not file.is_file():
            if sort in ("id", "answer"):
                key = self.records["id_key" if sort == "id" else "answer_key"]
                found = np.lexsort((key[:, 1], key[:, 0]))
            else:
                found = np.argsort(self.records["length" if sort == "length" else sort], kind="stable")
            partial = file.with_name(f"{uuid4().hex}.partial.npy")
            np.save(partial, found.astype(np.uint32))
            partial.replace(file)
        return np.asarray(np.load(file, mmap_mode="r"))

    def label_counts(self) -> dict[str, int]:
        import numpy as np

        counts = np.bincount(self.records["label"] + 1, minlength=len(self.labels) + 1)
        return {label: int(count) for label, count in zip(self.labels, counts[1:], strict=True)}

    def length_quantiles(self, shares: Sequence[float]) -> list[int]:
        """Characters of the input that these shares of the rows stay within."""
        import numpy as np

        return [int(value) for value in np.quantile(self.records["length"], shares)] if len(self) else []


def _fits(line: bytes, wanted: RowFilter) -> bool:
    return may_hold(line, wanted.search) and wanted.matches(Row.model_validate_json(line))


def may_hold(text: bytes, search: str) -> bool:
    """False where no row within these lines can hold `search`."""
    folded = search.casefold()
    if not folded or any(ord(each) < 32 or each in '"\\' for each in folded):  # written in another way within a line
        return True
    if folded.isascii() and folded.encode() in text.lower():
        return True
    return not text.isascii() and folded in text.decode().casefold()  # letters beyond ASCII may fold to plain ones


def open_index(folder: Path, split: str, cache: Path, stop: _Stop = never) -> RowIndex:
    """The index of a split, made and kept in `cache` when it is not there yet. Raises StudioError when the file is gone or
    no dataset's, and `InterruptedError` when `stop` said so."""
    file = folder / f"{split}.jsonl"
    if not file.is_file():
        raise StudioError("core.artifact_damaged", ref=folder.name, file=file.name)
    labels = DataFolder(folder).template.labels
    records = cache / f"{split}-{file.stat().st_size}.npy"
    with _building:
        if not records.is_file():
            _build(file, records, labels, stop)
    return _opened(file, records, tuple(labels), records.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _opened(file: Path, records: Path, labels: tuple[str, ...], _made: int) -> RowIndex:
    return RowIndex(file, records, labels)


def is_ready(folder: Path, split: str, cache: Path) -> bool:
    """Whether the index is there, so that opening it takes no time."""
    file = folder / f"{split}.jsonl"
    return file.is_file() and (cache / f"{split}-{file.stat().st_size}.npy").is_file()


def _build(file: Path, records: Path, labels: Sequence[str], stop: _Stop) -> None:
    import numpy as np

    records.parent.mkdir(parents=True, exist_ok=True)
    partial = records.with_name(f"{uuid4().hex}.partial.npy")
    rows = _count_lines(file)
    made = np.lib.format.open_memmap(partial, mode="w+", dtype=np.dtype(RECORD), shape=(rows,))
    try:
        done = 0
        for batch in _batches(file, {label: at for at, label in enumerate(labels)}):
            if stop():
                raise InterruptedError
            made[done : done + len(batch)] = np.array(batch, dtype=np.dtype(RECORD))
            done += len(batch)
        made.flush()
        partial.replace(records)
    finally:
        partial.unlink(missing_ok=True)


def _count_lines(file: Path) -> int:
    count, last = 0, b"\n"
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            count, last = count + chunk.count(b"\n"), chunk[-1:]
    return count + (last != b"\n")


def _batches(file: Path, codes: dict[str, int]) -> Iterator[list[tuple[Any, ...]]]:
    """Raises StudioError at a line that is no row."""
    from orjson import JSONDecodeError, loads

    offset, batch = 0, []
    with file.open("rb") as stream:
        for line in stream:
            try:
                row = loads(line)
                batch.append((offset, *_record(row, codes), len(line)))
            except (JSONDecodeError, KeyError, TypeError, AttributeError):
                raise StudioError("core.artifact_damaged", ref=file.parent.name, file=file.name) from None
            offset += len(line)
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _record(row: dict[str, Any], codes: dict[str, int]) -> tuple[Any, ...]:
    answer, confidence = row.get("output"), row.get("confidence")
    return (
        len(row["input"]),
        codes.get(answer, -1) if answer is not None else -1,
        float("nan") if confidence is None else confidence,
        bool(row.get("tags")),
        ident(row["id"]),
        _pair(sort_key(row["id"])),
        _pair(sort_key(answer or "")),
    )


def _pair(key: bytes) -> tuple[int, int]:
    return int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
