"""Who answers when: rows that count, without a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest

from backend.data.chat_template import Encoder
from backend.serve.openai_api.detokenizer import Names, Writing
from backend.serve.openai_api.sampler import Draw
from backend.serve.openai_api.scheduler import Turn, Turns

END = 30


class Letters:
    """An encoder whose token n is the n-th letter."""

    def text(self, ids: list[int]) -> str:
        return "".join(chr(97 + token) for token in ids)

    tokenizer = None


class Counting:
    """Every row says the letter after its last one; `parts` steps read a prompt; a token costs a byte."""

    def __init__(self, parts: int = 1) -> None:
        self.rows: list[list[int]] = []
        self.parts = parts
        self.most = 0
        self.broken = False

    @property
    def lengths(self) -> list[int]:
        return [len(row) for row in self.rows]

    def bytes_for(self, lengths: Sequence[int]) -> int:
        return sum(lengths)

    def read(self, ids: Sequence[int]) -> Any:
        return _Reading(self, list(ids))

    def join(self, reading: Any) -> None:
        self.rows.append(reading.ids)
        self.most = max(self.most, len(self.rows))

    def step(self, tokens: Sequence[int]) -> Any:
        for row, token in zip(self.rows, tokens, strict=True):
            row.append(token)
        return [after(row) for row in self.rows]

    def drop(self, at: int) -> None:
        self.rows[at] = self.rows[-1]
        self.rows.pop()


class _Reading:
    def __init__(self, rows: Counting, ids: list[int]) -> None:
        self.ids = ids
        self.left = rows.parts
        self.broken = rows.broken

    def step(self) -> Any:
        if self.broken:
            raise MemoryError
        self.left -= 1
        return None if self.left else after(self.ids)


def after(row: list[int]) -> Any:
    logits = np.zeros(40, dtype=np.float32)
    logits[row[-1] + 1] = 9
    return logits


class Play:
    def __init__(self, rows: Counting, most: int = 4, budget: int = 10_000) -> None:
        self.news: list[list[Any]] = []
        self.beside = (0, 0)
        self.turns = Turns(rows, frozenset({END}), most, budget, self.news.append, lambda: self.beside)

    def add(self, id: int, prompt: list[int], most: int = 5, stops: list[str] | None = None) -> None:
        encoder = cast(Encoder, Letters())
        self.turns.add(Turn(id, prompt, most, Draw(0, 1, 0), Writing(encoder, Names(encoder), stops or [], None)))

    def finish(self) -> dict[int, str]:
        rounds = 0
        while not self.turns.idle:
            self.turns.round()
            rounds += 1
            assert rounds < 1000
        said: dict[int, str] = {}
        for name, id, *rest in self.news:
            if name == "say":
                said[id] = said.get(id, "") + rest[0]
        return said

    def ends(self) -> dict[int, tuple[str, int]]:
        return {id: (rest[0], rest[1]) for name, id, *rest in self.news if name == "end"}


def test_answers_of_any_length_go_on_together() -> None:
    rows = Counting()
    play = Play(rows)
    for id, first in enumerate((0, 5, 27, 10, 12)):
        play.add(id, [first], most=3 + id)
    assert play.finish() == {0: "bcd", 1: "ghij", 2: "}~", 3: "lmnopq", 4: "nopqrst"}
    assert play.ends()[2] == ("stop", 2) and play.ends()[4] == ("length", 7)
    assert rows.most == 3 and rows.rows == []


def test_models_that_share_their_bounds_wait_for_each_other() -> None:
    for beside in ((2, 0), (1, 10_000)):
        play = Play(Counting(), most=2)
        play.beside = beside
        play.add(1, [0], most=3)
        for _ in range(5):
            play.turns.round()
        assert play.turns.held == (0, 0) and not play.news
        play.beside = (0, 0)
        assert play.finish() == {1: "bcd"}


def test_a_stop_string_ends_an_answer() -> None:
    play = Play(Counting())
    play.add(1, [0], most=20, stops=["ef"])
    assert play.finish() == {1: "bcd"}
    assert play.ends()[1] == ("stop", 5)


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_who_leaves_makes_room(rounds: int) -> None:
    """While it waits, while its prompt is read, while it answers."""
    rows = Counting(parts=2)
    play = Play(rows, most=1)
    play.add(1, [0], most=20)
    play.add(2, [0], most=2)
    for _ in range(rounds):
        play.turns.round()
    play.turns.stop(1)
    play.turns.stop(77)
    assert play.finish()[2] == "bc"
    assert 1 not in play.ends() and rows.rows == []


def test_a_long_prompt_does_not_hold_up_others() -> None:
    play = Play(Counting(parts=1))
    play.add(1, [0], most=10)
    play.turns.round()
    play.turns._rows.parts = 6  # type: ignore[attr-defined]
    play.add(2, [0], most=1)
    for _ in range(5):
        play.turns.round()
    assert [event[1] for event in play.news].count(1) >= 6 and all(event[1] == 1 for event in play.news)
    assert play.finish()[2] == "b"


def test_short_memory_lets_the_youngest_wait_and_loses_nothing() -> None:
    rows = Counting()
    play = Play(rows, budget=16)
    for id in (1, 2, 3):
        play.add(id, [0, 1], most=9)
    said = play.finish()
    assert said == {1: "cdefghijk", 2: "cdefghijk", 3: "cdefghijk"}
    assert play.ends() == dict.fromkeys((1, 2, 3), ("length", 9))
    assert 1 < rows.most <= 3


def test_a_prompt_that_breaks_fails_alone() -> None:
    rows = Counting()
    play = Play(rows)
    play.add(1, [0], most=8)
    play.turns.round()
    rows.broken = True
    play.add(2, [0])
    play.turns.round()
    rows.broken = False
    assert play.finish()[1] == "bcdefghi"
    (failed,) = [event for event in play.news if event[0] == "fail"]
    assert failed[1] == 2 and isinstance(failed[2], MemoryError)
