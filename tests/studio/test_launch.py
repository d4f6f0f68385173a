"""The real web process: what it answers, whom it refuses, how it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from backend.core.paths import ROOT
from tests.studio.web_process import StudioProcess, WebProcess

pytestmark = pytest.mark.proc

UPGRADE = {
    "connection": "upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with WebProcess(tmp_path_factory.mktemp("web") / "home") as started:
        yield started


def test_health_and_first_page_answer(web: WebProcess) -> None:
    health = httpx.get(f"{web.url}/api/health")
    assert health.headers["content-type"] == "application/json"
    assert health.json()["status"] == "ok"
    page = httpx.get(web.url)
    assert page.status_code == 200
    assert "<html" in page.text


def test_fonts_come_from_here(web: WebProcess) -> None:
    font = httpx.get(f"{web.url}/app/static/inter.woff2")
    assert font.status_code == 200
    assert font.content[:4] == b"wOF2"


def test_foreign_host_is_refused(web: WebProcess) -> None:
    for path in ("/", "/api/health"):
        answer = httpx.get(web.url + path, headers={"host": "evil.example"})
        assert answer.status_code == 400
        assert "localhost" in answer.text
    stream = httpx.get(f"{web.url}/_stcore/stream", headers={"host": "evil.example", **UPGRADE})
    assert stream.status_code == 403


def test_port_in_use_is_a_sentence(web: WebProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "studio.webapp.launch", "--port", str(web.port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 2
    assert f"{web.port} can't be used" in second.stderr
    assert "Traceback" not in second.stderr


def test_beyond_loopback_a_token_is_needed(home: Path) -> None:
    with WebProcess(home, host="0.0.0.0") as web, httpx.Client(base_url=web.url) as client:
        token = web.lines[0].split("token=")[1]
        assert len(token) >= 24
        assert client.get("/").status_code == 401
        assert client.get("/api/health").status_code == 200
        assert client.get("/_stcore/stream", headers=UPGRADE).status_code == 403
        assert client.get("/", params={"token": token}).status_code == 303
        assert client.get("/").status_code == 200


def test_made_up_token_outlives_the_web_process(home: Path) -> None:
    with StudioProcess(home, "--no-worker", host="0.0.0.0") as studio, httpx.Client(base_url=studio.url) as client:
        token = next(line for line in studio.lines if "token=" in line).split("token=")[1]
        assert client.get("/", params={"token": token}).status_code == 303
        before = studio.kill("studio.webapp.launch")
        deadline = time.monotonic() + 30
        while studio.running("studio.webapp.launch") in (before, None) and time.monotonic() < deadline:
            time.sleep(0.1)
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                assert client.get("/").status_code == 200
                return
            time.sleep(0.1)
        raise AssertionError("the web process did not come back")


def test_own_token_is_taken_and_not_printed_and_stop_is_quick(home: Path) -> None:
    with WebProcess(home, host="0.0.0.0", SLMOPS_TOKEN="of-my-own") as web:
        assert httpx.get(web.url, headers={"authorization": "Bearer of-my-own"}).status_code == 200
        began = time.monotonic()
        assert web.stop() == 0
        assert time.monotonic() - began < 5
        assert "of-my-own" not in "\n".join(web.lines)
        assert "Traceback" not in "\n".join(web.lines)
