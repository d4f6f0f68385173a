"""One attempt at a job: a child process, its reports, its end. Knows nothing of queues or databases."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from backend.core.paths import ROOT
from backend.core.programs import command
from backend.core.schemas import JobError
from backend.core.stage import CANCEL_FILE
from backend.jobs.context import Access, JobSpec
from backend.models.hub_client import ASKED_OFFLINE, offline
from backend.process.environment import computing_environment

GRACE_SECONDS = 0.8
_LINE_LIMIT = 2**24
Reason = Literal["cancel", "shutdown"]


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended. `died`: without a word, `code` as subprocess reports it (-9: SIGKILL)."""

    kind: Literal["succeeded", "failed", "stopped", "died"]
    result: dict[str, Any] | None = None
    error: JobError | None = None
    peak: int | None = None
    code: int = 0


class Attempt:
    """`run` starts the child and returns its outcome; `stop` and `renew` may be called meanwhile. the child is
    told its `access` on standard input, so that no list of processes, file or log has its secrets. `devices`: variables that
    name its graphics cards."""

    def __init__(
        self,
        order: JobSpec,
        program: str,
        log: Path,
        report: Callable[[dict[str, Any]], None],
        access: Access | None = None,
        devices: Mapping[str, str] | None = None,
    ) -> None:
        self._order = order
        self._program = program
        self._log = log
        self._report = report
        self._access = access or Access()
        self._devices = devices or {}
        self._last: dict[str, Any] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._stop = asyncio.Event()
        self.reason: Reason | None = None
        self.pid: int | None = None

    def stop(self, reason: Reason) -> None:
        """Ask the child to end (SIGTERM), then end it with all its descendants (SIGKILL) after GRACE seconds."""
        self.reason = self.reason or reason
        self._stop.set()

    def renew(self) -> None:
        """Renew the child's lease."""
        if self._process is not None and self._process.stdin is not None and self._process.returncode is None:
            with suppress(OSError, RuntimeError):
                self._process.stdin.write(b"\n")

    async def run(self, started: Callable[[int], Any]) -> Outcome:
        """Run the child to its end; `started` gets its pid."""
        self._order.dir.mkdir(parents=True, exist_ok=True)
        (self._order.dir / CANCEL_FILE).unlink(missing_ok=True)
        with _open_log(self._log) as log:
            process = await asyncio.create_subprocess_exec(
                *command(self._program, os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=child_environment(self._order.dir, self._access.network) | dict(self._devices),
                start_new_session=True,
                limit=_LINE_LIMIT,
            )
        self._process = process
        self.pid = process.pid
        try:
            assert process.stdin is not None
            process.stdin.write(
                self._order.model_dump_json().encode() + b"\n" + self._access.model_dump_json().encode() + b"\n"
            )
            await asyncio.gather(self._read(), self._wait_for_exit(), asyncio.to_thread(started, process.pid))
        finally:
            _signal_group(process.pid, signal.SIGKILL)
        return self._outcome(await process.wait())

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] in ("result", "error", "cancelled"):
                self._last = event
            else:
                self._report(event)

    async def _wait_for_exit(self) -> None:
        assert self._process is not None
        end = asyncio.ensure_future(self._process.wait())
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({end, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not end.done():
            if self.reason == "cancel":  # a stop of the worker is no cancel: what was begun elsewhere goes on
                (self._order.dir / CANCEL_FILE).touch()
            _signal_group(self._process.pid, signal.SIGTERM)
            await asyncio.wait({end}, timeout=GRACE_SECONDS)
            _signal_group(self._process.pid, signal.SIGKILL)
        await end

    def _outcome(self, code: int) -> Outcome:
        last = self._last or {"event": None}
        peak = last.get("peak")
        if last["event"] == "result" and self.reason != "cancel":
            return Outcome("succeeded", result=last["result"], peak=peak)
        if self.reason is not None:
            return Outcome("stopped", peak=peak)
        if last["event"] == "error":
            return Outcome("failed", error=JobError.model_validate(last["error"]), peak=peak)
        return Outcome("died", code=code)


def child_environment(folder: Path, network: bool = False) -> dict[str, str]:
    """The environment where torch runs: no secrets, the way to the `network` where it is needed, hubs offline unless the user
    says otherwise, no telemetry, a hub cache in `folder`."""
    env = computing_environment(network)
    env[ASKED_OFFLINE] = "1" if offline() else "0"
    env.setdefault("HF_HUB_OFFLINE", "1")
    env.setdefault("TRANSFORMERS_VERBOSITY", "error")
    env.setdefault("USER", f"uid-{os.getuid()}")  # an account without a name: torch asks for one
    # Threads that spin for long while they wait lose a core to any other busy process; 1,000 rounds cost nothing on a
    # quiet machine.
    env.setdefault("GOMP_SPINCOUNT", "1000")
    env |= {"HF_HOME": str(folder / "hf"), "OLIVE_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
    return env


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _open_log(path: Path) -> IO[bytes]:
    """The job's log; on a full disk a stage runs without one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")
