"""Which rows are for training, validation and test: numbers in, numbers out, for millions of rows.

What decides is the seed and the content of a row, not its place in the file. Rows that belong together stay on one side:
equal inputs, groups and conversations always; a shared context and near duplicates unless that leaves nothing to divide, which
is then said. A class that has four clusters or more is in every split, one that has a single cluster stays in train.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.core.errors import Problem
from backend.data.near_clusters import MAX_TEXTS
from backend.data.row_clusters import Clusters, cluster_rows
from backend.data.split_keys import Codes
from backend.data.split_rows import TEST, TRAIN, SplitOptions, SplitRows

_SURE = 4
"""A class of so many clusters is in every split."""
_ALWAYS = 10
"""With so many clusters in all no split that is asked for stays empty."""

Each = Callable[[float], None]


@dataclass
class Assignment:
    """`codes`: TRAIN, VALIDATION or TEST for each row; `near_checked`: whether near duplicates were looked for; `clusters`:
    how many there are that could not be divided; `problems`: what is to be said about it, nothing of it blocking."""

    codes: NDArray[np.int8]
    near_checked: bool
    clusters: int
    problems: list[Problem] = field(default_factory=list)


def assign(rows: SplitRows, options: SplitOptions, each: Each = lambda done: None) -> Assignment:
    """Divide the rows. A split may stay empty where there are fewer than ten clusters; the caller says so. `each` is called
    with the share of the search for near duplicates that is done."""
    found = cluster_rows(rows, options, each)
    table = _ClusterTable.of(rows, found.codes, options.seed)
    problems = list(found.problems)
    column = rows.given is not None and bool((rows.given > TRAIN).any())
    if column and rows.given is not None:
        codes = _by_column(rows, rows.given, found.codes, table, options, problems)
    elif rows.times is not None:
        codes = _by_time(rows.times, found.codes, table, options.shares, problems)[found.codes]
    else:
        codes = _at_random(table, options.shares, options.seed)[found.codes]
    problems += [] if column else _copies(found, codes)
    return Assignment(codes, found.near_checked, len(table.sizes), problems)


@dataclass
class _ClusterTable:
    """The clusters by number: rows, label, and place in the random order; `names` of the labels."""

    sizes: NDArray[np.int32]
    labels: NDArray[np.int32]
    places: NDArray[np.int32]
    names: Sequence[str]

    @classmethod
    def of(cls, rows: SplitRows, codes: Codes, seed: int) -> _ClusterTable:
        sizes = np.bincount(codes).astype(np.int32)
        places = np.empty(len(sizes), np.int32)
        places[random_order(seed, _least(rows.content, codes, sizes), len(rows) > MAX_TEXTS)] = np.arange(len(sizes))
        labels = np.zeros(len(sizes), np.int32) if rows.labels is None else _commonest(rows.labels, codes)
        return cls(sizes, labels, places, ("",) if rows.labels is None else rows.label_names)

    def only(self, kept: NDArray[np.bool_]) -> _ClusterTable:
        return _ClusterTable(self.sizes[kept], self.labels[kept], self.places[kept], self.names)


def _least(content: NDArray[np.uint64], codes: Codes, sizes: NDArray[np.int32]) -> NDArray[np.uint64]:
    """(clusters, 2): the smallest fingerprint of each cluster; of many rows by its first half alone, which saves a sort."""
    if len(codes) > MAX_TEXTS:
        first = np.full(len(sizes), np.iinfo(np.uint64).max)
        alone = sizes[codes] == 1
        first[codes[alone]] = content[alone, 0]
        np.minimum.at(first, codes[~alone], content[~alone, 0])  # is slow
        return np.broadcast_to(first[:, None], (len(first), 2))
    order = np.lexsort((content[:, 1], content[:, 0], codes))
    least: NDArray[np.uint64] = content[order[np.cumsum(sizes) - sizes]]
    return least


def _commonest(labels: Codes, codes: Codes) -> NDArray[np.int32]:
    """The label that most rows of a cluster have, of equals the first."""
    found = np.zeros(int(codes.max(initial=-1)) + 1, np.int32)
    if len(found) == len(codes):  # every row by itself: no sorting, a third of the memory
        found[codes] = labels
        return found
    width = int(labels.max(initial=0)) + 1
    pairs, counts = np.unique(codes.astype(np.int64) * width + labels, return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // width))
    cluster, first = np.unique((pairs // width)[order], return_index=True)
    found[cluster] = (pairs % width)[order][first]
    return found


def _at_random(table: _ClusterTable, shares: dict[int, float], seed: int) -> NDArray[np.int8]:
    """The split of each cluster; each class is divided by itself, what one lacks the next makes up for."""
    found = np.zeros(len(table.sizes), np.int8)
    owed = dict.fromkeys(shares, 0.0)
    places = int(table.places.max(initial=0)) + 1  # more than there are clusters, where only some are divided
    by_label = np.argsort(table.labels.astype(np.int64) * places + table.places)
    bounds = np.searchsorted(table.labels[by_label], np.arange(len(table.names) + 1))
    for label in sorted(range(len(table.names)), key=lambda label: _rank(seed, table.names[label])):
        left = by_label[bounds[label] : bounds[label + 1]]
        size, sure = int(table.sizes[left].sum()), len(left) >= _SURE
        for split, share in shares.items():
            owed[split] += size * share
            taken = _take(table.sizes[left], owed[split], sure and share > 0)
            owed[split] -= int(table.sizes[left[taken]].sum())
            found[left[taken]] = split
            left = left[found[left] == TRAIN]
    _fill_empty(found, table, shares)
    return found


def _take(sizes: NDArray[np.int32], owed: float, sure: bool) -> list[int]:
    """The places of clusters worth about `owed` rows, never all of them; `sure` takes at least the smallest."""
    taken: list[int] = []
    for place, size in enumerate(sizes.tolist()):
        if owed < 0.5 or (len(taken) == place == len(sizes) - 1):
            break
        if owed * 2 >= size:
            taken.append(place)
            owed -= size
    if sure and not taken:
        taken.append(int(sizes.argmin()))
    return taken


def _fill_empty(found: NDArray[np.int8], table: _ClusterTable, shares: dict[int, float]) -> None:
    """A split without a cluster gets the smallest of a class that keeps another in train."""
    for split, share in shares.items():
        if not share or len(found) < _ALWAYS or (found == split).any():
            continue
        train = np.flatnonzero(found == TRAIN)
        several = train[np.bincount(table.labels[train])[table.labels[train]] > 1]
        if len(several):
            found[several[np.lexsort((table.places[several], table.sizes[several]))[0]]] = split


def _by_time(
    times: NDArray[np.float64], codes: Codes, table: _ClusterTable, shares: dict[int, float], problems: list[Problem]
) -> NDArray[np.int8]:
    """The newest clusters are the test, the next the validation; a cluster is as new as its newest row."""
    known = np.where(np.isnan(times), -np.inf, times)
    newest = np.full(len(table.sizes), -np.inf)
    np.maximum.at(newest, codes, known)
    left = np.lexsort((table.places, -newest))
    found = np.zeros(len(table.sizes), np.int8)
    for split, share in shares.items():
        taken = _take(table.sizes[left], len(times) * share, share > 0 and len(left) > 1)
        found[left[taken]] = split
        left = np.delete(left, taken)
    unknown = int(np.isnan(times).sum())
    if unknown:
        problems.append(Problem(code="split.no_time", args={"count": unknown}, blocking=False))
    later = int(((found[codes] == TRAIN) & (known > newest[found == TEST].min(initial=np.inf))).sum())
    if later:
        problems.append(Problem(code="split.later_training", args={"count": later}, blocking=False))
    return found


def _by_column(
    rows: SplitRows,
    given: NDArray[np.int8],
    codes: Codes,
    table: _ClusterTable,
    options: SplitOptions,
    problems: list[Problem],
) -> NDArray[np.int8]:
    """The given splits stay as they are, leaks are counted; a split that the column doesn't name is taken from its training
    rows."""
    held = np.zeros(len(table.sizes), np.int8)
    np.maximum.at(held, codes, given)
    free = held == TRAIN
    shares = {split: 0.0 if (given == split).any() else share for split, share in options.shares.items()}
    held[free] = _at_random(table.only(free), shares, options.seed)
    found = np.where((given >= 0) & ~free[codes], given, held[codes]).astype(np.int8)
    leaks = (found == TRAIN) & (held[codes] > TRAIN)
    if leaks.any():
        equal = np.zeros(int(rows.equal.max()) + 1, bool)
        equal[rows.equal[found > TRAIN]] = True
        args = {"count": int(leaks.sum()), "same": int((leaks & equal[rows.equal]).sum())}
        problems.append(Problem(code="split.column_leaks", args=args, blocking=False))
    return found


def _copies(found: Clusters, codes: NDArray[np.int8]) -> list[Problem]:
    """Test rows that may have a near copy in training, where near duplicates could not be kept together."""
    if found.wide is None:
        return []
    trained = np.zeros(int(found.wide.max()) + 1, bool)
    trained[found.wide[codes == TRAIN]] = True
    test = codes == TEST
    count = int((trained[found.wide] & test).sum())
    args = {"count": count, "rows": int(test.sum())}
    return [Problem(code="split.near_copies", args=args, blocking=False)] if count else []


def random_order(seed: int, keys: NDArray[np.uint64], large: bool) -> NDArray[np.int64]:
    """The places of `keys`, (n, 2), in a random order that follows from the keys alone; equal ones stay in theirs. `large`: by
    arithmetic (splitmix64, Steele et al. 2014)."""
    if not large:
        found = _ranks(seed, keys)
        return np.lexsort((found[:, 1], found[:, 0]))
    mixed = _mixed(keys[:, 0] ^ np.uint64(int(_rank(seed, "")[:16], 16)))
    order = np.argsort(mixed)
    found = mixed[order]
    return np.argsort(mixed, kind="stable") if (found[1:] == found[:-1]).any() else order  # the stable one is slower


def _ranks(seed: int, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    digests = [bytes.fromhex(_rank(seed, f"{high:016x}{low:016x}")) for high, low in keys.tolist()]
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)


def _mixed(values: NDArray[np.uint64]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _rank(seed: int, text: str) -> str:
    return hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=16).hexdigest()
