"""Each protocol against the stand-in: where it asks, with which headers and body, and what it reads from a reply."""

from __future__ import annotations

import time

import pytest

from backend.core.errors import StudioError
from backend.inference.protocol import Sampling
from backend.providers.budget import Prices, Usage
from backend.providers.client import Endpoint, HttpEngine
from tests.providers.fake_endpoint import FakeEndpoint

ASK = [{"role": "system", "content": "Name the colour."}, {"role": "user", "content": "red item"}]
SHORT = Sampling(max_new_tokens=8)


def engine(server: FakeEndpoint, **change: object) -> HttpEngine:
    settings = {
        "url": server.url,
        "model": "m",
        "retries": 0,
        "timeout": 1,
        "initial_backoff": 0.01,
        "protocol": server.protocol,
    }
    return HttpEngine(Endpoint(**{**settings, **change}))


def test_azure_wants_its_header_and_a_version_in_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZ", "az-1")
    server = FakeEndpoint(key="az-1")
    server.protocol = "azure"
    with server.running():
        assert engine(server, key_env="AZ", api_version="2024-10-21").answer(ASK, SHORT) == "red"
    assert server.paths == ["/v1/chat/completions?api-version=2024-10-21"]
    assert "authorization" not in server.headers[0]


def test_anthropic_has_the_system_prompt_apart_and_its_own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AN", "an-1")
    server = FakeEndpoint(key="an-1")
    server.protocol, server.counts = "anthropic", True
    with server.running():
        asking = engine(server, key_env="AN", prices=Prices(input=1e6, output=2e6))
        reply = asking.reply(ASK, SHORT)
        pieces = list(asking.stream(ASK, SHORT))
    assert reply.text == "red" and reply.usage == Usage(5, 1) and pieces == list("red")
    assert server.asked[0] == {
        "model": "m",
        "messages": [ASK[1]],
        "max_tokens": 8,
        "temperature": 0.0,
        "system": "Name the colour.",
    }
    assert server.headers[0]["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
@pytest.mark.parametrize("ending", ["stop", "length"])
def test_a_reply_says_whether_it_was_cut_off(protocol: str, ending: str) -> None:
    server = FakeEndpoint()
    server.protocol, server.ending = protocol, ending
    with server.running():
        assert engine(server).reply(ASK, SHORT).truncated == (ending == "length")


def test_a_parameter_that_is_called_otherwise_is_renamed_once() -> None:
    with FakeEndpoint(lambda n: "renamed").running() as server:
        asking = engine(server)
        assert [asking.answer(ASK, SHORT), asking.answer(ASK, SHORT)] == ["red", "red"]
    assert ["max_tokens" in body for body in server.asked] == [True, False, False]
    assert server.asked[2]["max_completion_tokens"] == 8
    with FakeEndpoint(lambda n: "renamed").running() as server:
        assert list(engine(server).stream(ASK, SHORT)) == list("red")


def test_a_masked_key_also_in_the_headers_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZ", "az-secret")
    server = FakeEndpoint(key="another")
    server.protocol = "azure"
    with server.running(), pytest.raises(StudioError) as caught:
        engine(server, key_env="AZ").answer(ASK, SHORT)
    assert caught.value.code == "chat.endpoint_key" and "az-secret" not in str(caught.value)


def test_requests_keep_the_rate_that_was_set() -> None:
    prompts = [[{"role": "user", "content": f"w{n} x"}] for n in range(4)]
    with FakeEndpoint().running() as server:
        dict(engine(server, requests_per_minute=600, concurrency=4).answers(prompts, SHORT))
    gaps = [later - sooner for sooner, later in zip(server.times, server.times[1:], strict=False)]
    assert min(gaps) > 0.05 and server.times[-1] - server.times[0] > 0.28


def test_a_pause_that_is_asked_of_one_is_kept_by_all() -> None:
    prompts = [[{"role": "user", "content": f"w{n} x"}] for n in range(6)]
    with FakeEndpoint(lambda n: "429" if n == 0 else "200").running() as server:
        server.retry_after = "0.5"
        found = dict(engine(server, retries=2, concurrency=2, requests_per_minute=1200).answers(prompts, SHORT))
    assert len(found) == 6
    refused = server.times[0]
    assert sum(moment - refused < 0.45 for moment in server.times) <= 2  # one of the two at work may be under way
    assert time.monotonic() > refused
