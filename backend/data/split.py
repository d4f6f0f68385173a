"""A random order of examples that follows from seed and content, and how many of each class are in a sample."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from backend.data.examples import Example


def shuffled(rows: Sequence[Example], seed: int) -> list[Example]:
    """The rows in an order that follows from seed and content alone."""
    return sorted(rows, key=lambda row: (_rank(seed, row.key), row.output or "", row.place))


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


def _rank(seed: int, text: str) -> str:
    return hashlib.blake2b(f"{seed}\x1f{text}".encode(), digest_size=16).hexdigest()
