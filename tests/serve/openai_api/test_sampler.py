"""Tokens from logits, and the probabilities that a client sees."""

from __future__ import annotations

from collections import Counter
from math import exp

import numpy as np
import pytest

from backend.serve.openai_api.sampler import Draw, chances, nucleus

LOGITS = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))


def test_zero_takes_the_likeliest_and_a_seed_repeats_itself() -> None:
    assert {Draw(0, 1, seed)(LOGITS) for seed in range(5)} == {0}
    draws = [[draw(LOGITS) for _ in range(20)] for draw in (Draw(1, 1, 3), Draw(1, 1, 3), Draw(1, 1, 4))]
    assert draws[0] == draws[1] != draws[2]


def test_draws_follow_the_probabilities() -> None:
    draw = Draw(1, 1, 0)
    counts = Counter(draw(LOGITS) for _ in range(4000))
    assert counts[0] / 4000 == pytest.approx(0.5, abs=0.03) and counts[3] / 4000 == pytest.approx(0.05, abs=0.02)
    cold = Draw(0.25, 1, 0)
    assert Counter(cold(LOGITS) for _ in range(500))[0] > 400
    assert Draw(1e-12, 1, 0)(LOGITS) == 0


def test_top_p_keeps_the_likeliest_that_reach_it() -> None:
    masses = np.array([0.15, 0.5, 0.05, 0.3])
    assert list(nucleus(masses, 0.5)) == [1]
    assert list(nucleus(masses, 0.6)) == [1, 3]
    assert list(nucleus(masses, 1.0)) == [1, 3, 0, 2]
    flat = np.ones(5000)
    assert len(nucleus(flat, 0.5)) == 2500
    draw = Draw(1, 0.6, 0)
    assert {draw(LOGITS) for _ in range(200)} == {0, 1}


def test_probabilities_are_those_of_a_softmax() -> None:
    own, top = chances(LOGITS + 7, 2, 2)
    assert exp(own) == pytest.approx(0.15, abs=1e-6)
    assert [token for token, _ in top] == [0, 1]
    assert [exp(log) for _, log in top] == pytest.approx([0.5, 0.3], abs=1e-6)
    assert chances(LOGITS, 0, 0)[1] == []
    assert len(chances(LOGITS, 0, 20)[1]) == 4
