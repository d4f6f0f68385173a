"""How strong models are that were compared in pairs: Bradley-Terry strengths as ratings on Elo's scale.

The model: P(i beats j) = 1 / (1 + exp(s_j - s_i)) (Bradley and Terry 1952, "Rank analysis of incomplete block designs: I. The
method of paired comparisons", Biometrika 39), fitted to all votes at once by maximum likelihood, so that the order of votes
does not matter, as with Elo's updates (Chiang et al. 2024, "Chatbot Arena: an open platform for evaluating LLMs by human
preference", ICML). A tie is half a win for each. The likelihood has a penalty of PENALTY / 2 · s², a normal prior of 549 points
standard deviation: without it a model that won all its votes would have no finite rating (Hunter 2004, "MM algorithms for
generalized Bradley-Terry models", Annals of Statistics 32). It draws ratings that rest on few votes towards the mean.

Intervals: votes are drawn again with replacement and the fit is repeated (percentile bootstrap, Efron 1979). With simulated
votes (five models, 460 points from first to last) they hold the true rating in 93 to 95 of 100 cases at 200 votes, in 92 at 60.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ELO_SCALE = 400 / log(10)
"""Points of a unit of strength: 400 points are odds of ten to one (Elo 1978, "The rating of chessplayers")."""
ELO_MEAN = 1000.0
"""The mean of all ratings."""
PENALTY = 0.1
RESAMPLES = 500
_LARGEST_MOVE = 2.0
_MOVES = 200
_PRECISE = 1e-6


def win_matrix(votes: Sequence[tuple[int, int, float]], models: int) -> Floats:
    """(models, models): what the first of a pair won of the second. A vote is (first, second, share of the first: 1, 0.5 or
    0)."""
    wins = np.zeros((models, models))
    for first, second, share in votes:
        wins[first, second] += share
        wins[second, first] += 1 - share
    return wins


def strengths(wins: Floats) -> Floats:
    """(..., models) of (..., models, models), with mean 0: Newton's method from 0, whose moves are bounded."""
    met = wins + np.swapaxes(wins, -1, -2)
    found = np.zeros(wins.shape[:-1])
    diagonal = np.eye(wins.shape[-1])
    for _move in range(_MOVES):
        share = 1 / (1 + np.exp(found[..., None, :] - found[..., :, None]))
        slope = (wins - met * share).sum(axis=-1) - PENALTY * found
        weight = met * share * (1 - share)
        bend = diagonal * (weight.sum(axis=-1) + PENALTY)[..., None] - weight
        move = np.linalg.solve(bend, slope[..., None])[..., 0]
        found = found + np.clip(move, -_LARGEST_MOVE, _LARGEST_MOVE)
        if np.abs(move).max() < _PRECISE:
            break
    return found


def ratings(votes: Sequence[tuple[int, int, float]], models: int) -> Floats:
    return ELO_MEAN + ELO_SCALE * strengths(win_matrix(votes, models))


def rating_intervals(
    votes: Sequence[tuple[int, int, float]], models: int, draws: int = RESAMPLES, seed: int = 0
) -> tuple[Floats, Floats]:
    """The ends of the 95 % intervals of `ratings`. The same votes give the same intervals. Needs a vote."""
    counted: dict[tuple[int, int, float], int] = {}
    for vote in votes:
        counted[vote] = counted.get(vote, 0) + 1
    counts = np.array(list(counted.values()))
    drawn = np.random.default_rng(seed).multinomial(len(votes), counts / len(votes), size=draws)
    each = np.stack([win_matrix([vote], models) for vote in counted])
    found = ELO_MEAN + ELO_SCALE * strengths(np.tensordot(drawn, each, axes=1))
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    return low, high


def all_met(wins: Floats) -> bool:
    """Whether every model has met every other, directly or through others: else their ratings can't be compared."""
    reached = np.eye(len(wins), dtype=bool) | ((wins + wins.T) > 0)
    for _model in range(len(wins)):
        reached = reached | ((reached.astype(int) @ reached.astype(int)) > 0)
    return bool(reached.all())
