"""The HTTP side without a model: failures inside, a model that is away, and what is counted then."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.serve.engine_client import EngineSupervisor, Event
from backend.serve.openai_api.app import Service, application
from backend.serve.openai_api.metrics import Histogram
from tests.helpers import in_loop, view

ASKED = {"model": "a1", "messages": [{"role": "user", "content": "hi"}]}


class Client:
    """Tells what it was given; an exception is raised."""

    restarts = 0
    memory_bytes = 5

    def __init__(self, *events: Event | Exception, ready: bool = True) -> None:
        self.client = self
        self.ready = ready
        self._events = events

    async def events(self, _asked: Any, _pulse: float) -> AsyncGenerator[Event]:
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event


def ask(service: Service, key: str | None = None, **more: Any) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(application(service, key, True), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.post("/v1/chat/completions", json={**ASKED, **more})

    return in_loop(post())


def service(*events: Event | Exception, max_open: int = 9, ready: bool = True) -> Service:
    return Service([view(Path(), Kind.ONNX)], cast(EngineSupervisor, Client(*events, ready=ready)), max_open, 1000)


def test_an_answer_is_put_together(home: Path) -> None:
    one = service(
        Event("idle"),
        Event("accepted", 3),
        Event("idle"),
        Event("text", 1, "he"),
        Event("text", 2, "y"),
        Event("end", 2),
    )
    answer = ask(one)
    assert answer.json()["choices"][0]["message"]["content"] == "hey"
    assert answer.json()["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert (one.metrics.prompt_tokens, one.metrics.completion_tokens, one.metrics.left) == (3, 2, 0)
    assert b": waiting" in ask(one, stream=True).content


def test_a_bug_is_a_500_in_openais_form_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    one = service(RuntimeError("secret path"))
    with caplog.at_level(logging.ERROR):
        answer = ask(one)
    assert answer.status_code == 500 and answer.json()["error"]["type"] == "server_error"
    assert "secret path" not in answer.text and "secret path" in caplog.text
    assert one.metrics.answers == {500: 1} and one.open == 0


def test_refusals_are_no_clients_that_left() -> None:
    away = service(ready=False)
    answer = ask(away)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert (away.metrics.left, away.metrics.waiting, away.metrics.running) == (0, 0, 0)
    assert ask(service(max_open=0)).status_code == 429
    stopping = service()
    stopping.stopping = True
    assert ask(stopping).json()["error"]["code"] == "server_stopping"
    broken = service(Event("accepted", 3), Event("text", 1, "h"), Event("lost", error=StudioError("serve.broken")))
    assert ask(broken).status_code == 503
    assert b'"model_restarting"' in ask(broken, stream=True).content


def test_a_key_with_other_letters_is_compared() -> None:
    assert ask(service(), key="clé").status_code == 401


def test_times_fall_between_bounds() -> None:
    times = Histogram()
    for seconds in (0.001, 0.01, 0.2, 500):
        times.add(seconds)
    lines = list(times.lines("x"))
    assert lines[0] == 'x_bucket{le="0.01"} 2' and 'x_bucket{le="0.25"} 3' in lines and 'x_bucket{le="120"} 3' in lines
    assert lines[-3] == 'x_bucket{le="+Inf"} 4' and lines[-1] == "x_count 4"
