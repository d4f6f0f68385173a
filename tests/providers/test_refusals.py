"""What endpoints refuse, limit and ask to wait for; replies that are too large; headers and body fields of the user's."""

from __future__ import annotations

import gzip
import json
import resource
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.core.errors import StudioError
from backend.inference.protocol import Sampling
from backend.providers import bodies
from backend.providers.client import Endpoint, HttpEngine
from backend.providers.concurrency import MAX_REFUSALS
from backend.providers.errors import MAX_RAW_CHARS, MAX_REASON_CHARS, asked_pause
from backend.providers.extras import check_body, check_headers, parse_body, parse_headers
from backend.providers.quirks import Quirks, quirk_of
from backend.providers.rate_limit import RateLimit
from tests.providers.fake_endpoint import FakeEndpoint, said

ASK = [{"role": "user", "content": "red item"}]
SHORT = Sampling(max_new_tokens=8)
DRAWN = Sampling(max_new_tokens=8, temperature=0.7, seed=3)
Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def replies(answer: Callable[[dict[str, Any], int], Reply]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers each body by `answer`; its address and the bodies it was sent."""
    bodies_: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bodies_.append(body)
            status, headers, content = answer(body, len(bodies_) - 1)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", bodies_
    finally:
        server.shutdown()
        server.server_close()


def ok(text: Any = "red", **about: Any) -> Reply:
    return 200, {"Content-Type": "application/json"}, json.dumps(said(text) | about).encode()


def refusal(message: str, status: int = 400, **headers: str) -> Reply:
    return status, headers, json.dumps({"error": {"message": message}}).encode()


def engine(url: str, told: list[str] | None = None, **change: Any) -> HttpEngine:
    settings = {"url": url, "model": "m", "retries": 1, "timeout": 3, "initial_backoff": 0.01, **change}
    return HttpEngine(Endpoint(**settings), tell=(told if told is not None else []).append)


@pytest.mark.parametrize("name", ["seed", "top_p", "temperature"])
def test_a_refused_parameter_is_left_out_said_once_and_remembered(name: str, tmp_path: Path) -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return refusal(f"Unrecognized request argument supplied: {name}", 422) if name in body else ok()

    told: list[str] = []
    file = tmp_path / "cache" / "endpoints.json"
    with replies(answer) as (url, asked):
        first = engine(url, told, quirks=file)
        assert [first.answer(ASK, DRAWN), first.answer(ASK, DRAWN)] == ["red", "red"]
        assert [name in body for body in asked] == [True, False, False]
        assert len(told) == 1 and f"`{name}`" in told[0]
        assert engine(url, told, quirks=file).answer(ASK, DRAWN) == "red"
        assert name not in asked[-1] and len(told) == 1, "the next job knows"
        assert engine(url, told, quirks=file, model="other").answer(ASK, DRAWN) == "red"
        assert name in asked[-2], "another model may take it"
        Quirks(f"{url}/chat/completions", "m", file).forget()
        engine(url, told, quirks=file).answer(ASK, DRAWN)
        assert name in asked[-2]


def test_what_is_not_sure_to_help_is_not_remembered(tmp_path: Path) -> None:
    file = tmp_path / "endpoints.json"
    with replies(lambda body, _: refusal("temperature is not supported here, and neither is anything else")) as (
        url,
        asked,
    ):
        with pytest.raises(StudioError) as caught:
            engine(url, quirks=file).answer(ASK, DRAWN)
    assert caught.value.code == "chat.endpoint_refused" and len(asked) == 2 and not file.exists()


@pytest.mark.parametrize(
    ("words", "quirk"),
    [
        ("`temperature` and `top_p` cannot both be specified for this model. Please use only one.", "top_p"),
        ("You are not allowed to request logprobs from this model.", "logprobs"),
        ("top_logprobs is not supported with this model", "logprobs"),
        ('Invalid JSON payload received. Unknown name "seed": Cannot find field.', "seed"),
        ("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        ("max_tokens is too large: 100000. This model supports at most 16384 completion tokens", None),
        ("temperature must be between 0 and 1", None),
        ("This model's maximum context length is 4096 tokens", None),
        ("The word weed_seeds is not supported", None),
        ("model x is not supported", None),
        ("Streaming is required: stream must be true", "streams only"),
    ],
)
def test_what_a_refusal_is_about(words: str, quirk: str | None) -> None:
    sent = dict.fromkeys(("temperature", "top_p", "seed", "max_tokens", "logprobs", "top_logprobs"), 1)
    assert quirk_of(400, words, sent, set()) == quirk
    assert quirk_of(404, words, sent, set()) is None
    assert quirk is None or quirk_of(400, words, sent, {quirk}) != quirk, "no second time"


def test_a_field_of_the_users_is_never_left_out() -> None:
    with replies(lambda body, _: refusal("reasoning_effort is not supported")) as (url, asked):
        with pytest.raises(StudioError, match="reasoning_effort is not supported"):
            engine(url, body={"reasoning_effort": "low"}).answer(ASK, SHORT)
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("headers", "words", "seconds"),
    [
        ({"retry-after-ms": "1500", "Retry-After": "9"}, "", 1.5),
        ({"Retry-After": "432"}, "", 432),
        ({"Retry-After": "in an hour, as a date"}, "", 3600),
        ({"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}, "", 0),
        ({"Retry-After": "soon"}, "", None),
        ({}, "Please try again in 6m0s.", 360),
        ({}, "Please try again in 350ms", 0.35),
        ({}, "Please retry after 26 seconds.", 26),
        ({}, "Rate limit is exceeded. Try again in 1 minute", 60),
        ({}, "Try another model", None),
    ],
)
def test_the_pause_that_is_asked_for(headers: dict[str, str], words: str, seconds: float | None) -> None:
    if seconds == 3600:  # reckoned now: tests wait for their turn after they were collected
        headers = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}
    reply = httpx.Response(429, headers=headers, json={"error": {"message": words}})
    assert asked_pause(reply) == (
        None if seconds is None else pytest.approx(seconds, abs=60 if seconds == 3600 else 0.001)
    )


def test_a_pause_beyond_the_longest_ends_the_job_and_names_the_time() -> None:
    with replies(lambda body, _: refusal("daily limit", 429, **{"Retry-After": "7200"})) as (url, asked):
        begun = time.monotonic()
        with pytest.raises(StudioError) as caught:
            engine(url, retries=5).answer(ASK, SHORT)
    until = datetime.now().astimezone() + timedelta(hours=2)
    assert caught.value.code == "wire.wait_too_long" and f"{until:%H:%M}" in str(caught.value)
    assert len(asked) == 1 and time.monotonic() - begun < 2


def test_a_longer_pause_is_said_once_for_all() -> None:
    told: list[str] = []
    with replies(lambda body, n: refusal("slow down", 429, **{"Retry-After": "30"})) as (url, asked):
        asking = engine(url, told, concurrency=4, retries=3)
        threading.Timer(0.6, asking._stop.set).start()
        with pytest.raises(BaseException):  # noqa: B017 - cancelled while it waits
            dict(asking.answers([ASK] * 8, SHORT))
    assert len(told) == 1 and "30 s" in told[0] and len(asked) <= 4


def test_no_quota_is_not_tried_again() -> None:
    body = json.dumps({"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}).encode()
    with replies(lambda *_: (429, {}, body)) as (url, asked):
        with pytest.raises(StudioError) as caught:
            engine(url, retries=5).answer(ASK, SHORT)
    assert caught.value.code == "wire.quota" and len(asked) == 1


def test_a_filter_refuses_rows_and_never_the_job() -> None:
    bad = 3 * MAX_REFUSALS

    def answer(body: dict[str, Any], _: int) -> Reply:
        number = int(body["messages"][-1]["content"].split()[0])
        return refusal("content management policy", 400) if number < bad else ok()

    prompts = [[{"role": "user", "content": f"{n} x"}] for n in range(bad + 4)]
    with replies(answer) as (url, _):
        found = dict(engine(url).replies(prompts, SHORT))
    assert sorted(found) == list(range(len(prompts)))
    assert all(bool(reply.refused) == (number < bad) for number, reply in found.items())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_every_refusal_is_quoted_bounded_and_masked(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-secret-0123456789")
    with replies(lambda *_: refusal("no sk-secret-0123456789 " + "x" * 5000, status)) as (url, _):
        with pytest.raises(StudioError) as caught:
            engine(url, retries=0, key_env="MY_API_KEY").answer(ASK, SHORT)
    reason = caught.value.problems[0].args["reason"]
    assert (
        reason.startswith("no … xxx")
        and len(reason) <= MAX_REASON_CHARS
        and "sk-secret" not in repr(caught.value.problems)
    )
    with replies(lambda *_: (status, {}, b"<html>" + b"secret page " * 400)) as (url, _):
        with pytest.raises(StudioError) as caught:
            engine(url, retries=0).answer(ASK, SHORT)
    assert len(caught.value.problems[0].args["reason"]) <= MAX_RAW_CHARS


def test_a_reply_that_unpacks_to_gigabytes_is_cut_off_and_asked_once() -> None:
    bomb = gzip.compress(bytes(400_000_000), 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with replies(lambda *_: (200, {"Content-Encoding": "gzip"}, bomb)) as (url, asked):
        with pytest.raises(StudioError) as caught:
            engine(url, retries=3).answer(ASK, SHORT)
        with pytest.raises(StudioError):
            list(engine(url).stream(ASK, SHORT))
    assert caught.value.code == "wire.too_large" and len(asked) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * bodies.MAX_REPLY_BYTES / 1000, "kB"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_replies_are_unpacked(encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    with replies(lambda *_: (200, {"Content-Encoding": encoding}, pack(ok()[2]))) as (url, _):
        assert engine(url).answer(ASK, SHORT) == "red"
    with replies(lambda *_: (200, {"Content-Encoding": encoding}, b"no")) as (url, _):
        with pytest.raises(StudioError, match="unreadable bytes"):
            engine(url).answer(ASK, SHORT)


def test_deep_json_is_garbage_and_no_crash() -> None:
    with replies(lambda *_: (200, {}, b"[" * 200_000)) as (url, _):
        with pytest.raises(StudioError) as caught:
            engine(url).answer(ASK, SHORT)
    assert caught.value.code == "chat.endpoint_garbage"


def test_half_characters_go_neither_in_nor_out() -> None:
    with replies(lambda *_: ok("red \ud800")) as (url, asked):
        reply = engine(url).reply([{"role": "user", "content": "x \udfff"}], SHORT)
    assert reply.text == "red \ufffd" and asked[0]["messages"][0]["content"] == "x \ufffd"


def test_an_endpoint_that_never_streams_gives_its_answer_whole() -> None:
    def answer(body: dict[str, Any], _: int) -> Reply:
        return refusal("Streaming is not supported.") if body.get("stream") else ok()

    told: list[str] = []
    for handler in (answer, lambda *_: ok()):
        with replies(handler) as (url, asked):
            asking = engine(url, told)
            assert list(asking.stream(ASK, SHORT)) == ["red"] == list(asking.stream(ASK, SHORT))
            assert not asked[-1].get("stream"), "remembered"
    assert len(told) == 2


def test_tokens_per_minute_spread_requests() -> None:
    limit = RateLimit(tokens_per_minute=6000)
    begun = time.monotonic()
    assert all(limit.wait(threading.Event(), 20) for _ in range(3))
    assert 0.38 < time.monotonic() - begun < 1.5
    with FakeEndpoint().running() as server:
        dict(engine(server.url, tokens_per_minute=6000, concurrency=4).answers([ASK] * 3, Sampling(max_new_tokens=20)))
    assert server.times[-1] - server.times[0] > 0.38


def test_headers_and_body_fields_are_sent_and_their_secrets_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE_API_KEY", "gate-secret-1")
    headers = {"X-Team": "support", "X-Gate": "Bearer ${GATE_API_KEY}", "X-Own": "${key}"}
    about = {"url": "", "model": "m", "retries": 0, "headers": headers, "body": {"reasoning_effort": "low"}}
    with FakeEndpoint().running() as server:
        HttpEngine(Endpoint(**{**about, "url": server.url}), key="own-secret-2").answer(ASK, SHORT)
        sent = server.headers[0]
        assert (sent["x-team"], sent["x-gate"], sent["x-own"]) == ("support", "Bearer gate-secret-1", "own-secret-2")
        assert server.asked[0]["reasoning_effort"] == "low"
    with replies(lambda *_: refusal("gate-secret-1 own-secret-2")) as (url, _):
        with pytest.raises(StudioError) as caught:
            HttpEngine(Endpoint(**{**about, "url": url}), key="own-secret-2").answer(ASK, SHORT)
    assert caught.value.problems[0].args["reason"] == "… …"
    monkeypatch.delenv("GATE_API_KEY")
    with pytest.raises(StudioError) as caught:
        HttpEngine(Endpoint(**{**about, "url": "http://127.0.0.1:9"}), key="own-secret-2")
    assert caught.value.code == "wire.header_missing" and "GATE_API_KEY" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("X-Team: support\n\nX-Region: eu", None),
        ("X-Gate: ${GATE_API_KEY}", None),
        ("Authorization: Bearer ${key}", None),
        ("no colon", "wire.header_form"),
        ("X-Ñ: a", "wire.header_form"),
        ("X-A: ñ", "wire.header_form"),
        ("Host: evil", "wire.field_ours"),
        ("Content-Length: 3", "wire.field_ours"),
        ("Authorization: Bearer abc", "wire.header_secret"),
        ("X-Api-Key: abc", "wire.header_secret"),
        ("X-Thing: sk-proj-abcdefghij0123456789abcd", "wire.header_secret"),
        ("X-Home: ${HOME}", "chat.endpoint_key_name"),
        ("X-A: " + "a" * 5000, "wire.extras_long"),
    ],
)
def test_headers_that_are_typed(text: str, code: str | None) -> None:
    assert [problem.code for problem in check_headers(parse_headers(text))] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", None),
        ('{"chat_template_kwargs": {"enable_thinking": false}}', None),
        ('{"model": "x"}', "wire.field_ours"),
        ('{"token": "sk-proj-abcdefghij0123456789abcd"}', "wire.body_secret"),
    ],
)
def test_body_fields_that_are_typed(text: str, code: str | None) -> None:
    found = parse_body(text)
    assert found is not None and [problem.code for problem in check_body(found)] == ([code] if code else [])


@pytest.mark.parametrize("text", ["{", "[1]", "3", "{'a': 1}"])
def test_what_is_no_object_is_no_body(text: str) -> None:
    assert parse_body(text) is None
