"""Keeps processes alive: web and worker under one supervisor, or a worker for as long as a command needs one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.errors import StudioError
from backend.jobs import beats
from backend.paths import ROOT
from backend.settings import Settings
from backend.store import Store

WORKER = (sys.executable, "-m", "backend.jobs.worker")
_PATIENCE = 5.0
_START = 30.0
_TICK = 0.1
_STEADY = 30.0
_MAX_BACKOFF = 30.0


@dataclass
class Command:
    """A process to keep. Its output goes to the file `log`, or to the terminal."""

    name: str
    argv: Sequence[str]
    log: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)


class _Kept:
    """A command and its present process; started again with growing pauses when it ends."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._pause = 0.5
        self._due: float | None = None
        self._start()

    def look(self) -> None:
        """Start the process again when it has ended and its pause is over."""
        now = time.monotonic()
        code = self.process.poll()
        if code is None:
            return
        if self._due is None:
            self._pause = 0.5 if now - self._begun > _STEADY else min(self._pause * 2, _MAX_BACKOFF)
            self._due = now + self._pause
            sys.stderr.write(f"{self.command.name} ended (code {code}); starting it again in {self._pause:.0f} s\n")
        elif now >= self._due:
            self._start()

    def _start(self) -> None:
        self.process = start(self.command)
        self._begun = time.monotonic()
        self._due = None


def start(command: Command) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one, whatever happens to it."""
    argv = [sys.executable, "-m", "backend.jobs.tether", str(os.getpid()), *command.argv]
    env = {**os.environ, **command.env}
    if "SLMOPS_HOME" in env:  # relative to where the user is, not to ROOT
        env["SLMOPS_HOME"] = str(Path(env["SLMOPS_HOME"]).expanduser().absolute())
    if command.log is None:
        return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)
    with command.log.open("ab") as log:
        return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True, stdout=log, stderr=log)


def keep_alive(commands: Sequence[Command]) -> None:
    """Run all commands until Ctrl-C or SIGTERM, and start again each that ends. Call it from the main thread."""
    stop = False

    def ask(*_: object) -> None:
        nonlocal stop
        stop = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    kept: list[_Kept] = []
    try:
        kept += [_Kept(command) for command in commands]
        while not stop:
            for entry in kept:
                entry.look()
            time.sleep(_TICK)
    finally:
        end([entry.process for entry in kept])
        for number, handler in before.items():
            signal.signal(number, handler)


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to all, SIGKILL to those that are still there after five seconds."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + _PATIENCE
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def worker_command(settings: Settings, queues: Sequence[str] = ()) -> Command:
    """The worker of these settings; its output goes to `logs/worker.log`."""
    env = {"SLMOPS_HOME": str(settings.home)} | ({"SLMOPS_DB_URL": settings.db_url} if settings.db_url else {})
    argv = [*WORKER, *(["--queues", ",".join(queues)] if queues else [])]
    return Command("worker", argv, settings.logs / "worker.log", env)


@contextmanager
def ensure_worker(settings: Settings, command: Command | None = None) -> Iterator[None]:
    """A live worker for the duration of the block: one that is there already, else one of our own. Raises StudioError."""
    store = Store(settings.prepare().store_url)
    if beats.live(store):
        yield
        return
    command = command or worker_command(settings)
    process = start(command)
    try:
        _wait_until_alive(store, process, command)
        yield
    finally:
        end([process])


def _wait_until_alive(store: Store, process: subprocess.Popen[bytes], command: Command) -> None:
    until = time.monotonic() + _START
    while not beats.live(store):
        if process.poll() is not None:
            raise StudioError("jobs.worker_failed", reason=_last_line(command.log), log=command.log)
        if time.monotonic() > until:
            raise StudioError("jobs.worker_failed", reason=f"it did not answer for {_START:.0f} s.", log=command.log)
        time.sleep(_TICK)


def _last_line(log: Path | None) -> str:
    lines = log.read_text("utf-8", errors="replace").split("\n") if log and log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "it ended without a word.")
