"""Near copies: equal to the exact index of trigrams, and by sketches above its limit."""

from __future__ import annotations

import random
from itertools import product

import pytest

from backend.data.gates import near_pairs
from backend.data.gates.near_pairs import copies_between, jaccard, near_copies


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Orders whose parts vary: many pairs on both sides of any threshold."""
    things = ("kettle", "carpet", "teapot", "mirrors", "window", "garden lamp", "bottle", "bicycle")
    places = ("kitchen", "cellar", "office upstairs", "garage", "living room")
    parts = product(things, places, ("", "now!", "soon"))
    made = [f"please put the {thing} into the {place} {end}" for thing, place, end in parts]
    random.Random(4).shuffle(made)
    return made


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 1.0])
def test_a_text_is_a_copy_when_an_earlier_one_that_stays_is_alike(texts: list[str], threshold: float) -> None:
    kept: list[int] = []
    expected = set()
    for at, text in enumerate(texts):
        if any(jaccard(text, texts[other]) >= threshold - 1e-9 for other in kept):
            expected.add(at)
        else:
            kept.append(at)
    found = near_copies(texts, [""] * len(texts), threshold)
    assert {one for one, _other, _alike in found} == expected
    assert all(
        other in kept and alike == pytest.approx(jaccard(texts[one], texts[other])) for one, other, alike in found
    )


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.95])
def test_copies_of_another_split_are_all_found(texts: list[str], threshold: float) -> None:
    mine, others = texts[:40], texts[40:]
    expected = {at for at, text in enumerate(mine) if any(jaccard(text, other) >= threshold for other in others)}
    assert {one for one, _other, _alike in copies_between(mine, others, threshold)} == expected


def test_only_texts_of_one_group_are_compared() -> None:
    assert near_copies(["turn on the lamp", "turn on the lamp!"], ["a", "b"], 0.8) == []
    assert near_copies(["turn on the lamp", "turn on the lamp!"], ["a", "a"], 0.8) == [(1, 0, 1.0)]


def test_sketches_find_the_same_above_the_limit(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    exact = {one for one, _other, _alike in near_copies(texts, [""] * len(texts), 0.85)}
    between = {one for one, _other, _alike in copies_between(texts[:40], texts[40:], 0.85)}
    monkeypatch.setattr(near_pairs, "EXACT_TEXTS", 10)
    assert {one for one, _other, _alike in near_copies(texts, [""] * len(texts), 0.85)} == exact
    assert {one for one, _other, _alike in copies_between(texts[:40], texts[40:], 0.85)} == between


def test_of_very_many_texts_each_second_is_searched(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    twice, groups = [text for text in texts for _ in range(3)], [""] * 3 * len(texts)
    monkeypatch.setattr(near_pairs, "EXACT_TEXTS", 10)
    monkeypatch.setattr(near_pairs, "SEARCHED_ROWS", 100)
    assert [near_pairs.search_every(rows) for rows in (1, 100, 101, 500)] == [1, 1, 2, 5]
    found = {one for one, _other, _alike in near_copies(twice, groups, 1.0, every=2)}
    assert found == {one for one, _other, _alike in near_copies(twice, groups, 1.0) if one % 2 == 0}


def test_texts_without_words_do_no_harm() -> None:
    assert near_copies(["", "!", "", "a"], [""] * 4, 0.8) == [(2, 0, 1.0)]
    assert copies_between([], ["a"], 0.8) == copies_between(["a"], [], 0.8) == []
