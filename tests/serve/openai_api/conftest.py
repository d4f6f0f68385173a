"""A real `slmops serve` on a tiny model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
import pytest

from backend.core.paths import ROOT
from tests.serve.harness import HELLO, PATIENCE, HostHarness


class Server:
    """`options` as on the command line; `env` on top of the environment."""

    def __init__(self, harness: HostHarness, model: str, *options: str, **env: str) -> None:
        self.harness = harness
        self.model = model
        command = "from backend.cli import main; main()"
        with (harness.settings.logs / "served.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", command, "serve", model, "--port", "0", *options],
                cwd=ROOT,
                env={**os.environ, "SLMOPS_HOME": str(harness.settings.home), **env},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout
        self.said = self.process.stdout.readline().decode() + self.process.stdout.readline().decode()
        self.log = harness.settings.logs / "served.log"
        found = re.search(r"http://[^ ]*?:(\d+)/v1", self.said)
        assert found, self.log.read_text("utf-8")[-2000:]
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def body(self, **more: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": HELLO, "temperature": 0, "max_tokens": 10, **more}

    def ask(self, **more: Any) -> httpx.Response:
        return self.http.post("/v1/chat/completions", json=self.body(**more))

    def chunks(self, **more: Any) -> Iterator[dict[str, Any]]:
        """The events of a stream, without the last `[DONE]`."""
        body = self.body(stream=True, **more)
        with self.http.stream("POST", "/v1/chat/completions", json=body) as answer:
            assert answer.status_code == 200, answer.read()
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    yield json.loads(line.removeprefix("data: "))

    def count(self, name: str) -> float:
        """A value of /metrics."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.http.get("/metrics").text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def until(self, condition: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE} s\n" + self.log.read_text("utf-8")[-2000:])

    def engine(self) -> psutil.Process:
        """The process of the model."""
        (found,) = psutil.Process(self.process.pid).children()
        return found


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory, onnx: Path) -> Iterator[HostHarness]:
    with HostHarness(tmp_path_factory.mktemp("rooms") / "home") as harness:
        harness.add(onnx, "one", template={"system": "Name the colour.", "user": "Item: {input}"})
        yield harness


@pytest.fixture(scope="module")
def server(rooms: HostHarness) -> Iterator[Server]:
    with Server(rooms, "one", "--max-parallel", "4", "--max-waiting", "3") as made:
        yield made
        made.process.terminate()
        assert made.process.wait(PATIENCE) == 0
        assert "Traceback" not in made.log.read_text("utf-8")
