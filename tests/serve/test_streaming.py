"""The speaker around an engine of our own: turns, pauses, failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jinja2.exceptions import TemplateError

from backend.core.errors import StudioError
from backend.data.dataset import Message
from backend.inference.protocol import LocalEngine, Sampling
from backend.serve.schemas import ChatRequest
from backend.serve.streaming import End, Event, Speaker
from tests.helpers import in_loop


class Letters:
    """Says a letter per id; `fail` comes after the first one, and every token waits for `go`."""

    def __init__(self, fail: Exception | None = None) -> None:
        self.encoder = self
        self.fail = fail
        self.go = threading.Event()
        self.go.set()
        self.prompts: list[Any] = []

    def encode(self, messages: list[Message]) -> list[int]:
        if messages[0]["role"] != "user":
            raise TemplateError("Roles must alternate")
        return list(range(len(messages[0]["content"])))

    def text(self, ids: list[int]) -> str:
        return "".join(chr(97 + token) for token in ids)

    def stream_ids(self, prompt: list[int], sampling: Sampling) -> Iterator[int]:
        self.prompts.append(prompt)
        for token in range(min(sampling.max_new_tokens, 5)):
            self.go.wait(10)
            if token and self.fail:
                raise self.fail
            yield token


def speaker(engine: Letters, context: int = 100) -> Speaker:
    return Speaker(cast(LocalEngine, engine), context, "letters")


def said(engine: Letters, most: int = 10) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in speaker(engine).events([1, 2], Sampling(max_new_tokens=most)) if event]

    return in_loop(collect())


def test_how_it_ended_is_told() -> None:
    *texts, end = said(Letters())
    assert "".join(map(str, texts)) == "abcde"
    assert isinstance(end, End) and end.finish == "stop"
    assert end.figures["usage"] == {"prompt_tokens": 2, "completion_tokens": 5, "total_tokens": 7}
    *texts, end = said(Letters(), most=3)
    assert "".join(map(str, texts)) == "abc"
    assert isinstance(end, End) and end.finish == "length"


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("can't allocate memory"), "core.memory_out"), (ValueError("a bug"), "core.unexpected")],
)
def test_a_failure_is_the_last_word_and_the_next_turn_works(error: Exception, code: str, home: Path) -> None:
    engine = Letters(error)
    text, failure = said(engine)
    assert text == "a"
    assert isinstance(failure, StudioError) and failure.code == code
    engine.fail = None
    assert isinstance(said(engine)[-1], End)


def test_who_leaves_before_its_turn_never_reaches_the_engine() -> None:
    engine = Letters()

    async def play() -> None:
        engine.go.clear()
        one = speaker(engine)
        first, second = (one.events([turn], Sampling()) for turn in (1, 2))
        assert await anext(first) is None and await anext(second) is None
        assert one.answering == 2
        await second.aclose()
        assert one.answering == 1
        engine.go.set()
        for turn in (first, one.events([3], Sampling())):
            assert "".join([event async for event in turn if isinstance(event, str)]) == "abcde"

    in_loop(play())
    assert engine.prompts == [[1], [3]]


def ask(content: str, role: str = "user", **more: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": role, "content": content}], **more})


def test_the_room_for_an_answer_is_what_the_prompt_leaves() -> None:
    one = speaker(Letters(), context=10)
    assert one.prepare(ask("1234567"))[1].max_new_tokens == 3
    assert one.prepare(ask("1234567", max_tokens=2))[1].max_new_tokens == 2
    assert one.prepare(ask("1", seed=4))[1].seed == 4
    assert len({one.prepare(ask("1"))[1].seed for _ in range(5)}) == 5
    for content, role, code in (("1234567890", "user", "serve.prompt_long"), ("1", "assistant", "serve.template")):
        with pytest.raises(StudioError) as caught:
            one.prepare(ask(content, role))
        assert (caught.value.code, caught.value.problems[0].field) == (code, "messages")
