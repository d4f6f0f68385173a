"""The process of one model as its host sees it: started, watched, ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel

from backend.core.errors import Problem, StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView
from backend.jobs.attempt import child_environment
from backend.models import costs
from backend.serve.schemas import ModelState, Order, ServedModel

_LAST = 4000
_SHORT = 300
LINE_BYTES = 64_000_000
"""The longest line that a process may say."""


class ModelProcess:
    """`views`: the artifact, then the bases of an adapter; `token`: what the process will ask for. `answering` and
    `last_used` (a monotonic time) are kept by who uses the model."""

    program = Programs.MODEL

    def __init__(self, views: list[ArtifactView], token: str, cache: Path) -> None:
        self.view = views[0]
        self.state: ModelState = "loading"
        self.problem: Problem | None = None
        self.port = 0
        self.answering = 0
        self.last_used = time.monotonic()
        self.need = costs.answer_bytes(self.view.facts)
        self._order = Order(host=os.getpid(), token=token, views={view.id: view for view in views})
        self._cache = cache
        self._process: asyncio.subprocess.Process | None = None
        self._settled = asyncio.Event()
        self._words = b""
        self._life = asyncio.create_task(self._live())

    @property
    def token(self) -> str:
        return self._order.token

    @property
    def idle(self) -> bool:
        return self.state == "ready" and not self.answering

    @property
    def memory_bytes(self) -> int:
        """What the process holds now."""
        if self._process is None or self.state == "failed":
            return 0
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def served(self) -> ServedModel:
        """What pages see of it."""
        return ServedModel(
            id=self.view.id,
            state=self.state,
            pid=self._process.pid if self._process and self.state != "failed" else None,
            memory_bytes=self.memory_bytes,
            idle_seconds=time.monotonic() - self.last_used if self.idle else 0.0,
            error=self.problem if self.state == "failed" else None,
        )

    async def settled(self) -> None:
        """Wait until it is ready. Raises StudioError when it fails or is ended."""
        await self._settled.wait()
        if self.state == "failed":
            raise self.failure()

    def failure(self) -> StudioError:
        return StudioError.of([self.problem]) if self.problem else StudioError("serve.broken")

    async def ended(self, patience: float | None = None) -> None:
        """Wait for the end of the process, at most `patience` seconds."""
        await asyncio.wait([self._life], timeout=patience)

    async def end(self) -> None:
        """Kill the process (it holds nothing that must be kept) and wait until its memory is free."""
        self.problem = self.problem or Problem(code="serve.unloaded", args={"model": self.view.name})
        self._kill()
        await self._life

    async def _live(self) -> None:
        try:
            self._process = process = await self._spawn()
        except OSError as error:
            self._fail(Problem(code="serve.model_failed", args={"model": self.view.name, "reason": str(error)}))
            return
        if self.problem:
            self._kill()
        assert process.stdout and process.stderr
        log = asyncio.create_task(self._copy_log(process.stderr))
        report = await process.stdout.readline()
        if report.endswith(b"\n"):
            self._take(json.loads(report))
            await self._listen(process.stdout)
        code = await process.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(log, 1.0)
        self._fail(self.problem or self._cause(code))

    async def _spawn(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *command(self.program, self.view.id),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            cwd=ROOT,
            env=child_environment(self._cache),
            start_new_session=True,
        )
        assert process.stdin
        process.stdin.write(self._ordered(self._order).model_dump_json().encode() + b"\n")
        return process

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """What the process says after its report: nothing, of one that is asked over HTTP."""

    def _ordered(self, order: Order) -> BaseModel:
        """What the process is told at its start."""
        return order

    def _take(self, report: dict[str, Any]) -> None:
        if "port" not in report:
            self.problem = self.problem or Problem.model_validate(report["problems"][0])
        elif self.problem is None:
            self.port = report["port"]
            self.state = "ready"
            self.last_used = time.monotonic()
            self._settled.set()

    def _fail(self, problem: Problem) -> None:
        self.problem = problem
        self.state = "failed"
        self._settled.set()

    def _cause(self, code: int) -> Problem:
        if code < 0:
            args = {"model": self.view.name, "signal": signal.Signals(-code).name}
            return Problem(code="serve.model_killed", args=args)
        lines = [line for line in self._words.decode("utf-8", errors="replace").splitlines() if line.strip()]
        if not lines:
            return Problem(code="serve.model_ended", args={"model": self.view.name, "code": code})
        return Problem(code="serve.model_failed", args={"model": self.view.name, "reason": lines[-1][:_SHORT]})

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _copy_log(self, stream: asyncio.StreamReader) -> None:
        """What the process says goes to the log of the host; its last words are kept."""
        while part := await stream.read(65536):
            self._words = (self._words + part)[-_LAST:]
            with suppress(OSError):  # a full disk under the log must not stop the model
                sys.stderr.buffer.write(part)
                sys.stderr.buffer.flush()
