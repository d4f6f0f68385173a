"""Near copies among more texts than can be compared exactly: MinHash sketches name candidates, each is verified.

A sketch is that of `datasketch` (Broder 1997), of character trigrams. Texts whose sketches are equal in a band (Leskovec,
Rajaraman & Ullman, Mining of Massive Datasets, 3.4) are candidates; those that share the most bands are verified first, by
their Jaccard index. 64 bytes a text are held for the bands and as much for the lists of texts in one bucket, whatever the texts
are; texts are kept as they are compared, in Arrow's memory.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa

from backend.data.near_duplicates import character_runs, normalised

BANDS, WIDTH = 16, 4
"""Two texts with a Jaccard index of 0.8 share a band with a probability of 1 - (1 - 0.8^4)^16 > 0.9997."""
_LATEST = 16
"""Texts of a bucket that are looked at, the latest first."""
_VERIFIED = 10
"""Candidates of a text that are verified, those that share the most bands first."""
_PIECES_AT_ONCE = 200_000
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64)

Tick = Callable[[int], None]
Numbers = np.ndarray[Any, np.dtype[np.int32]]


class TextColumn(Sequence[str]):
    """Texts in Arrow's memory: a third of what they take as objects."""

    def __init__(self, chunks: Sequence[pa.Array]) -> None:
        self.chunks = list(chunks)
        self._starts = np.cumsum([0, *map(len, self.chunks)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __iter__(self) -> Iterator[str]:
        for chunk in self.chunks:
            yield from chunk.to_pylist()

    def __getitem__(self, number: Any) -> Any:
        at = int(np.searchsorted(self._starts, number, "right")) - 1
        return self.chunks[at][int(number - self._starts[at])].as_py()

    def where(self, wanted: np.ndarray[Any, np.dtype[np.bool_]]) -> TextColumn:
        """Those that are wanted."""
        ends = zip(self._starts[:-1], self._starts[1:], strict=True)
        parts = zip(self.chunks, ends, strict=True)
        return TextColumn([chunk.filter(pa.array(wanted[start:end])) for chunk, (start, end) in parts])


class Sketches:
    """`texts`: any number of texts. Only texts of one of `groups` are compared; without them all are. `find` looks among the
    texts that were added."""

    def __init__(
        self, texts: Iterable[str], groups: Sequence[Hashable] | None, threshold: float, tick: Tick = lambda rows: None
    ) -> None:
        self.threshold = threshold
        plain, bands = [], []
        for part in _parts(map(normalised, texts)):
            plain.append(pa.array(part, pa.string()))
            bands.append(_bands(part))
            tick(len(part))
        self._texts = TextColumn(plain)
        found = np.concatenate(bands) if bands else np.empty((0, BANDS), np.uint32)
        if groups is not None:
            codes: dict[Hashable, int] = {}
            numbers = np.fromiter((codes.setdefault(group, len(codes)) for group in groups), np.uint64, len(found))
            found ^= (numbers * _FACTORS[0] >> np.uint64(32)).astype(np.uint32)[:, None]
        self._buckets, count = _shared_buckets(found)
        self._heads = array("i", [-1]) * count
        self._next = array("i", [-1]) * self._buckets.size
        self.pieces = lru_cache(maxsize=4_096)(self._pieces)

    def __len__(self) -> int:
        return len(self._buckets)

    def add(self, number: int) -> None:
        for slot, bucket in enumerate(self._buckets[number].tolist()):
            if bucket >= 0:
                self._next[number * BANDS + slot] = self._heads[bucket]
                self._heads[bucket] = number

    def find(self, number: int) -> tuple[int, float] | None:
        """(one that was added and is alike, Jaccard index); None where none was found."""
        met, following = list[int](), self._next
        for slot, bucket in enumerate(self._buckets[number].tolist()):
            at = self._heads[bucket] if bucket >= 0 else -1
            for _ in range(_LATEST):
                if at < 0:
                    break
                met.append(at)
                at = following[at * BANDS + slot]
        mine = self.pieces(number) if met else frozenset()
        for other, _bands_shared in Counter(met).most_common(_VERIFIED):
            theirs = self.pieces(other)
            shared = len(mine & theirs)
            alike = shared / (len(mine) + len(theirs) - shared)
            if alike >= self.threshold - 1e-9:
                return other, alike
        return None

    def _pieces(self, number: int) -> frozenset[str]:
        return character_runs(self._texts[number])


def _parts(texts: Iterator[str]) -> Iterator[list[str]]:
    """The texts in lists that have not too many characters together."""
    part, size = list[str](), 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= _PIECES_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _bands(plain: list[str]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """(texts, bands): a hash for each band of each text."""
    padded = [f" {text} " if text else "  \0" for text in plain]
    chars = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    counts = np.fromiter(map(len, padded), np.int64, len(padded)) - 2
    starts = np.cumsum(counts) - counts
    at = np.arange(counts.sum()) + np.repeat(2 * np.arange(len(padded)), counts)
    codes = chars[at] | chars[at + 1] << np.uint64(21) | chars[at + 2] << np.uint64(42)
    values, back = np.unique(codes, return_inverse=True)
    sketches = np.minimum.reduceat(_sketched_pieces(values.tolist())[back], starts, axis=0)
    parts = sketches.reshape(len(plain), BANDS, WIDTH).astype(np.uint64)
    mixed = (parts * _FACTORS).sum(axis=2, dtype=np.uint64)
    found: np.ndarray[Any, np.dtype[np.uint32]] = (mixed >> np.uint64(32)).astype(np.uint32)
    return found


def _sketched_pieces(codes: list[int]) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """(pieces, BANDS * WIDTH): the sketch of each piece alone; that of a text is the least of those of its pieces."""
    return np.stack([_sketch(code) for code in codes])


@lru_cache(maxsize=200_000)
def _sketch(code: int) -> np.ndarray[Any, np.dtype[np.uint32]]:
    piece = "".join(chr(code >> shift & 0x1FFFFF) for shift in (0, 21, 42))
    sketch = _empty().copy()
    sketch.update(piece.encode("utf-8", "surrogatepass"))
    return np.asarray(sketch.hashvalues, np.uint32)


@lru_cache(maxsize=1)
def _empty() -> Any:
    from datasketch import MinHash

    return MinHash(num_perm=BANDS * WIDTH, hashfunc=crc32, seed=1)


def _shared_buckets(bands: np.ndarray[Any, np.dtype[np.uint32]]) -> tuple[Numbers, int]:
    """(texts, bands): the number of the bucket that a text shares with others, -1 where it is alone; and their count."""
    found, count = np.full(bands.shape, -1, np.int32), 0
    for band in range(bands.shape[1] if len(bands) else 0):
        order = np.argsort(bands[:, band], kind="stable")
        values = bands[order, band]
        new = np.r_[True, values[1:] != values[:-1]]
        starts = np.flatnonzero(new)
        several = np.diff(np.r_[starts, len(values)]) > 1
        numbers = np.where(several, np.cumsum(several) - 1 + count, -1).astype(np.int32)
        found[order, band] = numbers[np.cumsum(new) - 1]
        count += int(several.sum())
    return found, count
