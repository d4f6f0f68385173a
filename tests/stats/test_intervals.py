"""Intervals of shares hold the truth about as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from backend.stats.intervals import paired_difference_interval, wilson_interval


@pytest.mark.parametrize("cells", [(0.6, 0.2, 0.1, 0.1), (0.85, 0.08, 0.02, 0.05), (0.3, 0.3, 0.3, 0.1)])
def test_paired_interval_holds_the_truth(cells: tuple[float, ...]) -> None:
    random = np.random.default_rng(1)
    truth, held, n = cells[1] - cells[2], 0, 120
    draws = random.multinomial(n, cells, size=1500)
    for both, first, second, neither in draws.tolist():
        low, high = paired_difference_interval(both, first, second, neither)
        held += low <= truth <= high
    assert 0.93 <= held / len(draws) <= 0.98


def test_paired_interval_at_its_ends() -> None:
    low, high = paired_difference_interval(20, 0, 0, 0)
    assert low < 0 < high and high < 0.2, "twenty equal answers still leave room"
    assert paired_difference_interval(0, 0, 0, 0) == (-1.0, 1.0)
    low, high = paired_difference_interval(3, 9, 1, 7)
    back = paired_difference_interval(3, 1, 9, 7)
    assert (-high, -low) == pytest.approx(back), "the other way round it is the same interval"


def test_rows_that_go_together_make_the_interval_narrower() -> None:
    apart, together = paired_difference_interval(25, 25, 25, 25), paired_difference_interval(45, 5, 5, 45)
    assert together[1] - together[0] < apart[1] - apart[0]


def test_wilson_interval_is_that_of_the_textbook() -> None:
    assert wilson_interval(15, 148) == pytest.approx(
        (0.0624, 0.1605), abs=5e-5
    )  # Newcombe 1998, Statistics in Medicine 17
