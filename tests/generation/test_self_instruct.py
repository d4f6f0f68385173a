"""Requests for new inputs, and replies in every shape that models give them."""

from __future__ import annotations

from collections import Counter

import pytest

from backend.data.dataset import Row
from backend.generation.self_instruct import SelfInstruct, parse_texts

SEEDS = [Row(id=f"{label}{n}", input=f"{label} seed {n}", output=label) for label in ("on", "off") for n in range(4)]


def inventor(method: str = "self_instruct", count: int = 3, balance: bool = True, seed: int = 1) -> SelfInstruct:
    return SelfInstruct(SEEDS, method, count, 2, balance, "Home commands.", seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [
        '["one apple", "two pears"]',
        'Sure! Here they are:\n```json\n["one apple",\n "two pears"]\n```\nEnjoy [these]!',
        '[{"input": "one apple", "id": 1}, {"Text": "two pears"}]',
        '{"texts": ["one apple", "two pears"]}',
        '["one apple", "two pears", "three pl',
        "1. one apple\n2. two pears",
        "Here you go:\n 1) “one apple”\n 2) two pears  \n\nAnything else?",
        '- "one apple",\n* two pears',
        '<think>[1] maybe ["no"]</think>["one apple", "two pears"]',
    ],
)
def test_texts_are_found_in_every_shape(reply: str) -> None:
    assert parse_texts(reply) == ["one apple", "two pears"]


@pytest.mark.parametrize("reply", ["", "I can't do that.", "[]", "[1, 2]", "[" * 5_000, "one apple", '["  "]', "{}"])
def test_a_reply_without_texts_gives_none(reply: str) -> None:
    assert parse_texts(reply) == []


def test_texts_are_clean() -> None:
    assert parse_texts('["a\\ud800b\\u0000 c", "«¿sí?»", "it\'s \\"fine\\""]') == ["ab c", "¿sí?", 'it\'s "fine"']


def test_classes_are_asked_for_in_turn_and_the_poorest_first() -> None:
    even = [request.label for request in inventor().requests(4, Counter())]
    assert even == ["off", "on", "off", "on"]
    behind = [request.label for request in inventor().requests(3, Counter({"off": 9}))]
    assert behind == ["on", "on", "on"]
    stubborn = inventor()
    often = [request.label for request in stubborn.requests(40, Counter({"on": 15}))]
    assert often[:5] == ["off"] * 5
    later = [request.label for request in stubborn.requests(40, Counter({"on": 15}))]
    assert later.count("on") >= 15  # "off" gave nothing in its 20 or more requests
    asked = list(inventor().requests(2, Counter()))
    for request in asked:
        said = request.messages[0]["content"]
        assert f"of the class “{request.label}”" in said and said.count(f"{request.label} seed") == 2
        assert "Write 3 new texts" in said and "Home commands." in said
    assert {request.label for request in inventor(balance=False).requests(5, Counter())} == {""}


def test_lines_are_asked_for_as_lines_and_longer_texts_as_json() -> None:
    (one,) = inventor().requests(1, Counter())
    assert "numbered list of 3 lines" in one.messages[0]["content"]
    several = SelfInstruct([Row(id="1", input="dear all,\nhello {count}")], "evol_instruct", 4, 1, False, "", 0)
    (asked,) = several.requests(1, Counter())
    assert "JSON list of 4 strings" in asked.messages[0]["content"] and "hello {count}" in asked.messages[0]["content"]


def test_the_same_seed_asks_the_same_and_another_something_else() -> None:
    first, again, other = (
        [request.messages for request in inventor(seed=seed).requests(6, Counter())] for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("method", ["paraphrase", "evol_instruct"])
def test_one_text_at_a_time_and_every_seed_in_turn(method: str) -> None:
    said = [request.messages[0]["content"] for request in inventor(method).requests(16, Counter())]
    shown = [next(line for line in text.splitlines() if line.startswith("Text: ")) for text in said]
    assert set(shown[:8]) == {f"Text: {row.input}" for row in SEEDS} == set(shown[8:])
    ways = [("harder" in text, "less usual" in text, "different ways" in text) for text in said]
    if method == "paraphrase":
        assert set(ways) == {(False, False, True)}
    else:
        assert set(ways[:8]) == {(True, False, False)} and set(ways[8:]) == {(False, True, False)}
