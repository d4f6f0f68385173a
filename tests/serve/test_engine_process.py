"""The process of an engine around a decoder of our own: requests, events, cancels, failures."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence as Many
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jinja2.exceptions import TemplateError

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Message, Row, Template
from backend.inference.engine import Engine
from backend.serve.engine_process import ChatModel, EngineProcess, readable, templated
from tests.helpers import view

HELLO = [{"role": "user", "content": "12"}]


class Letters:
    """Encoder and decoder: a token for each character of a prompt, then the letters from a to e; `fail` comes instead of the
    second one, and every step waits for `go`."""

    tokenizer = None
    context = 0

    def __init__(self) -> None:
        self.fail: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.prompts: list[list[int]] = []
        self.lengths: list[int] = []

    def chat_ids(self, messages: list[Message]) -> list[int]:
        if messages[0]["role"] == "assistant":
            raise TemplateError("Roles must alternate")
        return self.ids("".join(message["content"] for message in messages))

    def ids(self, text: str) -> list[int]:
        return [int(char) for char in text]

    def text(self, ids: list[int]) -> str:
        return "".join(chr(87 + token) for token in ids)

    def bytes_for(self, lengths: Many[int]) -> int:
        return 1000 * sum(lengths)

    def prefill(self, ids: Many[int], limit: int) -> Any:
        self.prompts.append(list(ids))
        return self

    def join(self, prefill: Any) -> None:
        self.lengths = [len(self.prompts[-1])]

    def step(self, tokens: Many[int] = ()) -> Any:
        self.go.wait(10)
        if tokens and self.fail:
            raise self.fail
        logits = np.zeros((1, 16), dtype=np.float32)
        logits[0, tokens[0] + 1 if tokens else 10] = 1
        return logits if tokens else logits[0]

    def drop(self, at: int) -> None:
        self.lengths = []


class Spoken:
    """A process in a thread; `events` are those that it wrote."""

    def __init__(self, tmp_path: Path, context: int = 100, template: Template | None = None) -> None:
        self.letters = letters = Letters()
        engine = Engine(view(bare_folder(tmp_path), Kind.ONNX, "letters"), letters)  # type: ignore[arg-type]
        engine.encoder, engine.stops = letters, frozenset({15})  # type: ignore[assignment]
        self.events: list[list[Any]] = []
        self.written = threading.Condition()
        models: dict[str, ChatModel | StudioError] = {"red": StudioError("serve.rows", model="red")}
        models["letters"] = ChatModel(engine, context, template)
        self.process = EngineProcess(models, self._write)
        threading.Thread(target=self.process.work, daemon=True).start()

    def _write(self, line: bytes) -> None:
        with self.written:
            self.events += json.loads(line)
            self.written.notify_all()

    def ask(self, number: int, messages: list[Message] = HELLO, **more: Any) -> None:
        asked: dict[str, Any] = {
            "temperature": 0,
            "top_p": 1,
            "seed": 0,
            "max_tokens": None,
            "stop": [],
            "top_logprobs": None,
        }
        line = {"id": number, "view": "letters", "messages": messages, **asked, **more}
        self.process.take(json.dumps(line).encode())

    def last(self, number: int) -> list[Any]:
        """The event that ends a request."""
        with self.written:
            assert self.written.wait_for(lambda: self._ended(number), 10), self.events
        (found,) = self._ended(number)
        return found

    def said(self, number: int) -> str:
        return "".join(event[2] for event in self.events if event[:2] == ["text", number])

    def _ended(self, number: int) -> list[list[Any]]:
        return [event for event in self.events if event[0] in ("end", "fail") and event[1] == number]


def bare_folder(tmp_path: Path) -> Path:
    from tokenizers import Tokenizer, models

    Tokenizer(models.BPE({"a": 0}, [])).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.fixture
def spoken(tmp_path: Path) -> Spoken:
    return Spoken(tmp_path)


def test_how_it_ended_is_told(spoken: Spoken) -> None:
    spoken.ask(1)
    _, _, finish, tokens, timings = spoken.last(1)
    assert spoken.events[0] == ["accepted", 1, 2]
    assert (spoken.said(1), finish, tokens) == ("abcde", "stop", 5)
    assert timings["ttft_ms"] >= 0 and timings["decode_tokens_per_s"] > 0
    spoken.ask(2, max_tokens=1)
    _, _, finish, tokens, timings = spoken.last(2)
    assert (spoken.said(2), finish, tokens, timings["decode_tokens_per_s"]) == ("a", "length", 1, None)


@pytest.mark.parametrize(
    ("error", "code"),
    [(RuntimeError("can't allocate memory"), "core.memory_out"), (ValueError("a bug"), "core.unexpected")],
)
def test_a_failure_is_the_last_word_and_the_next_request_works(
    error: Exception, code: str, spoken: Spoken, home: Path
) -> None:
    spoken.letters.fail = error
    spoken.ask(1)
    assert spoken.last(1)[2][0]["code"] == code and spoken.said(1) == "a"
    spoken.letters.fail = None
    spoken.ask(2)
    assert spoken.last(2)[2] == "stop"


def test_who_leaves_before_its_turn_never_reaches_the_decoder(spoken: Spoken) -> None:
    spoken.letters.go.clear()
    for number in (1, 2):
        spoken.ask(number, [{"role": "user", "content": str(number)}])
    spoken.process.take(b'{"cancel": 2}')
    spoken.process.take(b'{"cancel": 77}')
    spoken.letters.go.set()
    spoken.ask(3, [{"role": "user", "content": "3"}])
    assert spoken.last(1)[2] == spoken.last(3)[2] == "stop"
    assert spoken.letters.prompts == [[1], [3]] and not spoken.said(2)


def test_an_answer_has_the_tokens_that_the_prompt_leaves(tmp_path: Path) -> None:
    spoken = Spoken(tmp_path, context=10)
    for number, (text, most) in enumerate((("1234567", None), ("1234567", 2), ("1", 99))):
        spoken.ask(number, [{"role": "user", "content": text}], max_tokens=most)
    assert [spoken.last(number)[3] for number in range(3)] == [3, 2, 5]
    refused = [("1234567890", "user", "serve.prompt_long"), ("1", "assistant", "serve.template")]
    for number, (content, role, code) in enumerate(refused, 10):
        spoken.ask(number, [{"role": role, "content": content}])
        (problem,) = spoken.last(number)[2]
        assert (problem["code"], problem["field"]) == (code, "messages")
    spoken.ask(20, view="red")
    assert spoken.last(20)[2][0]["code"] == "serve.rows"


def test_short_memory_leaves_a_shorter_context() -> None:
    assert readable(Letters(), 100, 100_000) == 100  # type: ignore[arg-type]
    assert readable(Letters(), 100, 99_000) == 50  # type: ignore[arg-type]


def test_messages_are_put_into_the_template_of_the_data_unless_they_say_how(tmp_path: Path) -> None:
    def said(content: str, role: str = "user") -> list[Message]:
        return [{"role": role, "content": content}]

    template = Template(system="Name the colour.", user="Item: {input}")
    assert templated(template, said("red")) == template.prompt(Row(id="", input="red"))
    own = [*said("Be brief.", "system"), *said("red")]
    assert templated(template, own) == own
    talk = [*said("a {input}"), *said("{input} b", "assistant"), *said("c")]
    assert [each["content"] for each in templated(template, talk)][1:] == ["Item: a {input}", "{input} b", "Item: c"]
    assert templated(Template(), talk) == talk
    spoken = Spoken(tmp_path, template=Template(system="7", user="{input}8"))
    spoken.ask(1)
    spoken.last(1)
    assert spoken.letters.prompts == [[7, 1, 2, 8]]
