"""`slmops serve` on the wire: OpenAI's form, several at once, clients that leave or are slow, refusals."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from math import exp

import httpx
import psutil
import pytest

from backend.data.dataset import Row, Template
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from tests.serve.harness import HELLO
from tests.serve.openai_api.conftest import Server

pytestmark = [pytest.mark.proc, pytest.mark.ml]
LONG = 20_000


def words(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def test_the_answer_is_that_of_the_engine_in_the_models_own_template(server: Server) -> None:
    view = server.harness.store.artifact("one")
    engine = open_engine(view, server.harness.store.artifact)
    prompt = Template.model_validate(view.facts["template"]).prompt(Row(id="", input=HELLO[0]["content"]))
    ids = engine.encode(prompt)
    whole = server.ask(max_tokens=40).json()
    assert whole["choices"][0]["message"]["content"] == engine.answer(ids, Sampling(max_new_tokens=40))
    assert whole["object"] == "chat.completion" and whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"] == {"prompt_tokens": len(ids), "completion_tokens": 40, "total_tokens": len(ids) + 40}
    plain = [{"role": "system", "content": ""}, *HELLO]
    assert server.ask(messages=plain).json()["usage"]["prompt_tokens"] == len(engine.encode(plain))


def test_a_stream_says_the_same_in_openais_chunks(server: Server) -> None:
    said = list(server.chunks(max_tokens=40, stream_options={"include_usage": True}))
    assert {chunk["object"] for chunk in said} == {"chat.completion.chunk"} and len({one["id"] for one in said}) == 1
    assert said[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    *pieces, end, usage = said[1:]
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in pieces) == words(server.ask(max_tokens=40))
    assert end["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] == 40 and end["usage"] is None
    assert "usage" not in next(server.chunks())


def test_stop_strings_seed_and_probabilities(server: Server) -> None:
    text = words(server.ask(max_tokens=40))
    stop = text[len(text) // 2 :][:4]
    cut = server.ask(max_tokens=40, stop=[stop]).json()["choices"][0]
    assert cut["message"]["content"] == text.split(stop)[0] and cut["finish_reason"] == "stop"
    drawn = [words(server.ask(temperature=1.5, seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    view = server.harness.store.artifact("one")
    engine = open_engine(view, server.harness.store.artifact)
    prompt = [{"role": "system", "content": "Name it."}, *HELLO]
    for seed in range(4):
        sampling = Sampling(max_new_tokens=40, temperature=1.3, top_p=0.9, seed=seed)
        asked = {"messages": prompt, "temperature": 1.3, "top_p": 0.9, "max_tokens": 40, "seed": seed}
        assert words(server.ask(**asked)) == engine.answer(engine.encode(prompt), sampling)
    entries = server.ask(logprobs=True, top_logprobs=3).json()["choices"][0]["logprobs"]["content"]
    assert len(entries) == 10
    for entry in entries:
        top = entry["top_logprobs"]
        assert top[0]["token"] == entry["token"] and top[0]["logprob"] == pytest.approx(entry["logprob"])
        assert sum(exp(one["logprob"]) for one in top) <= 1.000001
    streamed = [
        e for one in server.chunks(logprobs=True) for e in (one["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    assert [one["token"] for one in streamed] == [one["token"] for one in entries]


def test_answers_have_the_form_that_is_asked_for(server: Server) -> None:
    schema = {"type": "object", "properties": {"n": {"enum": [1, 2]}}, "required": ["n"], "additionalProperties": False}
    asked = {"type": "json_schema", "json_schema": {"name": "count", "schema": schema}}
    said = server.ask(response_format=asked, temperature=1.5, seed=3, max_tokens=100)
    assert json.loads(words(said))["n"] in (1, 2) and said.json()["choices"][0]["finish_reason"] == "stop"
    assert words(server.ask(constraint={"kind": "labels", "value": ["red"]}, max_tokens=9)) == "red"
    never = {"type": "json_schema", "json_schema": {"name": "never", "schema": {"type": "integer", "enum": ["a"]}}}
    refused = server.ask(response_format=never)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "response_format")
    assert error["message"].startswith("No answer can have this form")


def test_several_are_answered_together_and_each_as_if_alone(server: Server) -> None:
    asked = [[{"role": "user", "content": f"red item {n} " * (n + 1)}] for n in range(4)]
    alone = [words(server.ask(messages=each, max_tokens=60)) for each in asked]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: words(server.ask(messages=each, max_tokens=60)), asked))
        assert together == alone
        answers = [pool.submit(server.ask, max_tokens=600) for _ in range(4)]
        server.until(lambda: server.count("slmops_requests_running") >= 2)
        assert {len(words(answer.result())) > 0 for answer in answers} == {True}


def test_a_client_that_leaves_ends_its_answer(server: Server) -> None:
    left = server.count("slmops_clients_left_total")
    stream = server.chunks(max_tokens=LONG)
    next(stream), next(stream)
    server.until(lambda: server.count("slmops_requests_running") == 1)
    stream.close()  # type: ignore[attr-defined]
    server.until(lambda: server.count("slmops_requests_running") == 0)
    asked = httpx.Request("POST", f"{server.url}/v1/chat/completions", json=server.body(max_tokens=LONG))
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
        line.sendall(f"POST {asked.url.path} HTTP/1.1\r\n{head}\r\n".encode() + asked.content)
        server.until(lambda: server.count("slmops_requests_running") == 1)
    server.until(lambda: server.count("slmops_clients_left_total") == left + 2)
    assert server.count("slmops_requests_running") + server.count("slmops_requests_waiting") == 0
    begun = server.count("slmops_completion_tokens_total")
    time.sleep(0.3)
    assert server.count("slmops_completion_tokens_total") == begun < LONG


def test_a_slow_reader_gets_all_and_holds_up_nobody(server: Server) -> None:
    whole = words(server.ask(max_tokens=1000))
    body = httpx.Request("POST", f"{server.url}/", json=server.body(max_tokens=1000, stream=True)).content
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: application/json\r\n"
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", server.port))
        slow.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.5)
        assert words(server.ask())
        got = b""
        while part := slow.recv(2048):
            got += part
    assert b"data: [DONE]" in got
    assert got.count(b'"delta"') > 2 and len(got) > len(whole)


def test_a_full_queue_refuses(server: Server) -> None:
    streams = [server.chunks(max_tokens=LONG) for _ in range(7)]
    try:
        for stream in streams:
            next(stream)
        refused = server.ask()
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) > 0
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert server.http.get("/health").status_code == 200
    finally:
        for stream in streams:
            stream.close()  # type: ignore[attr-defined]
    server.until(lambda: server.ask().status_code == 200)


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status", "code"),
    [
        ("GET", "/v1/nothing", {}, b"", 404, "not_found"),
        ("GET", "/v1/models/nobody", {}, b"", 404, "model_not_found"),
        ("GET", "/v1/chat/completions", {}, b"", 405, "method_not_allowed"),
        ("GET", "/health", {"host": "evil.example"}, b"", 403, "host_not_allowed"),
        ("POST", "/v1/chat/completions", {"content-type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ("POST", "/v1/chat/completions", {}, b"{", 400, "invalid_value"),
        ("POST", "/v1/chat/completions", {}, b" " * 3_000_000, 413, "request_too_large"),
    ],
)
def test_refusals_have_openais_form(
    server: Server, method: str, path: str, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", **headers}
    answer = server.http.request(method, path, headers=headers, content=content)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code and error["message"] and {"type", "param"} <= error.keys()


def test_requests_that_the_model_can_not_take(server: Server) -> None:
    nobody = server.ask(model="nobody")
    assert nobody.status_code == 404 and nobody.json()["error"]["code"] == "model_not_found"
    long = server.ask(messages=[{"role": "user", "content": "é😀 " * 150_000}])
    assert long.status_code == 400 and long.json()["error"]["code"] == "context_length_exceeded"
    assert long.json()["error"]["param"] == "messages"
    streamed = server.http.post(
        "/v1/chat/completions", json=server.body(stream=True, messages=[{"role": "user", "content": "x " * 500_000}])
    )
    assert streamed.status_code == 400
    assert words(server.ask())


def test_models_health_and_metrics(server: Server) -> None:
    (card,) = server.http.get("/v1/models").json()["data"]
    assert card["id"] == "the one" and card["object"] == "model"
    assert server.http.get("/v1/models/the one").json() == server.http.get("/v1/models/one").json() == card
    assert server.http.get("/health").json() == {"status": "ok"}
    answered = server.count("slmops_request_seconds_count")
    tokens = server.count("slmops_completion_tokens_total")
    server.ask(max_tokens=7)
    assert server.count("slmops_request_seconds_count") == answered + 1
    assert server.count("slmops_completion_tokens_total") == tokens + 7
    assert server.count('slmops_request_seconds_bucket{le="+Inf"}') == answered + 1
    assert server.count('slmops_memory_bytes{process="model"}') > 10**7
    assert server.count('slmops_responses_total{status="200"}') > 0


def test_memory_does_not_grow(server: Server) -> None:
    def held() -> int:
        return sum(psutil.Process(pid).memory_info().rss for pid in (server.process.pid, server.engine().pid))

    def many(count: int) -> None:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda n: server.ask(seed=n, temperature=1).status_code == 200, range(count)))

    many(60)
    before = held()
    many(200)
    assert held() - before < 8_000_000
