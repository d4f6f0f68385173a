"""How sure a share is that was counted on a few rows."""

from __future__ import annotations

from math import ceil, sqrt

Z95 = 1.959964


def wilson_interval(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """95 % interval of a share, honest for small n and for shares near 0 and 1."""
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def rows_needed(share: float, half: float, z: float = Z95) -> int:
    """How many rows have to be counted until the interval around `share` is about `half` to each side (n = z² p (1 - p) / h²,
    with p no nearer to 0 or 1 than `half`, where that formula promises too much)."""
    share = min(max(share, half), 1 - half)
    return ceil(z * z * share * (1 - share) / (half * half))
