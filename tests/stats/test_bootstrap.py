"""The interval of a mean over rows and seeds: hand-computed variances, and how often it holds the truth."""

from __future__ import annotations

import numpy as np
import pytest

from backend.stats.bootstrap import bootstrap_interval

Z = 1.959964


def half(values: np.ndarray) -> float:
    low, high = bootstrap_interval(values)
    assert low <= values.mean() <= high
    return (high - low) / 2


def test_one_seed_draws_rows_alone() -> None:
    """60 of 100 right: the standard error of the share is sqrt(0.6 x 0.4 / 100) = 0.049."""
    values = np.repeat([[1.0, 0.0]], [60, 40], axis=1)
    assert half(values) == pytest.approx(Z * 0.04899, rel=0.05)


def test_two_seeds_count_their_difference_in_full() -> None:
    """Rows are equal, so only seeds differ: 0.2 and 0.4, and half of the draws give each."""
    assert bootstrap_interval(np.array([[0.2] * 50, [0.4] * 50])) == pytest.approx((0.2, 0.4))


def test_one_seed_fewer_is_drawn() -> None:
    """Four of five seeds are drawn: with a chance of 2.7 % the odd one at least three times, so the upper end is 3 / 4. Of five
    draws it would be 3 / 5."""
    values = np.array([[0.0] * 50] * 4 + [[1.0] * 50])
    assert bootstrap_interval(values) == pytest.approx((0.0, 0.75))


def test_seeds_and_rows_add_up() -> None:
    """Variance of the mean: 0.25 / 400 of rows and s^2 / 5 = 0.0016 / 5 of seeds, s^2 from the seeds' means."""
    shifts = np.array([-0.05, -0.03, 0.0, 0.03, 0.05])[:, None]
    rows = np.repeat([1.0, 0.0], 200)[None, :]
    variance = 0.25 / 400 + np.var(shifts, ddof=1) / 5
    assert half(rows + shifts) == pytest.approx(Z * variance**0.5, rel=0.05)


def test_the_same_values_give_the_same_interval_and_equal_ones_a_point() -> None:
    values = np.random.default_rng(3).random((3, 80))
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval(np.zeros((3, 80))) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("seeds", "spread", "least"), [(1, 0.0, 0.92), (3, 0.0, 0.93), (3, 0.02, 0.92), (5, 0.03, 0.92)]
)
def test_the_interval_holds_the_truth(seeds: int, spread: float, least: float) -> None:
    """Two models on 250 rows of different difficulty, 3 points apart, whose seeds differ by `spread`."""
    random, gap, cases = np.random.default_rng(1), 0.03, 250
    held = []
    for _ in range(cases):
        chance = 0.7 + random.normal(0, 0.1, 250) + random.normal(0, spread, (2, seeds, 1))
        chance[0] += gap
        right = (random.random((2, seeds, 250)) < chance).astype(float)
        low, high = bootstrap_interval(right[0] - right[1], draws=400)
        held.append(low <= gap <= high)
    assert least <= np.mean(held) < 1.0
