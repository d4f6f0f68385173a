"""A sample of rows that keeps the shares of the classes, by numbers: for millions of rows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from backend.data.random_order import shuffled_places
from backend.data.split_keys import Codes


def sampled(content: NDArray[np.uint64], labels: Codes | None, count: int, seed: int) -> NDArray[np.bool_]:
    """Which rows are chosen: `count` of them, of each class as many as its share, at least one when `count` allows; all when
    `count` is 0 or no smaller than the rows. `content`: (rows, 2) fingerprints."""
    if not 0 < count < len(content):
        return np.ones(len(content), bool)
    found = np.zeros(len(content), bool)
    order = shuffled_places(content, seed)
    if labels is None:
        found[order[:count]] = True
        return found
    by_label = order[np.argsort(labels[order], kind="stable")]
    names, starts, sizes = np.unique(labels[by_label], return_index=True, return_counts=True)
    shares = quota({f"{name:09}": int(size) for name, size in zip(names, sizes, strict=True)}, count)
    for name, start in zip(names, starts, strict=True):
        found[by_label[start : start + shares[f"{name:09}"]]] = True
    return found


def quota(sizes: dict[str, int], count: int) -> dict[str, int]:
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
