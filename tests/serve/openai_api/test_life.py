"""How a server begins, dies and ends: keys, a killed model, a graceful stop, and servers below the studio's host."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.schemas import Kind
from backend.serve.client import ServeOptions
from tests.serve.harness import HELLO, PATIENCE, HostHarness, gone
from tests.serve.openai_api.conftest import Server

pytestmark = [pytest.mark.proc, pytest.mark.ml]
LONG = 20_000


def test_a_key_is_asked_for_and_never_shown(rooms: HostHarness) -> None:
    key = "sk-not-to-be-seen"
    with Server(rooms, "one", "--api-key-env", "MY_KEY", MY_KEY=key) as server:
        assert server.ask().status_code == 401
        for headers in ({"authorization": "Bearer wrong"}, {"authorization": key}, {}):
            refused = server.http.get("/v1/models", headers=headers)
            assert refused.status_code == 401 and refused.json()["error"]["code"] == "invalid_api_key"
        assert server.http.get("/metrics").status_code == 401
        assert server.http.get("/health").status_code == 200
        server.http.headers["authorization"] = f"Bearer {key}"
        assert server.ask().status_code == 200
        commands = [*psutil.Process(server.process.pid).cmdline(), *server.engine().cmdline()]
        assert "$MY_KEY" in server.said
        assert key not in " ".join(commands) + server.said + server.log.read_text("utf-8")


def test_beyond_this_machine_a_key_is_needed(rooms: HostHarness) -> None:
    command = [sys.executable, "-c", "from backend.cli import main; main()", "serve", "one", "--host", "0.0.0.0"]
    env = {**os.environ, "SLMOPS_HOME": str(rooms.settings.home)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "SLMOPS_SERVE_KEY" in done.stderr and "Traceback" not in done.stderr


def test_a_model_that_dies_is_started_again(rooms: HostHarness) -> None:
    with Server(rooms, "one") as server:
        first = server.engine()
        stream = server.chunks(max_tokens=LONG)
        next(stream), next(stream)
        first.send_signal(signal.SIGKILL)
        last = list(stream)[-1]
        assert last["error"]["code"] == "model_restarting" and last["error"]["type"] == "server_error"
        refused = server.ask()
        assert refused.status_code in (200, 503)
        if refused.status_code == 503:
            assert refused.headers["retry-after"] and refused.json()["error"]["code"] == "model_restarting"
        server.until(lambda: server.ask().status_code == 200)
        assert server.engine().pid != first.pid
        assert server.count("slmops_model_restarts_total") == 1
        assert "was killed (SIGKILL)" in server.log.read_text("utf-8")


def test_a_stop_lets_answers_finish_and_takes_no_more(rooms: HostHarness) -> None:
    with Server(rooms, "one") as server:
        model = server.engine()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(server.ask, max_tokens=1500)
            server.until(lambda: server.count("slmops_requests_running") == 1)
            server.process.terminate()
            assert answer.result().json()["usage"]["completion_tokens"] == 1500
        assert server.process.wait(PATIENCE) == 0
        server.until(lambda: gone(model.pid))
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/health")


def test_a_stop_does_not_wait_for_ever(rooms: HostHarness) -> None:
    with Server(rooms, "one", "--grace", "1") as server:
        model = server.engine()
        stream = server.chunks(max_tokens=50_000)
        next(stream), next(stream)
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        server.until(lambda: gone(model.pid))


def test_a_model_does_not_outlive_a_killed_server(rooms: HostHarness) -> None:
    with Server(rooms, "one") as server:
        model = server.engine()
        server.process.kill()
        server.until(lambda: gone(model.pid))


def test_torch_weights_are_served_too(rooms: HostHarness, tiny_model: Path) -> None:
    rooms.add(tiny_model, "torch", Kind.MODEL)
    with Server(rooms, "torch") as server, ThreadPoolExecutor(3) as pool:
        said = [answer.json() for answer in pool.map(lambda _: server.ask(max_tokens=30), range(3))]
        assert len({one["choices"][0]["message"]["content"] for one in said}) == 1
        assert {one["usage"]["completion_tokens"] for one in said} <= {*range(31)}


def test_the_studios_host_starts_and_stops_servers(harness: HostHarness) -> None:
    harness.start()
    assert harness.client.servers() == []
    harness.client.start_server(ServeOptions(model="one", port=0, max_parallel=2))
    served = harness.until(lambda: next((one for one in harness.client.servers() if one.state == "ready"), None))
    assert served.id == "one" and served.name == "the one" and served.key_env == ""
    body = {"model": "one", "messages": HELLO, "max_tokens": 5}
    assert httpx.post(f"{served.url}/chat/completions", json=body, timeout=60).status_code == 200
    harness.until(lambda: harness.client.servers()[0].counters.get("completion_tokens") == 5)
    with pytest.raises(StudioError) as caught:
        harness.client.start_server(ServeOptions(model="one"))
    assert caught.value.code == "api.served"
    harness.client.start_server(ServeOptions(model="two", port=int(served.url.split(":")[2].split("/")[0])))
    failed = harness.until(lambda: next((one for one in harness.client.servers() if one.state == "failed"), None))
    assert failed.id == "two" and failed.error and failed.error.code == "api.port_taken"
    harness.client.stop_server("one")
    harness.client.stop_server("two")
    harness.until(lambda: harness.client.servers() == [])
    with pytest.raises(httpx.ConnectError):
        httpx.get(served.url)


def test_no_server_outlives_a_killed_host(harness: HostHarness) -> None:
    harness.start()
    harness.client.start_server(ServeOptions(model="one", port=0))
    harness.until(lambda: [one for one in harness.client.servers() if one.state == "ready"])
    assert harness.process
    children = psutil.Process(harness.process.pid).children(recursive=True)
    assert len(children) == 2
    harness.process.kill()
    harness.process.wait()
    harness.until(lambda: all(gone(child.pid) for child in children))
