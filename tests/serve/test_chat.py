"""Chatting through a real host: what is said, in which shape, how it is stopped, who may ask."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import httpx
import psutil
import pytest

from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.schemas import Kind
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from backend.serve.client import Piece
from backend.serve.schemas import address_file
from tests.serve.harness import ENDLESS, HELLO, PATIENCE, HostHarness, at_work, port_of

pytestmark = [pytest.mark.proc, pytest.mark.ml]
TEN = Sampling(max_new_tokens=10)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, onnx: Path, tiny_model: Path) -> Iterator[HostHarness]:
    with HostHarness(tmp_path_factory.mktemp("served") / "home") as den:
        den.add(onnx, "one")
        den.add(onnx, "two")
        den.add(onnx, "small", context=40)
        den.add(tiny_model, "torch", Kind.MODEL)
        yield den.start()
        assert den.stop() == 0
        log = (den.settings.logs / "serve.log").read_text("utf-8")
        assert "Traceback" not in log and "raised exception" not in log


def test_an_answer_comes_in_pieces_and_ends_with_its_figures(served: HostHarness) -> None:
    engine = open_engine(served.store.artifact("one"), served.store.artifact)
    prompt = engine.encode(HELLO)
    many = Sampling(max_new_tokens=500)
    begun = time.perf_counter()
    said = [piece for piece in served.client.chat("one", HELLO, many) if piece.text or piece.done]
    took = time.perf_counter() - begun
    assert "".join(piece.text for piece in said) == engine.answer(prompt, many)
    assert len(said) > 1  # a busy machine may bring it in few pieces
    end = said[-1]
    assert (end.finish, end.prompt_tokens, end.completion_tokens) == ("length", len(prompt), 500)
    assert end.ttft_ms and 0 < end.ttft_ms < 1000 * took
    assert end.decode_tokens_per_s and end.decode_tokens_per_s > 499 / took


def test_the_shape_is_that_of_openai(served: HostHarness) -> None:
    asked = {"model": "one", "messages": HELLO, "max_tokens": 10, "temperature": 0}
    whole = served.post(asked).json()
    assert whole["object"] == "chat.completion" and whole["model"] == "one"
    assert whole["usage"]["total_tokens"] == whole["usage"]["prompt_tokens"] + 10
    streamed = served.post({**asked, "stream": True, "stream_options": {"include_usage": True}})
    assert streamed.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in streamed.text.splitlines() if line.startswith("data: ")]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    *pieces, end, _usage = chunks
    text = "".join(chunk["choices"][0]["delta"]["content"] for chunk in pieces)
    assert text == whole["choices"][0]["message"]["content"]
    assert end["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == "length"
    assert (
        chunks[-1]["choices"] == []
        and chunks[-1]["usage"] == whole["usage"]
        and chunks[-1]["timings"].keys() == whole["timings"].keys()
    )


def test_the_seed_decides_what_is_drawn(served: HostHarness) -> None:
    drawn = Sampling(max_new_tokens=12, temperature=1.5)
    first, second, other = (served.say("one", drawn.model_copy(update={"seed": seed}))[0] for seed in (1, 1, 2))
    assert first == second != other
    engine = open_engine(served.store.artifact("one"), served.store.artifact)
    assert first == engine.answer(engine.encode(HELLO), drawn.model_copy(update={"seed": 1}))


def test_closing_stops_the_model_at_once(served: HostHarness) -> None:
    pid = served.ready("one").pid
    assert pid
    talk = served.client.chat("one", HELLO, ENDLESS)
    while not next(talk).text:
        continue
    assert at_work(pid)
    now = served.reach("one", "ready")
    assert (now.answering, now.idle_seconds) == (1, 0)
    talk.close()  # type: ignore[attr-defined]
    served.until(lambda: not at_work(pid))
    served.until(lambda: served.reach("one", "ready").idle_seconds > 0)


def test_a_client_that_leaves_a_whole_answer_stops_it(served: HostHarness) -> None:
    pid = served.ready("one").pid
    address = served.address()
    headers = {"authorization": f"Bearer {address.token}"}
    with pytest.raises(httpx.ReadTimeout):
        url = f"http://127.0.0.1:{address.port}/v1/chat/completions"
        asked = {"model": "one", "messages": HELLO, "temperature": 0, "max_tokens": 20_000}
        httpx.post(url, json=asked, headers=headers, timeout=0.5)
    assert pid
    served.until(lambda: not at_work(pid))


def test_one_answer_at_a_time_and_who_waits_can_leave(served: HostHarness) -> None:
    pid = served.ready("one").pid
    assert pid
    first, second = (served.client.chat("one", HELLO, ENDLESS) for _ in range(2))
    while not next(first).text:
        continue
    assert next(second) == Piece()
    assert served.reach("one", "ready").answering == 2
    second.close()  # type: ignore[attr-defined]
    served.until(lambda: served.reach("one", "ready").answering == 1)
    assert at_work(pid)
    first.close()  # type: ignore[attr-defined]
    served.until(lambda: not at_work(pid))


def test_two_models_answer_at_once(served: HostHarness) -> None:
    texts: dict[str, str] = {}

    def talk(name: str) -> None:
        for piece in served.client.chat(name, HELLO, ENDLESS):
            texts[name] = texts.get(name, "") + piece.text
            if len(texts) == 2 and all(len(text) > 50 for text in texts.values()):
                return

    threads = [Thread(target=talk, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert set(texts) == {"one", "two"} and all(len(text) > 50 for text in texts.values())


def test_without_the_token_nobody_gets_in(served: HostHarness) -> None:
    pid = served.ready("one").pid
    assert pid
    assert port_of(served.address().pid) == ("127.0.0.1", served.address().port)
    assert psutil.Process(pid).net_connections("inet") == []  # the process of a model is asked through pipes alone
    asked = {"model": "one", "messages": HELLO}
    base = f"http://127.0.0.1:{served.address().port}"
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": served.address().token}):
        answer = httpx.post(f"{base}/v1/chat/completions", json=asked, headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.json()["problems"][0]["code"] == "api.key"
    assert httpx.get(f"{base}/health").status_code == 200
    assert httpx.get(f"{base}/models").status_code == 401
    allowed = {"authorization": f"Bearer {served.address().token}", "host": "evil.example"}
    assert httpx.get(f"{base}/models", headers=allowed).status_code == 403
    assert address_file(served.settings).stat().st_mode & 0o777 == 0o600
    child = psutil.Process(pid)
    assert served.address().token not in " ".join(child.cmdline() + list(child.environ().values()))
    assert child.cmdline()[-1] == "one"


def test_a_prompt_that_is_too_long_is_a_sentence(served: HostHarness) -> None:
    with pytest.raises(StudioError) as caught:
        served.say("small", TEN, [{"role": "user", "content": "red item " * 100}])
    (problem,) = caught.value.problems
    assert problem.code == "serve.prompt_long" and problem.args["context"] == 40 and problem.args["tokens"] > 100
    assert served.reach("small", "ready").error is None
    text, end = served.say("small", ENDLESS, [{"role": "user", "content": "red"}])
    assert text and end.finish == "length" and end.prompt_tokens + end.completion_tokens == 40


def test_wrong_requests_are_named(served: HostHarness) -> None:
    wrong = served.post({"model": "one", "messages": [], "temperature": 9, "max_tokens": "many"})
    assert wrong.status_code == 400
    found = {problem["field"]: problem["code"] for problem in wrong.json()["problems"]}
    assert found == {"messages": "value.few", "temperature": "value.at_most", "max_tokens": "value.whole"}
    assert served.post({"messages": HELLO}).json()["problems"][0]["field"] == "model"
    unknown = served.post({"model": "nobody", "messages": HELLO})
    assert unknown.status_code == 404
    with pytest.raises(StudioError, match="no artifact “nobody”"):
        served.client.load("nobody")


def test_a_model_that_dies_while_it_answers_says_so(served: HostHarness) -> None:
    pid = served.ready("one").pid
    assert pid
    talk = served.client.chat("one", HELLO, ENDLESS)
    while not next(talk).text:
        continue
    psutil.Process(pid).kill()
    with pytest.raises(StudioError, match=r"“the one” was killed \(SIGKILL\)"):
        list(talk)
    assert served.say("one", TEN)[1].done


def test_torch_weights_answer_in_a_process_of_their_own(served: HostHarness) -> None:
    text, end = served.say("torch", TEN)
    engine = open_engine(served.store.artifact("torch"), served.store.artifact)
    assert text == engine.answer(engine.encode(HELLO), TEN)
    assert end.done
    heavy = {served.reach("torch", "ready").pid: True, served.ready("one").pid: False, served.address().pid: False}
    for pid, expected in heavy.items():
        assert ("libtorch" in Path(f"/proc/{pid}/maps").read_text()) is expected


def test_the_client_is_light() -> None:
    code = "import sys, backend.serve.client; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "httpx" in loaded
    assert not loaded & {
        "torch",
        "transformers",
        "onnxruntime",
        "onnxruntime_genai",
        "starlette",
        "uvicorn",
        "sqlalchemy",
    }


def test_looking_costs_next_to_nothing(served: HostHarness) -> None:
    def look() -> float:
        begun = time.perf_counter()
        for _ in range(20):
            assert served.client.available()
            served.client.models()
        return time.perf_counter() - begun

    assert min(look() for _ in range(5)) < 2  # other processes may slow down some of them
