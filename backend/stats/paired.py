"""Whether two models that answered the same rows differ by more than chance."""

from __future__ import annotations

from math import comb


def mcnemar_p(only_first: int, only_second: int) -> float:
    """The exact McNemar test, two-sided: how likely a difference at least this large is when both are equally good. Takes the
    rows that only one of them got right (McNemar 1947, Psychometrika 12(2); the binomial form is exact for few rows)."""
    differ, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(comb(differ, k) for k in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << differ))
