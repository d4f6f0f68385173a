"""Texts that are near copies of each other, at most once verified pair by pair.

The measure is that of `backend.data.near_duplicates`: the Jaccard index of character trigrams. Up to 100,000 texts the search
is exact: two texts at least `t` alike share `l` of the `n - ceil(t n) + l` rarest of their n pieces (Wang, Li & Feng, Can we
beat the prefix filtering? 2012), which a product of sparse matrices counts. Above, candidates come from sketches
(`backend.data.gates.sketches`), and each is verified exactly.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from backend.data.gates.sketches import Sketches
from backend.data.near_duplicates import trigrams

EXACT_TEXTS = 100_000
SEARCHED_ROWS = 1_000_000
"""With more rows, as many of them are searched for near copies among all: a million take minutes."""
_SHARED = 4
"""Pieces that two prefixes have to share (`l` above): more make prefixes longer and candidates fewer."""
_BLOCK = 400
_FIRST = 20
"""The likeliest candidates of a text are verified first; the rest only where none of these is a near copy."""

Tick = Callable[[int], None]
Copy = tuple[int, int, float]
"""(text, the one that it is a near copy of, Jaccard index)"""
Ints = np.ndarray[Any, np.dtype[np.int64]]


def search_every(rows: int) -> int:
    """Of so many rows each is searched, or every second, third ..."""
    return max(1, -(-rows // SEARCHED_ROWS))


def near_copies(
    texts: Sequence[str],
    groups: Sequence[Hashable],
    threshold: float,
    tick: Tick = lambda rows: None,
    every: int = 1,
) -> list[Copy]:
    """Texts that are near copies of an earlier one of their group, which is no copy itself. Above EXACT_TEXTS only each
    `every`th text is searched."""
    if len(texts) > EXACT_TEXTS:
        return _sketched(texts, groups, threshold, tick, every)
    members: dict[Hashable, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    found = []
    for numbers in members.values():
        pieces = _Pieces([texts[number] for number in numbers], threshold)
        found += [(numbers[one], numbers[other], alike) for one, other, alike in _copies(pieces, tick)]
    return sorted(found)


def copies_between(
    texts: Sequence[str], others: Sequence[str], threshold: float, tick: Tick = lambda rows: None
) -> list[Copy]:
    """Texts that are near copies of one of `others`, each once."""
    if not texts or not others:
        return []
    if len(texts) + len(others) > EXACT_TEXTS:
        return _sketched_between(texts, others, threshold, tick)
    pieces = _Pieces([*texts, *others], threshold)
    known = np.arange(len(texts), len(texts) + len(others))
    found: list[Copy] = []
    for start in range(0, len(texts), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(texts)))
        found += [(one, other - len(texts), alike) for one, other, alike in pieces.matches(rows, known)]
        tick(len(rows))
    return found


def jaccard(one: str, two: str) -> float:
    """The index that the exact search uses: character trigrams, case, punctuation and spacing aside."""
    first, second = trigrams(one), trigrams(two)
    return len(first & second) / len(first | second)


class _Pieces:
    """Texts as rows of a sparse matrix, a column for each trigram, and their prefixes: the rarest ones."""

    def __init__(self, texts: Iterable[str], threshold: float) -> None:
        from scipy.sparse import csr_matrix

        self.threshold = threshold
        known: dict[str, int] = {}
        columns, ends = array("i"), array("q", [0])
        for text in texts:
            columns.extend(known.setdefault(piece, len(known)) for piece in trigrams(text))
            ends.append(len(columns))
        pointers = np.frombuffer(ends, dtype=np.int64)
        raw = np.frombuffer(columns, dtype=np.int32)
        often = np.bincount(raw, minlength=len(known))
        rank = np.empty(len(known), dtype=np.int32)
        rank[np.lexsort((np.arange(len(known)), often))] = np.arange(len(known), dtype=np.int32)
        self.sizes = np.diff(pointers)
        owner = np.repeat(np.arange(len(self.sizes)), self.sizes)
        ranked = rank[raw][np.lexsort((rank[raw], owner))]
        shape = (len(self.sizes), max(1, len(known)))
        self.all = csr_matrix((np.ones(len(ranked), np.int32), ranked, pointers), shape=shape)
        least = np.ceil(threshold * self.sizes - 1e-9).astype(np.int64)
        self.shared = np.minimum(_SHARED, least)
        place = np.arange(len(ranked)) - np.repeat(pointers[:-1], self.sizes)
        first = place < (self.sizes - least + self.shared)[owner]
        starts = np.r_[0, np.cumsum(np.bincount(owner[first], minlength=len(self.sizes)))]
        self.prefixes = csr_matrix((np.ones(int(first.sum()), np.int32), ranked[first], starts), shape=shape)

    def __len__(self) -> int:
        return len(self.sizes)

    def matches(self, rows: Ints, known: Ints) -> list[Copy]:
        """For each of `rows` that is a near copy of one of `known` the most alike of those that were verified."""
        ones, others, counts = self._candidates(rows, known)
        order = np.lexsort((others, -counts, ones))
        ones, others = ones[order], others[order]
        starts = np.flatnonzero(np.r_[True, ones[1:] != ones[:-1]]) if len(ones) else np.empty(0, np.int64)
        place = np.arange(len(ones)) - np.repeat(starts, np.diff(np.r_[starts, len(ones)]))
        best = self._best(ones[place < _FIRST], others[place < _FIRST])
        rest = (place >= _FIRST) & ~np.isin(ones, np.fromiter(best, dtype=np.int64, count=len(best)))
        best |= self._best(ones[rest], others[rest])
        return [(one, *best[one]) for one in sorted(best)]

    def pairs(self, rows: Ints) -> list[Copy]:
        """All near copies among `rows`: (later, earlier, Jaccard index), by the later, the most alike first."""
        ones, others, _counts = self._candidates(rows, rows)
        ones, others = ones[others < ones], others[others < ones]
        alike = self.alike(ones, others)
        near = np.flatnonzero(alike >= self.threshold - 1e-9)
        order = near[np.lexsort((-alike[near], ones[near]))]
        return [(int(ones[at]), int(others[at]), float(alike[at])) for at in order]

    def _candidates(self, rows: Ints, known: Ints) -> tuple[Ints, Ints, Ints]:
        """Pairs whose prefixes share enough, and how much."""
        found = (self.prefixes[rows] @ self.prefixes[known].T).tocoo()
        ones, others, counts = rows[found.row], known[found.col], found.data
        small = np.minimum(self.sizes[ones], self.sizes[others])
        large = np.maximum(self.sizes[ones], self.sizes[others])
        enough = counts >= np.minimum(self.shared[ones], self.shared[others])
        keep = enough & (small >= self.threshold * large - 1e-9)
        return ones[keep], others[keep], counts[keep]

    def _best(self, ones: Ints, others: Ints) -> dict[int, tuple[int, float]]:
        alike = self.alike(ones, others)
        best: dict[int, tuple[int, float]] = {}
        for at in np.flatnonzero(alike >= self.threshold - 1e-9):
            one, value = int(ones[at]), float(alike[at])
            if one not in best or value > best[one][1]:
                best[one] = int(others[at]), value
        return best

    def alike(self, ones: Ints, others: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Jaccard indices of pairs."""
        parts = [np.empty(0)]
        for start in range(0, len(ones), 20_000):
            one, other = ones[start : start + 20_000], others[start : start + 20_000]
            shared = np.asarray(self.all[one].multiply(self.all[other]).sum(axis=1)).ravel()
            parts.append(shared / (self.sizes[one] + self.sizes[other] - shared))
        return np.concatenate(parts)


