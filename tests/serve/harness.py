"""A home with tiny models and a real host process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from backend.core.artifacts import Manifest
from backend.core.paths import ROOT
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.inference.protocol import Sampling
from backend.models.recheck import CHECKED
from backend.serve.client import Piece, ServeClient, ServedModel
from backend.serve.schemas import Address, address_file
from tests.helpers import model_view
from tests.onnx_models import CONTEXT

ENDLESS = Sampling(max_new_tokens=20_000)
"""Several seconds of words."""
PATIENCE = 60
"""Seconds within which anything has to happen, on a busy machine too."""
HELLO = [{"role": "user", "content": "red item 3"}]


class HostHarness:
    """`add` registers models, `start` and `stop` handle the host, `client` talks to it."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home).prepare()
        self.store = Store(self.settings.store_url)
        self.client = ServeClient(self.settings)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def add(
        self, folder: Path, name: str, kind: Kind = Kind.ONNX, parents: Sequence[str] = (), **facts: Any
    ) -> ArtifactView:
        known = model_view(folder).facts if kind is Kind.MODEL else {"parameters": 65_536, "format": "onnx"}
        path = self.settings.artifacts / kind / name
        shutil.copytree(folder, path)
        facts = {"context": CONTEXT, "checked": CHECKED, **known, **facts}
        manifest = Manifest(id=name, kind=kind, name=f"the {name}", facts=facts, parents=list(parents))
        return self.store.add_artifact(manifest, path, self.store.project())

    def spawn(self, **env: str) -> subprocess.Popen[bytes]:
        with (self.settings.logs / "serve.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "backend.serve.host"],
                cwd=ROOT,
                env={**os.environ, "SLMOPS_HOME": str(self.settings.home), **env},
                stderr=log,
            )

    def start(self, **env: str) -> Self:
        self.process = self.spawn(**env)
        self.until(self.client.available)
        return self

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def ready(self, name: str) -> ServedModel:
        self.client.load(name)
        return self.reach(name, "ready")

    def reach(self, name: str, state: str) -> ServedModel:
        def found() -> ServedModel | None:
            return next((one for one in self.client.models() if (one.id, one.state) == (name, state)), None)

        model: ServedModel = self.until(found)
        return model

    def names(self) -> set[str]:
        return {model.id for model in self.client.models()}

    def say(self, name: str, sampling: Sampling, messages: list[dict[str, str]] = HELLO) -> tuple[str, Piece]:
        """The whole text and the last piece."""
        said = list(self.client.chat(name, messages, sampling))
        return "".join(piece.text for piece in said), said[-1]

    def address(self) -> Address:
        return Address.model_validate_json(address_file(self.settings).read_text("utf-8"))

    def post(self, body: Any) -> httpx.Response:
        """A raw chat request to the host."""
        address = self.address()
        url = f"http://127.0.0.1:{address.port}/v1/chat/completions"
        return httpx.post(url, json=body, headers={"authorization": f"Bearer {address.token}"}, timeout=60)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Poll until `condition` holds; its value."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.02)
        raise AssertionError(
            f"not within {PATIENCE} s\n" + (self.settings.logs / "serve.log").read_text("utf-8")[-2000:]
        )


def port_of(pid: int) -> tuple[str, int]:
    """Where a process listens."""
    (listening,) = [one for one in psutil.Process(pid).net_connections("inet") if one.status == psutil.CONN_LISTEN]
    return listening.laddr.ip, listening.laddr.port


def at_work(pid: int) -> bool:
    """Whether a process computes."""
    return psutil.Process(pid).cpu_percent(0.3) > 10


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
