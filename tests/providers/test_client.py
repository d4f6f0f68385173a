"""The endpoint engine against a local server that misbehaves as real ones do."""

from __future__ import annotations

import time

import httpx
import pytest

from backend.core.errors import Cancelled, StudioError
from backend.inference.protocol import Sampling
from backend.providers.addresses import check_endpoint
from backend.providers.client import Endpoint, HttpEngine
from tests.providers.fake_endpoint import FakeEndpoint

ASK = [{"role": "user", "content": "red item"}]
SHORT = Sampling(max_new_tokens=8)


def engine(server: FakeEndpoint, **change: object) -> HttpEngine:
    settings = {
        "url": server.url,
        "model": "m",
        "retries": 2,
        "timeout": 0.5,
        "initial_backoff": 0.01,
        "concurrency": 4,
    }
    return HttpEngine(Endpoint(**{**settings, **change}))


def test_it_answers_and_sends_what_the_protocol_wants() -> None:
    with FakeEndpoint().running() as server:
        assert engine(server).answer(ASK, SHORT) == "red"
    assert server.asked == [{"model": "m", "messages": ASK, "max_tokens": 8, "temperature": 0.0}]


def test_the_stream_comes_in_pieces_and_whole() -> None:
    with FakeEndpoint().running() as server:
        pieces = list(engine(server).stream([{"role": "user", "content": "niño😀 x"}], SHORT))
    assert pieces == list("niño😀")


@pytest.mark.parametrize("word", ["429", "500", "502", "503", "html", "json", "no-choices", "half", "never"])
def test_what_may_pass_is_tried_again(word: str) -> None:
    with FakeEndpoint(lambda n: word if n == 0 else "200").running() as server:
        assert engine(server).answer(ASK, SHORT) == "red"
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("word", "code", "part", "requests"),
    [
        ("401", "chat.endpoint_no_key", "HTTP 401", 1),
        ("404", "chat.endpoint_not_found", "model “m”", 1),
        ("400", "chat.endpoint_refused", "status 400", 1),
        ("429", "chat.endpoint_busy", "after 3 tries", 3),
        ("500", "chat.endpoint_failed", "HTTP 500", 3),
        ("html", "chat.endpoint_garbage", "Welcome to nginx", 3),
        ("json", "chat.endpoint_garbage", "HTTP 200", 3),
        ("no-choices", "chat.endpoint_garbage", "OpenAI-compatible", 3),
        ("half", "chat.endpoint_broken", "disconnected mid-answer", 3),
        ("never", "chat.endpoint_silent", "0.5 seconds", 3),
    ],
)
def test_a_lasting_fault_is_one_sentence(word: str, code: str, part: str, requests: int) -> None:
    with FakeEndpoint(lambda n: word).running() as server:
        with pytest.raises(StudioError) as caught:
            engine(server).answer(ASK, SHORT)
    assert caught.value.code == code
    assert part in str(caught.value) and server.url in str(caught.value) and "\n" not in str(caught.value)
    assert len(server.asked) == requests


def test_nobody_listens() -> None:
    with FakeEndpoint().running() as server:
        gone = engine(server)
    with pytest.raises(StudioError) as caught:
        gone.answer(ASK, SHORT)
    assert caught.value.code == "chat.endpoint_unreachable"


def test_a_stream_that_breaks_off_says_so() -> None:
    with FakeEndpoint(lambda n: "half-stream").running() as server:
        with pytest.raises(StudioError) as caught:
            list(engine(server).stream(ASK, SHORT))
    assert caught.value.code == "chat.endpoint_broken"


def test_the_pause_that_the_endpoint_asks_for_is_kept() -> None:
    with FakeEndpoint(lambda n: "429" if n == 0 else "200").running() as server:
        server.retry_after = "0.6"
        begun = time.monotonic()
        engine(server).answer(ASK, SHORT)
    assert time.monotonic() - begun >= 0.6


def test_the_key_is_sent_and_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", "sk-secret-1")
    with FakeEndpoint(key="sk-secret-1").running() as server:
        assert engine(server, key_env="TEACHER_API_KEY").answer(ASK, SHORT) == "red"
    with FakeEndpoint(key="another").running() as server:
        with pytest.raises(StudioError) as caught:
            engine(server, key_env="TEACHER_API_KEY").answer(ASK, SHORT)
    assert caught.value.code == "chat.endpoint_key" and "TEACHER_API_KEY" in str(caught.value)
    with FakeEndpoint(lambda n: "400").running() as server:
        with pytest.raises(StudioError) as echoed:
            engine(server, key_env="TEACHER_API_KEY").answer(ASK, SHORT)
    assert "sk-secret-1" not in str(echoed.value) + str(caught.value)


ECHOES = {
    "a reply of 200": ("200", "X"),
    "one cut off in the middle of the key": ("200", "x" * 64 + " X"),
    "a piece of a stream": ("stream", "X"),
    "a status": ("418", "X"),
}


