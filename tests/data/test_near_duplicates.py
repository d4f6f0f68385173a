"Near duplicates against brute force, and figures of variety by hand."

from __future__ import annotations

import random

import pytest

from backend.data.near_duplicates import NearDuplicateIndex, distinct_n, near_duplicate_share, trigrams


def jaccard(one: str, two: str) -> float:
    a, b = trigrams(one), trigrams(two)
    return len(a & b) / len(a | b)


def sentences(count: int) -> list[str]:
    draw = random.Random(1)
    words = ["turn", "on", "off", "the", "kitchen", "bedroom", "light", "lamp", "please", "dim", "garage", "enciende"]
    return [" ".join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("known_before", [True, False])
def test_the_search_finds_what_comparing_all_finds(threshold: float, known_before: bool) -> None:
    texts = sentences(250)
    near = NearDuplicateIndex(threshold, texts if known_before else ())
    hits = 0
    for at, text in enumerate(texts):
        found, best = near.find(text), max((jaccard(text, other) for other in texts[:at]), default=0.0)
        assert (found is not None) == (best >= threshold - 1e-9)
        if found:
            hits += 1
            assert found[1] == pytest.approx(best) == pytest.approx(jaccard(text, texts[int(found[0])]))
        near.add(str(at), text)
    assert 0 < hits < 250


def test_case_punctuation_and_width_do_not_count_and_letters_do() -> None:
    near = NearDuplicateIndex(1.0)
    near.add("a", "Turn on,  the LIGHT!")
    assert near.find("turn on the light") == ("a", 1.0)
    assert near.find("ｔｕｒｎ on the light") == ("a", 1.0)
    assert near.find("turn on the lights") is None
    near.add("b", "مرحبا 你好")
    assert near.find("مرحبا، 你好") == ("b", 1.0)


def test_only_texts_of_one_group_are_compared() -> None:
    near = NearDuplicateIndex(0.8)
    near.add("a", "turn on the light", "on")
    assert near.find("turn on the light", "on") and not near.find("turn on the light", "off")


def test_texts_without_words_are_compared_as_they_are() -> None:
    near = NearDuplicateIndex(0.9)
    near.add("a", "🎁")
    assert near.find("🎁") and near.find("🔥") is None and near.find("") is None


def test_a_huge_text_is_compared_by_its_beginning() -> None:
    near = NearDuplicateIndex(0.9)
    near.add("a", "lorem ipsum " * 20_000)
    assert near.find("lorem ipsum " * 30_000)


def test_shares_by_hand() -> None:
    assert near_duplicate_share(["a cat", "A cat!", "a dog", "a cat"], 0.9) == 0.5
    assert near_duplicate_share([], 0.9) == 0.0
    assert distinct_n(["a b a", "a b"], 1) == 2 / 5
    assert distinct_n(["a b a", "a b"], 2) == 2 / 3
    assert distinct_n(["x"], 2) == 0.0
