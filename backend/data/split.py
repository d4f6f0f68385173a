"""Divides examples into train, validation, test and pool.

What decides is the seed and the content of a row, not its place in the file. Rows of one group, and rows with the same
input, stay together, so that nothing of the test was seen in training.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from backend.data.examples import Example

Splits = dict[str, list[Example]]


def shuffled(rows: Sequence[Example], seed: int) -> list[Example]:
    """The rows in an order that follows from seed and content alone."""
    return sorted(rows, key=lambda row: (_rank(seed, row.key), row.output or "", row.place))


def split(rows: list[Example], validation: float, test: float, labels: bool, seed: int) -> Splits:
    """`validation` and `test` are fractions of the rows. With `labels` each class is divided by itself: one that has four
    groups or more is in every split, one that has a single group stays in train."""
    strata: dict[str, list[_Cluster]] = defaultdict(list)
    for cluster in _clusters(rows):
        strata[cluster.label if labels else ""].append(cluster)
    found: Splits = {"train": [], "validation": [], "test": []}
    owed = {"test": 0.0, "validation": 0.0}
    shares = {"test": test, "validation": validation}
    for label in sorted(strata, key=lambda name: _rank(seed, name)):
        clusters = sorted(strata[label], key=lambda cluster: _rank(seed, cluster.key))
        size = sum(len(cluster.rows) for cluster in clusters)
        sure = len(clusters) >= 4
        for name, share in shares.items():
            owed[name] += size * share
            taken, clusters = _take(clusters, owed[name], sure and share > 0)
            owed[name] -= sum(len(cluster.rows) for cluster in taken)
            found[name] += [row for cluster in taken for row in cluster.rows]
        found["train"] += [row for cluster in clusters for row in cluster.rows]
    return found


def sample(rows: list[Example], count: int, labels: bool, seed: int) -> tuple[list[Example], list[Example]]:
    """(chosen, left): `count` rows, of each class as many as its share, at least one when `count` allows; 0: all."""
    if not 0 < count < len(rows):
        return rows, []
    ordered = shuffled(rows, seed)
    groups: dict[str, list[Example]] = defaultdict(list)
    for row in ordered:
        groups[(row.output or "") if labels else ""].append(row)
    quota = _quota({label: len(members) for label, members in groups.items()}, count)
    chosen = {id(row) for label, members in groups.items() for row in members[: quota[label]]}
    return [row for row in ordered if id(row) in chosen], [row for row in ordered if id(row) not in chosen]


@dataclass(eq=False)
class _Cluster:
    rows: list[Example] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        return min(row.key for row in self.rows)

    @property
    def label(self) -> str:
        counts = Counter(row.output or "" for row in self.rows)
        return min(counts, key=lambda label: (-counts[label], label))


def _clusters(rows: list[Example]) -> list[_Cluster]:
    """Rows that share a group or an input, directly or through others (union-find)."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for row in rows:
        if row.group:
            parent[root(f"i{row.key}")] = root(f"g{row.group}")
    clusters: dict[str, _Cluster] = defaultdict(_Cluster)
    for row in rows:
        clusters[root(f"i{row.key}")].rows.append(row)
    return list(clusters.values())


def _take(clusters: list[_Cluster], owed: float, sure: bool) -> tuple[list[_Cluster], list[_Cluster]]:
    """(taken, left): clusters worth about `owed` rows, never all of them; `sure` takes at least the smallest."""
    taken: list[_Cluster] = []
    left: list[_Cluster] = []
    for index, cluster in enumerate(clusters):
        last = not left and index == len(clusters) - 1
        if not last and owed >= 0.5 and owed * 2 >= len(cluster.rows):
            taken.append(cluster)
            owed -= len(cluster.rows)
        else:
            left.append(cluster)
    if sure and not taken:
        smallest = min(range(len(left)), key=lambda index: len(left[index].rows))
        taken.append(left.pop(smallest))
    return taken, left


def _quota(sizes: dict[str, int], count: int) -> dict[str, int]:
    """`count` places shared out by size (largest remainder), each class at least one while places last."""
    total = sum(sizes.values())
    exact = {label: count * size / total for label, size in sizes.items()}
    quota = {label: min(sizes[label], max(1, math.floor(share))) for label, share in exact.items()}
    by_rest = sorted(sizes, key=lambda label: (math.floor(exact[label]) - exact[label], label))
    while (missing := count - sum(quota.values())) > 0:
        for label in [label for label in by_rest if quota[label] < sizes[label]][:missing]:
            quota[label] += 1
    by_size = sorted(sizes, key=lambda label: (-quota[label], label))
    while (extra := sum(quota.values()) - count) > 0:
        largest = [label for label in by_size if quota[label] > 1] or by_size
        for label in [label for label in largest if quota[label] > 0][:extra]:
            quota[label] -= 1
    return quota


def _rank(seed: int, text: str) -> str:
    return hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=16).hexdigest()
