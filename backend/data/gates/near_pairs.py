"""Texts that are near copies of each other, at most once verified pair by pair.

Up to 100,000 texts the search is exact (`backend.data.near_duplicates`). Above, candidates come from MinHash signatures
(`datasketch`) in bands, as Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4, and each is verified exactly.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np

from backend.data.near_duplicates import NearDuplicateIndex, trigrams

EXACT_TEXTS = 100_000
PERMUTATIONS = 128
_BANDS = 32
"""Bands of 4: two texts with a Jaccard index of 0.8 are candidates with a probability of 1 - (1 - 0.8^4)^32 > 0.9999999."""
_SAMPLE = 20_000
"""Texts from which the exact search learns which pieces are rare."""
_BUCKET = 50
"""Of the texts with an equal band each is compared with so many earlier ones."""

Tick = Callable[[int], None]


def near_copies(
    texts: Sequence[str], groups: Sequence[str], threshold: float, tick: Tick = lambda rows: None
) -> list[tuple[int, int, float]]:
    """(text, earlier text that it is a near copy of, Jaccard index); only texts of one group are compared, and a copy is
    compared with what is no copy itself."""
    if len(texts) > EXACT_TEXTS:
        return _sketched(texts, groups, threshold, tick)
    index = NearDuplicateIndex(threshold, texts[:_SAMPLE])
    found = []
    for number, (text, group) in enumerate(zip(texts, groups, strict=True)):
        _ticked(number, tick)
        if near := index.find(text, group):
            found.append((number, int(near[0]), near[1]))
        else:
            index.add(str(number), text, group)
    return found


def copies_between(
    texts: Sequence[str], others: Sequence[str], threshold: float, tick: Tick = lambda rows: None
) -> list[tuple[int, int, float]]:
    """(text, the most alike of `others`, Jaccard index), for each text that is a near copy of one of them."""
    if len(texts) + len(others) > EXACT_TEXTS:
        return _sketched_between(texts, others, threshold, tick)
    index = NearDuplicateIndex(threshold, [*others[:_SAMPLE], *texts[:_SAMPLE]])
    for number, text in enumerate(others):
        _ticked(number, tick)
        index.add(str(number), text)
    found = []
    for number, text in enumerate(texts):
        _ticked(number, tick)
        if near := index.find(text):
            found.append((number, int(near[0]), near[1]))
    return found


def jaccard(one: str, two: str) -> float:
    """The index that the exact search uses: character trigrams, case, punctuation and spacing aside."""
    first, second = trigrams(one), trigrams(two)
    return len(first & second) / len(first | second)


def _ticked(number: int, tick: Tick) -> None:
    if number % 200 == 199:
        tick(200)


def _bands(texts: Sequence[str], tick: Tick) -> list[array[int]]:
    """A hash for each band of each text, 8 bytes each."""
    from datasketch import MinHash

    bands = [array("q") for _ in range(_BANDS)]
    width = PERMUTATIONS // _BANDS
    empty = MinHash(num_perm=PERMUTATIONS, hashfunc=crc32, seed=1)
    for number, text in enumerate(texts):
        _ticked(number, tick)
        sketch = empty.copy()
        sketch.update_batch([piece.encode("utf-8", "surrogatepass") for piece in trigrams(text)])
        values = sketch.hashvalues
        for at, band in enumerate(bands):
            band.append(hash(values[at * width : (at + 1) * width].tobytes()))
    return bands


def _candidates(bands: list[array[int]]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Pairs (later, earlier) that share a band, each once, by the later."""
    found = []
    for band in bands:
        values = np.frombuffer(band, dtype=np.int64)
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        for gap in range(1, _BUCKET):
            same = np.flatnonzero(ordered[gap:] == ordered[:-gap])
            if not len(same):
                break
            found.append(np.stack([order[same + gap], order[same]], axis=1))
    if not found:
        return np.empty((0, 2), dtype=np.int64)
    return np.unique(np.concatenate(found), axis=0)


def _sketched(
    texts: Sequence[str], groups: Sequence[str], threshold: float, tick: Tick
) -> list[tuple[int, int, float]]:
    best: dict[int, tuple[int, float]] = {}
    for later, earlier in _candidates(_bands(texts, tick)).tolist():
        if groups[later] != groups[earlier] or earlier in best:
            continue
        alike = jaccard(texts[later], texts[earlier])
        if alike >= threshold - 1e-9 and (later not in best or alike > best[later][1]):
            best[later] = earlier, alike
    return [(later, earlier, alike) for later, (earlier, alike) in best.items()]


def _sketched_between(
    texts: Sequence[str], others: Sequence[str], threshold: float, tick: Tick
) -> list[tuple[int, int, float]]:
    both = [*others, *texts]
    best: dict[int, tuple[int, float]] = {}
    for later, earlier in _candidates(_bands(both, tick)).tolist():
        number = later - len(others)
        if number < 0 or earlier >= len(others):
            continue
        alike = jaccard(both[later], both[earlier])
        if alike >= threshold - 1e-9 and (number not in best or alike > best[number][1]):
            best[number] = earlier, alike
    return [(number, other, alike) for number, (other, alike) in best.items()]
