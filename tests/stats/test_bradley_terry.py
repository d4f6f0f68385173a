"""Bradley-Terry ratings: the right ones, whatever the order, finite, with intervals that hold what they say."""

from __future__ import annotations

from math import log10

import numpy as np

from backend.stats.bradley_terry import all_met, rating_intervals, ratings, win_matrix

Votes = list[tuple[int, int, float]]
TRUE = np.array([1300.0, 1140.0, 1000.0, 860.0, 700.0])


def simulated(random: np.random.Generator, count: int, ties: float = 0.2) -> Votes:
    """Votes whose expected share of the first is that of the model, some of them ties."""
    made: Votes = []
    for _vote in range(count):
        first, second = (int(each) for each in random.choice(len(TRUE), 2, replace=False))
        p = 1 / (1 + 10 ** ((TRUE[second] - TRUE[first]) / 400))
        tie, drawn = 4 * ties * p * (1 - p), random.random()
        made.append((first, second, 1.0 if drawn < p - tie / 2 else 0.5 if drawn < p + tie / 2 else 0.0))
    return made


def test_two_hundred_votes_recover_the_ranking() -> None:
    votes = simulated(np.random.default_rng(0), 200)
    found = ratings(votes, 5)
    assert list(np.argsort(-found)) == [0, 1, 2, 3, 4] and abs(found.mean() - 1000) < 1e-6
    low, high = rating_intervals(votes, 5)
    assert ((low < found) & (found < high)).all()
    again = [(second, first, 1 - share) for first, second, share in reversed(votes)]
    assert np.allclose(ratings(again, 5), found, atol=1e-3), "neither the order nor the side of a vote matters"


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(0)
    held = []
    for seed in range(40):
        low, high = rating_intervals(simulated(random, 200), 5, draws=120, seed=seed)
        held.append((low <= TRUE) & (high >= TRUE))
    assert 0.88 <= np.mean(held) <= 0.99, "95 %, give or take what 200 intervals of 120 draws can tell"


def test_two_models_differ_by_the_odds_of_their_votes() -> None:
    many: Votes = [(0, 1, 1.0)] * 3000 + [(0, 1, 0.0)] * 1000
    first, second = ratings(many, 2)
    assert abs((first - second) - 400 * log10(3)) < 0.1
    ties: Votes = [(0, 1, 0.5)] * 9
    assert np.allclose(ratings(ties, 2), 1000)


def test_who_won_all_stays_finite_and_who_never_met_is_told() -> None:
    votes: Votes = [(0, 1, 1.0)] * 30
    first, _second = ratings(votes, 2)
    assert 1200 < first < 1800 and np.isfinite(rating_intervals(votes, 2)).all()
    assert all_met(win_matrix([*votes, (1, 2, 0.5)], 3)), "through another one"
    assert not all_met(win_matrix([*votes, (2, 3, 1.0)], 4))
