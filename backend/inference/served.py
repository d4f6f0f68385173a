"""A model behind its real server, in processes of its own, for as long as something is measured: what `slmops serve` runs."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from backend.core.errors import Problem, StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView
from backend.process.memory import peak_memory_of

_KEY_VARIABLE = "SLMOPS_SERVE_KEY"
_END_SECONDS = 10.0


@dataclass(frozen=True)
class Served:
    """`url` up to `/v1`; `begun`: when its process was started, as perf_counter tells."""

    url: str
    key: str
    pid: int
    begun: float

    def peak_memory(self) -> int:
        """Of the server and the process of its model together, in bytes."""
        return peak_memory_of(self.pid)


def can_limit_cores() -> bool:
    """Whether this system keeps a process on some of its cores (Linux)."""
    return hasattr(os, "sched_setaffinity")


@contextmanager
def served(views: Sequence[ArtifactView], folder: Path, cores: int = 0) -> Iterator[Served]:
    """Serve the first of `views` (then come the bases of an adapter) with the options that `slmops serve` has, on a free port
    of this machine with a key of its own. `folder`: its home, so that it touches no other; `cores`: it may use so many, 0 for
    all. Raises StudioError when it can't be served."""
    key, begun = secrets.token_urlsafe(24), perf_counter()
    process = subprocess.Popen(
        command(Programs.API_SERVER),
        cwd=ROOT,
        env={**os.environ, "SLMOPS_HOME": str(folder), _KEY_VARIABLE: key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        if cores:
            os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:cores])
        report = _told(process, views)
        if "problems" in report:
            raise StudioError.of([Problem.model_validate(one) for one in report["problems"]])
        threading.Thread(target=_drain, args=(process,), daemon=True).start()
        yield Served(f"http://127.0.0.1:{report['port']}/v1", key, process.pid, begun)
    finally:
        _end(process)


def _told(process: subprocess.Popen[bytes], views: Sequence[ArtifactView]) -> dict[str, Any]:
    """The order goes in, and what came of the start comes out."""
    options = {"model": views[0].id, "port": 0, "key_env": _KEY_VARIABLE, "force": True}
    order = {"host": os.getpid(), "options": options, "views": [view.model_dump(mode="json") for view in views]}
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = b""
    if not line.endswith(b"\n"):
        raise StudioError("serve.broken")
    found: dict[str, Any] = json.loads(line)
    return found


def _drain(process: subprocess.Popen[bytes]) -> None:
    """It counts aloud once a second, and would wait when nobody heard it."""
    assert process.stdout
    with suppress(ValueError, OSError):  # closed at the end
        while process.stdout.read(65536):
            continue


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with what is below it, which holds nothing to keep, and wait until its memory is free."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        below = []
    process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()
    for each in below:
        with suppress(psutil.Error):
            each.kill()
    psutil.wait_procs(below, timeout=_END_SECONDS)
