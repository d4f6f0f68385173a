"""Log-probabilities and divergence against sums that are written out."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from backend.stats.logprobs import answer_logprobs, kl_divergences, log_softmax

RANDOM = np.random.default_rng(0)


def spelled(row: list[float]) -> list[float]:
    whole = sum(exp(each) for each in row)
    return [log(exp(each) / whole) for each in row]


def test_probabilities_are_those_of_a_softmax_however_large_the_logits() -> None:
    rows = RANDOM.normal(size=(3, 7)).astype(np.float32)
    assert log_softmax(rows) == pytest.approx(np.array([spelled(row) for row in rows.tolist()]))
    assert log_softmax(rows[0]) == pytest.approx(log_softmax(rows[0] + 5000), abs=1e-3)
    assert answer_logprobs(rows, [6, 0, 3]) == pytest.approx(
        [spelled(rows[at].tolist())[id] for at, id in enumerate((6, 0, 3))]
    )
    assert answer_logprobs(log_softmax(rows), [6, 0, 3]) == pytest.approx(answer_logprobs(rows, [6, 0, 3]))
    assert answer_logprobs(rows[:0], []).tolist() == []


def test_divergence_is_that_of_each_position_over_what_both_vocabularies_have() -> None:
    one, two = RANDOM.normal(size=(2, 130, 9)).astype(np.float32)
    found = kl_divergences(one, two)
    expected = [
        sum(exp(p) * (p - q) for p, q in zip(spelled(first), spelled(second), strict=True))
        for first, second in zip(one.tolist(), two.tolist(), strict=True)
    ]
    assert found == pytest.approx(expected)
    assert kl_divergences(one, one + 3) == pytest.approx(np.zeros(130), abs=1e-6)
    padded = np.concatenate([two, np.full((130, 3), 50, dtype=np.float32)], axis=1)
    assert kl_divergences(one, padded) == pytest.approx(expected)
    assert kl_divergences(two, one) != pytest.approx(expected)
