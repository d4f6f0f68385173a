"""Tokens from logits, and the log-probabilities that a client sees."""

from __future__ import annotations

from collections import Counter
from math import exp

import numpy as np
import pytest

from backend.inference.sampler import Sampler, logprobs, nucleus

LOGITS = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))


def test_zero_takes_the_likeliest_and_a_seed_repeats_itself() -> None:
    assert {Sampler(0, 1, seed)(LOGITS) for seed in range(5)} == {0}
    draws = [[sampler(LOGITS) for _ in range(20)] for sampler in (Sampler(1, 1, 3), Sampler(1, 1, 3), Sampler(1, 1, 4))]
    assert draws[0] == draws[1] != draws[2]


def test_every_integer_is_a_seed() -> None:
    assert Sampler(1, 1, -1)(LOGITS) == Sampler(1, 1, 2**64 - 1)(LOGITS)


def test_a_large_vocabulary_is_drawn_from_as_a_small_one() -> None:
    """By blocks: the sums of all of them and the last, shorter one must meet."""
    logits = np.full(1000, -50, dtype=np.float32)
    logits[[3, 255, 256, 700, 999]] = np.log([0.1, 0.2, 0.3, 0.25, 0.15])
    sampler = Sampler(1, 1, 0)
    counts = Counter(sampler(logits) for _ in range(8000))
    assert {token: round(count / 8000, 1) for token, count in counts.items()}.keys() == {3, 255, 256, 700, 999}
    for token, share in ((3, 0.1), (255, 0.2), (256, 0.3), (700, 0.25), (999, 0.15)):
        assert counts[token] / 8000 == pytest.approx(share, abs=0.02)
    assert Sampler(0.5, 0.9, 7)(logits.astype(np.float16)) in (255, 256, 700)


def test_draws_follow_the_probabilities() -> None:
    draw = Sampler(1, 1, 0)
    counts = Counter(draw(LOGITS) for _ in range(4000))
    assert counts[0] / 4000 == pytest.approx(0.5, abs=0.03) and counts[3] / 4000 == pytest.approx(0.05, abs=0.02)
    cold = Sampler(0.25, 1, 0)
    assert Counter(cold(LOGITS) for _ in range(500))[0] > 400
    assert {Sampler(coldest, 1, 0)(LOGITS) for coldest in (1e-12, 1e-300)} == {0}


def test_top_p_keeps_the_likeliest_that_reach_it() -> None:
    masses = np.array([0.15, 0.5, 0.05, 0.3])
    assert list(nucleus(masses, 0.5)) == [1]
    assert list(nucleus(masses, 0.6)) == [1, 3]
    assert list(nucleus(masses, 1.0)) == [1, 3, 0, 2]
    flat = np.ones(5000)
    assert len(nucleus(flat, 0.5)) == 2500
    draw = Sampler(1, 0.6, 0)
    assert {draw(LOGITS) for _ in range(200)} == {0, 1}


def test_probabilities_are_those_of_a_softmax() -> None:
    own, top = logprobs(LOGITS + 7, 2, 2)
    assert exp(own) == pytest.approx(0.15, abs=1e-6)
    assert [token for token, _ in top] == [0, 1]
    assert [exp(log) for _, log in top] == pytest.approx([0.5, 0.3], abs=1e-6)
    assert logprobs(LOGITS, 0, 0)[1] == []
    assert len(logprobs(LOGITS, 0, 20)[1]) == 4
