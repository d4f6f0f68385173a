"""Who is decoded when: a decoder that counts, without a model."""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any, cast

import numpy as np
import pytest

from backend.data.chat_template import Encoder
from backend.inference.detokenizer import Detokenizer
from backend.inference.sampler import Sampler
from backend.inference.scheduler import Scheduler, Sequence

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
        self.broken = self.broken_step = False

    @property
    def lengths(self) -> list[int]:
        return [len(row) for row in self.rows]

    def bytes_for(self, lengths: Many[int]) -> int:
        return sum(lengths)

    def prefill(self, ids: Many[int], limit: int) -> Any:
        assert len(ids) <= limit
        return _Prefill(self, list(ids))

    def join(self, prefill: Any) -> None:
        self.rows.append(prefill.ids)
        self.most = max(self.most, len(self.rows))

    def step(self, tokens: Many[int]) -> Any:
        if self.broken_step:
            raise MemoryError
        for row, token in zip(self.rows, tokens, strict=True):
            row.append(token)
        return [after(row) for row in self.rows]

    def drop(self, at: int) -> None:
        self.rows[at] = self.rows[-1]
        self.rows.pop()

    def logits(self, ids: Many[int], last: int = 0) -> Any:
        raise NotImplementedError


class _Prefill:
    def __init__(self, decoder: Counting, ids: list[int]) -> None:
        self.ids = ids
        self.left = decoder.parts
        self.broken = decoder.broken

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
    def __init__(self, decoder: Counting, slots: int = 4, cache_bytes: int = 10_000) -> None:
        self.others = (0, 0)
        self.scheduler = Scheduler(decoder, slots, cache_bytes, lambda: self.others)  # type: ignore[arg-type]
        self.steps: list[list[Sequence]] = []

    def add(self, prompt: list[int], most: int = 5, stops: list[str] | None = None) -> Sequence:
        detokenizer = Detokenizer(cast(Encoder, Letters()), stops) if stops else None
        sequence = Sequence(prompt, most, Sampler(0), frozenset({END}), detokenizer)
        self.scheduler.add(sequence)
        return sequence

    def step(self) -> list[Sequence]:
        self.steps.append(self.scheduler.step())
        return self.steps[-1]

    def finish(self) -> None:
        while not self.scheduler.idle:
            self.step()
            assert len(self.steps) < 1000


def said(sequence: Sequence) -> tuple[str, str]:
    return Letters().text(sequence.tokens), sequence.finish


def test_answers_of_any_length_go_on_together() -> None:
    decoder = Counting()
    play = Play(decoder)
    asked = [play.add([first], most=3 + at) for at, first in enumerate((0, 5, 27, 10, 12))]
    play.finish()
    assert [said(each)[0] for each in asked] == ["bcd", "ghij", "}~", "lmnopq", "nopqrst"]
    assert asked[2].finish == "stop" and asked[4].finish == "length"
    assert decoder.most == 3 and decoder.rows == []
    assert all(each.begun <= each.first <= each.last for each in asked)


def test_who_got_a_token_or_ended_is_told_once_a_step() -> None:
    play = Play(Counting())
    one, two = play.add([0], most=2), play.add([28], most=9)
    assert play.step() == [one]
    assert play.step() == [one, two] and said(one) == ("bc", "length") and two.finish == ""
    assert play.step() == [two] and said(two) == ("~", "stop")
    assert play.step() == [] and play.scheduler.idle


def test_models_that_share_their_bounds_wait_for_each_other() -> None:
    for others in ((2, 0), (1, 10_000)):
        play = Play(Counting(), slots=2)
        play.others = others
        sequence = play.add([0], most=3)
        for _ in range(5):
            assert play.step() == []
        assert play.scheduler.held == (0, 0)
        play.others = (0, 0)
        play.step()
        assert play.scheduler.held == (1, 1)
        play.finish()
        assert said(sequence)[0] == "bcd"


def test_a_stop_string_ends_an_answer() -> None:
    play = Play(Counting())
    sequence = play.add([0], most=20, stops=["ef"])
    play.finish()
    assert sequence.detokenizer and sequence.detokenizer.finish()[0] == "bcd"
    assert (len(sequence.tokens), sequence.finish) == (5, "stop")


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_who_leaves_frees_its_slot(steps: int) -> None:
    """While it waits, while its prompt is read, while it answers."""
    decoder = Counting(parts=2)
    play = Play(decoder, slots=1)
    one, two = play.add([0], most=20), play.add([0], most=2)
    for _ in range(steps):
        play.step()
    play.scheduler.drop(one)
    play.scheduler.drop(one)
    play.finish()
    assert said(two)[0] == "bc"
    assert one.finish == "" and decoder.rows == []


def test_a_long_prompt_does_not_hold_up_others() -> None:
    play = Play(decoder := Counting())
    one = play.add([0], most=10)
    play.step()
    decoder.parts = 6
    two = play.add([0], most=1)
    for _ in range(5):
        assert play.step() == [one]
    assert len(one.tokens) == 6 and not two.tokens
    play.finish()
    assert said(two)[0] == "b"


def test_short_memory_lets_the_youngest_wait_and_loses_nothing() -> None:
    decoder = Counting()
    play = Play(decoder, cache_bytes=16)
    asked = [play.add([0, 1], most=9) for _ in range(3)]
    play.finish()
    assert [said(each) for each in asked] == [("cdefghijk", "length")] * 3
    assert 1 < decoder.most <= 3


def test_a_prompt_that_breaks_fails_alone() -> None:
    decoder = Counting()
    play = Play(decoder)
    one = play.add([0], most=8)
    play.step()
    decoder.broken = True
    two = play.add([0])
    play.step()
    decoder.broken = False
    play.finish()
    assert said(one)[0] == "bcdefghi"
    assert two.finish == "error" and isinstance(two.error, MemoryError)


def test_a_step_that_breaks_fails_those_that_were_in_it() -> None:
    decoder = Counting()
    play = Play(decoder, slots=2)
    broken = [play.add([0]), play.add([3])]
    waits = play.add([5])
    play.step(), play.step()
    decoder.broken_step = True
    assert set(broken) <= set(play.step())
    decoder.broken_step = False
    play.finish()
    assert [each.finish for each in broken] == ["error", "error"] and said(waits) == ("ghijk", "length")
    assert decoder.rows == []
