"""TF-IDF figures by what they must say."""

from __future__ import annotations

import pytest

from backend.data.tfidf import cosine_similarities, project_2d


def test_alike_texts_lie_together() -> None:
    lights = [f"turn on the {room} light" for room in ("kitchen", "bedroom", "garage")]
    money = [f"transfer {n} euros to my savings account" for n in (10, 25, 70)]
    places = project_2d([*lights, *money])

    def spread(points: list[tuple[float, float]]) -> float:
        return max(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a in points for b in points)

    between = min(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a in places[:3] for b in places[3:])
    assert between > max(spread(places[:3]), spread(places[3:]))
    assert places == project_2d([*lights, *money])


@pytest.mark.parametrize("texts", [[], ["a"], ["same"] * 9, ["", " ", "", ""], ["a", "b", "c", "d"]])
def test_what_has_no_map_lies_in_one_place(texts: list[str]) -> None:
    assert len(project_2d(texts)) == len(texts) and all(x == x and y == y for x, y in project_2d(texts))


def test_cosines_by_hand() -> None:
    same, none, some = cosine_similarities(
        [("a cat sat", "A cat, sat!"), ("a cat", "the dog"), ("the cat sat", "the cat ran")]
    )
    assert (same, none) == (pytest.approx(1.0), 0.0) and 0 < some < 1
    assert cosine_similarities([("🎁", "🎁"), ("🎁", "🔥")]) == [1.0, 0.0]
