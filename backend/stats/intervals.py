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


def paired_difference_interval(both: int, only_first: int, only_second: int, neither: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares counted on the same rows, first minus second (Newcombe 1998, "Improved
    confidence intervals for the difference between binomial proportions based on paired data", Statistics in Medicine 17,
    method 10 without its continuity correction). No rows: (-1, 1)."""
    n = both + only_first + only_second + neither
    if not n:
        return -1.0, 1.0
    first, second = (both + only_first) / n, (both + only_second) / n
    (low1, high1), (low2, high2) = wilson_interval(both + only_first, n), wilson_interval(both + only_second, n)
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    phi = (both * neither - only_first * only_second) / sqrt(product) if product else 0.0
    below = sqrt((first - low1) ** 2 - 2 * phi * (first - low1) * (high2 - second) + (high2 - second) ** 2)
    above = sqrt((high1 - first) ** 2 - 2 * phi * (high1 - first) * (second - low2) + (second - low2) ** 2)
    return max(-1.0, first - second - below), min(1.0, first - second + above)