@pytest.mark.parametrize("way", ECHOES)
def test_an_echoed_key_is_masked_everywhere(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", "sk-secret-1/and-more")
    kind, text = ECHOES[way]
    echo = text.replace("X", "sk-secret-1/and-more is the key")

    def transport(request: httpx.Request) -> httpx.Response:
        if kind == "stream":
            return httpx.Response(200, stream=httpx.ByteStream(f"data: {echo}\n\n".encode()))
        return httpx.Response(int(kind), stream=httpx.ByteStream(echo.encode()))

    asking = HttpEngine(Endpoint(url="http://h/v1", model="m", key_env="TEACHER_API_KEY", retries=0))
    asking.wire.client = httpx.Client(transport=httpx.MockTransport(transport))
    with pytest.raises(StudioError) as caught:
        list(asking.stream(ASK, SHORT)) if kind == "stream" else asking.answer(ASK, SHORT)
    assert "sk-secret" not in str(caught.value) + repr(caught.value.problems)
    assert "…" in str(caught.value)


def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    with pytest.raises(StudioError) as caught:
        HttpEngine(Endpoint(url="http://127.0.0.1:9/v1", model="m", key_env="TEACHER_API_KEY"))
    assert caught.value.code == "chat.endpoint_key_missing"


def test_many_are_asked_at_once_but_not_more_than_allowed() -> None:
    prompts = [[{"role": "user", "content": f"w{n} x"}] for n in range(20)]
    with FakeEndpoint().running() as server:
        server.pause = 0.02
        found = dict(engine(server, concurrency=3).answers(prompts, SHORT))
    assert found == {n: f"w{n}" for n in range(20)}
    assert server.most_at_once == 3


def numbered(count: int) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": f"w{n} x"}] for n in range(count)]


def words(server: FakeEndpoint) -> list[str]:
    return sorted(body["messages"][-1]["content"].split()[0] for body in server.asked)


@pytest.mark.parametrize("status", ["400", "413", "422"])
@pytest.mark.parametrize(("bad", "concurrency"), [("w0", 4), ("w0", 1), ("w5", 4), ("w11", 4)])
def test_a_prompt_that_alone_is_refused_ends_nothing(status: str, bad: str, concurrency: int) -> None:
    with FakeEndpoint().running() as server:
        server.fault = lambda body: status if body["messages"][-1]["content"].split()[0] == bad else None
        asking = engine(server, concurrency=concurrency)
        found = dict(asking.answers(numbered(12), SHORT))
    assert found == {n: "" if f"w{n}" == bad else f"w{n}" for n in range(12)}
    assert words(server) == sorted(f"w{n}" for n in range(12)) and asking.kept == 11


@pytest.mark.parametrize(("works_until", "asked"), [(0, 9), (10, 10 + 9)])
def test_many_refusals_in_a_row_are_about_the_request(works_until: int, asked: int) -> None:
    found = {}
    with FakeEndpoint(lambda n: "200" if n < works_until else "400").running() as server:
        with pytest.raises(StudioError) as caught:
            for index, text in engine(server, concurrency=1).answers(numbered(60), SHORT):
                found[index] = text
    assert caught.value.code == "chat.endpoint_refused" and f"answers kept: {works_until}" in str(caught.value)
    assert len(server.asked) == asked and sum(map(bool, found.values())) == works_until


def test_few_prompts_that_are_all_refused_are_a_failure() -> None:
    with FakeEndpoint(lambda n: "400").running() as server:
        with pytest.raises(StudioError) as caught:
            list(engine(server).answers(numbered(3), SHORT))
    assert caught.value.code == "chat.endpoint_refused" and len(server.asked) == 3


@pytest.mark.parametrize(("word", "retries"), [("401", 0), ("500", 1)])
def test_a_failure_for_good_keeps_what_is_in_flight_and_sends_nothing_more(word: str, retries: int) -> None:
    found = {}
    with FakeEndpoint().running() as server:

        def fault(body: dict[str, object]) -> str | None:
            first = body["messages"][-1]["content"].split()[0]  # type: ignore[index]
            if first == "w5":
                return word
            if first in ("w6", "w7", "w8"):
                time.sleep(0.3)
            return None

        server.fault = fault
        with pytest.raises(StudioError) as caught:
            for index, text in engine(server, timeout=5, retries=retries).answers(numbered(30), SHORT):
                found[index] = text
    asked = set(words(server))
    assert {f"w{n}" for n in found} == asked - {"w5"} and len(asked) < 12
    assert f"answers kept: {len(found)}" in str(caught.value)


def test_a_cancel_ends_waiting_requests_at_once() -> None:
    calls = []

    def tick() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Cancelled

    with FakeEndpoint(lambda n: "never").running() as server:
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            list(engine(server, timeout=30).answers([ASK, ASK], SHORT, tick))
        assert time.monotonic() - begun < 15, "the endpoint keeps silent for 20 s"


@pytest.mark.parametrize(
    "url", ["", "host/v1", "ftp://h/v1", "https://me:word@h/v1", "https://h/v1?key=word", "http://[::1"]
)
def test_addresses_that_are_refused_and_never_repeat_a_secret(url: str) -> None:
    problems = check_endpoint(url, "m")
    assert [problem.code for problem in problems] == ["chat.endpoint_url"]
    assert "word@" not in problems[0].text() and "key=word" not in problems[0].text()


def test_the_name_of_the_model_is_needed() -> None:
    assert [problem.field for problem in check_endpoint("https://h/v1", " ")] == ["endpoint_model"]