def _copies(pieces: _Pieces, tick: Tick) -> list[Copy]:
    """Block by block: first against the texts so far that are no copies, then those left within the block."""
    known = np.empty(0, dtype=np.int64)
    found: list[Copy] = []
    for start in range(0, len(pieces), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(pieces)))
        copies = pieces.matches(rows, known) if len(known) else []
        left = np.setdiff1d(rows, np.fromiter((copy[0] for copy in copies), dtype=np.int64, count=len(copies)))
        within = pieces.pairs(left)
        gone: set[int] = set()
        for one, other, alike in within:
            if one not in gone and other not in gone:
                gone.add(one)
                copies.append((one, other, alike))
        found += copies
        known = np.r_[known, [row for row in left.tolist() if row not in gone]].astype(np.int64)
        tick(len(rows))
    return found


def _sketched(texts: Sequence[str], groups: Sequence[Hashable], threshold: float, tick: Tick, every: int) -> list[Copy]:
    sketches = Sketches(texts, groups, threshold, tick)
    found = []
    for number in range(len(sketches)):
        if number % every or (copy := sketches.find(number)) is None:
            sketches.add(number)
        else:
            found.append((number, *copy))
        if number % _BLOCK == 0:
            tick(_BLOCK)
    return found


def _sketched_between(texts: Sequence[str], others: Sequence[str], threshold: float, tick: Tick) -> list[Copy]:
    sketches = Sketches(chain(others, texts), None, threshold, tick)
    for number in range(len(others)):
        sketches.add(number)
    found = []
    for number in range(len(texts)):
        if copy := sketches.find(len(others) + number):
            found.append((number, *copy))
        if number % _BLOCK == 0:
            tick(_BLOCK)
    return found
