"""Keeps processes alive: web and worker under one supervisor, or a worker for as long as a command needs one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backend.core.errors import StudioError
from backend.core.paths import ROOT, absolute
from backend.core.programs import Programs, command
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs import heartbeat
from backend.process.guards import EXIT_REFUSED
from backend.process.parent_death import parent_bound_command

_STOP_TIMEOUT = 5.0
_START_TIMEOUT = 30.0
_POLL_SECONDS = 0.1
_STABLE_SECONDS = 30.0
_MAX_BACKOFF = 30.0
_MAX_RESTARTS = 6  # a stage that kills its worker does so three times before it is given up


@dataclass
class Command:
    """A process to keep. Its output goes to the file `log`, or to the terminal. `needed`: where it is refused (its address is
    taken, say), the others are of no use."""

    name: str
    argv: Sequence[str]
    log: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    needed: bool = False


class _SupervisedProcess:
    """A command and its present process; started again with growing pauses when it ends."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.failures = 0
        self.refusals = 0
        self._starts = 0
        self._said = ""
        self._due: float | None = None
        self._start()

    @property
    def refused(self) -> bool:
        """Whether it can't be had: at the first start, or again and again later."""
        return self.command.needed and self.refusals >= (1 if self._starts == 1 else _MAX_RESTARTS)

    def check(self) -> None:
        """Start the process again when it has ended and its pause is over."""
        now = time.monotonic()
        code = self.process.poll()
        if code is None:
            return
        if self._due is None:
            self.failures = 0 if now - self._begun > _STABLE_SECONDS else self.failures + 1
            pause = min(0.5 * 2 ** min(self.failures, 6), _MAX_BACKOFF)
            self._due = now + pause
            self.refusals = self.refusals + 1 if code == EXIT_REFUSED else 0
            self._say(code, pause)
        elif now >= self._due:
            self._start()

    def _say(self, code: int, pause: float) -> None:
        """Why it ended; a refusal in its own words, once."""
        text = f"{self.command.name} ended (code {code}); starting it again in {pause:.0f} s"
        if code == EXIT_REFUSED:
            text = _last_line(self.command.log) if self.command.log else ""  # else it has said it here itself
        if text and not (code == EXIT_REFUSED and text == self._said):
            sys.stderr.write(f"{text}\n")
        self._said = text

    def _start(self) -> None:
        self._starts += 1
        self.process = start(self.command)
        self._begun = time.monotonic()
        self._due = None


def start(command: Command) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one, whatever happens to it."""
    argv = [*parent_bound_command(), *command.argv]
    env = {**os.environ, **command.env}
    if env.get("SLMOPS_HOME"):  # relative to where the user is, not to ROOT
        env["SLMOPS_HOME"] = str(absolute(env["SLMOPS_HOME"]))
    if command.log is None:
        return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True)
    with command.log.open("ab") as log:
        return subprocess.Popen(argv, cwd=ROOT, env=env, start_new_session=True, stdout=log, stderr=log)


def keep_alive(commands: Sequence[Command]) -> int:
    """Run all commands until Ctrl-C or SIGTERM, and start again each that ends. Call it from the main thread. The exit code:
    0, or that of a refusal when one that is needed can't be had."""
    stop = False

    def ask(*_: object) -> None:
        nonlocal stop
        stop = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    kept: list[_SupervisedProcess] = []
    try:
        kept += [_SupervisedProcess(command) for command in commands]
        while not stop:
            for entry in kept:
                entry.check()
            if any(entry.refused for entry in kept):
                return EXIT_REFUSED
            time.sleep(_POLL_SECONDS)
        return 0
    finally:
        terminate([entry.process for entry in kept])
        for number, handler in before.items():
            signal.signal(number, handler)


def terminate(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to all, SIGKILL to those that are still there after five seconds."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + _STOP_TIMEOUT
    for process in processes:
        try:
            process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def worker_command(settings: Settings, queues: Sequence[str] = ()) -> Command:
    """The worker of these settings; its output goes to `logs/worker.log`."""
    argv = command(Programs.WORKER, *(["--queues", ",".join(queues)] if queues else []))
    return Command("worker", argv, settings.logs / "worker.log", _environment(settings))


def model_host_command(settings: Settings) -> Command:
    """The process that loads models for the pages; its output and that of the models goes to `logs/serve.log`."""
    return Command(
        "model host", command(Programs.MODEL_HOST), settings.logs / "serve.log", _environment(settings), needed=True
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {"SLMOPS_HOME": str(settings.home)} | ({"SLMOPS_DB_URL": settings.db_url} if settings.db_url else {})


class WorkerSupervisor:
    """Sees to it that a live worker serves a command: somebody else's, or our own while there is none."""

    def __init__(self, store: Store, command: Command) -> None:
        self._store = store
        self._command = command
        self._own: _SupervisedProcess | None = None
        self._tries = 0

    def check(self, queues: Collection[str] = ()) -> bool:
        """True when live workers serve all of `queues`; else our own is started, with growing pauses. Call it often.

        Raises StudioError when our own ends again and again, or at once before there was any live worker."""
        code = self._own.process.poll() if self._own else None  # reaps it, too: a zombie would count as live
        live = heartbeat.live_workers(self._store)
        if live:
            self._tries = _MAX_RESTARTS
            if {name for worker in live for name in worker.queues}.issuperset(queues):
                return True
        if self._own is None:
            self._own = _SupervisedProcess(self._command)
        elif code not in (None, EXIT_REFUSED) and not live and self._own.failures >= self._tries:
            raise self._failed(_last_line(self._command.log))
        else:
            self._own.check()
        return False

    def wait(self) -> None:
        """Return when the first worker lives. Raises StudioError when none comes."""
        until = time.monotonic() + _START_TIMEOUT
        while not self.check():
            if time.monotonic() > until:
                raise StudioError("jobs.worker_silent", seconds=f"{_START_TIMEOUT:.0f}", log=self._command.log)
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """End our own worker."""
        if self._own:
            terminate([self._own.process])

    def _failed(self, reason: str) -> StudioError:
        return StudioError("jobs.worker_failed", reason=reason, log=self._command.log)


@contextmanager
def ensure_worker(settings: Settings, command: Command | None = None) -> Iterator[WorkerSupervisor]:
    """A live worker for the duration of the block, as long as the block calls `check`. Raises StudioError."""
    worker_supervisor = WorkerSupervisor(Store(settings.prepare().store_url), command or worker_command(settings))
    try:
        worker_supervisor.wait()
        yield worker_supervisor
    finally:
        worker_supervisor.close()


def _last_line(log: Path | None) -> str:
    lines = log.read_text("utf-8", errors="replace").split("\n") if log and log.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "it ended without output.")
