"""Clusters of near duplicates: the same as by comparing all pairs, with trigrams and with words."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.data import near_clusters as module
from backend.data.near_clusters import TooLarge, merged, near_clusters
from backend.data.near_duplicates import trigrams, words

WORDS = ["please", "could", "you", "bring", "the", "kettle", "radio", "to", "Marnfeld", "Gantry", "now", "today"]


def by_all_pairs(texts: list[str], threshold: float) -> list[int]:
    homes = list(range(len(texts)))
    for kind in (trigrams, lambda text: frozenset(words(text)) or frozenset([text.strip()])):
        sets = [kind(text) for text in texts]
        for one in range(len(texts)):
            for two in range(one):
                common = len(sets[one] & sets[two])
                if common >= threshold * len(sets[one] | sets[two]) - 1e-9:
                    old, new = homes[one], homes[two]
                    homes = [new if home == old else home for home in homes]
    return homes


def partition(labels: list[int]) -> set[frozenset[int]]:
    return {frozenset(at for at, label in enumerate(labels) if label == one) for one in labels}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=1, max_size=30),
    st.sampled_from([0.5, 0.8, 0.9]),
)
def test_the_same_as_all_pairs(texts: list[str], threshold: float) -> None:
    assert partition(near_clusters(texts, threshold).tolist()) == partition(by_all_pairs(texts, threshold))


def test_long_texts_and_small_portions_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    long = [" ".join(chance.choices(WORDS, k=60)) + f" order {chance.randint(0, 40)}" for _ in range(60)]
    texts = [*long, *(text.replace("kettle", "teapot") for text in long[:20])]
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 50)
    monkeypatch.setattr(module, "_PIECES_AT_ONCE", 500)
    monkeypatch.setattr(module, "_TEXTS_AT_ONCE", 7)
    assert partition(near_clusters(texts, 0.7).tolist()) == partition(by_all_pairs(texts, 0.7))


def test_signs_without_words_are_compared_as_they_are() -> None:
    found = near_clusters(["👍", "👎", "👍", "", "?"], 0.8)
    assert found[0] == found[2] and len(set(found.tolist())) == 4


def test_threshold_one_joins_equal_texts_only() -> None:
    found = near_clusters(["Turn on the lamp!", "turn on, the LAMP", "turn on the lamps"], 1)
    assert found[0] == found[1] != found[2]


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    near_clusters([f"bring the kettle to {name} now" for name in WORDS], 0.5, seen.append)
    assert seen == sorted(seen) and seen[-1] == 1


@pytest.mark.parametrize("limit", ["MAX_TEXTS", "MAX_PIECES", "MAX_PAIRS"])
def test_too_much_is_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, limit, 2)
    with pytest.raises(TooLarge):
        near_clusters([f"bring the kettle to {name} now" for name in WORDS], 0.5)


def test_merging_follows_chains() -> None:
    found = merged(np.arange(6, dtype=np.int32), np.array([0, 1, 4]), np.array([1, 2, 5])).tolist()
    assert partition(found) == {frozenset({0, 1, 2}), frozenset({3}), frozenset({4, 5})}
