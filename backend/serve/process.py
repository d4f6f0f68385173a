"""The process of one model as its parent sees it: started, watched, ended."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
from pydantic import BaseModel

from backend.core.errors import Problem, StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView
from backend.jobs.attempt import child_environment
from backend.serve.schemas import ModelState

T = TypeVar("T")
_LAST = 4000
_SHORT = 300
LINE_BYTES = 64_000_000
"""The longest line that a process may say."""


class ModelProcess(ABC):
    """`views`: the artifact, then the bases of an adapter and what is attached to it. The child is told its order in the first
    line of stdin, and reports in the first line of stdout what came of its start."""

    program: Programs

    def __init__(self, views: list[ArtifactView], cache: Path) -> None:
        self.view = views[0]
        self.views = {view.id: view for view in views}
        self.state: ModelState = "loading"
        self.problem: Problem | None = None
        self._cache = cache
        self._process: asyncio.subprocess.Process | None = None
        self._settled = asyncio.Event()
        self._words = b""
        self._preparing: asyncio.Future[None] | None = None
        self._life = asyncio.create_task(self._live())

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self.state != "failed" else None

    @property
    def memory_bytes(self) -> int:
        """What the process holds now."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.pid else 0
        except psutil.Error:
            return 0

    async def settled(self) -> None:
        """Wait until it is ready. Raises StudioError when it fails or is ended."""
        await self._settled.wait()
        if self.state == "failed":
            raise self.failure()

    def failure(self) -> StudioError:
        return StudioError.of([self.problem]) if self.problem else StudioError("serve.broken")

    async def ended(self) -> None:
        """Wait for the end of the process."""
        await asyncio.wait([self._life])

    async def end(self) -> None:
        """Kill the process (it holds nothing that must be kept) and wait until its memory is free."""
        self.problem = self.problem or Problem(code="serve.unloaded", args={"model": self.view.name})
        if self._preparing:
            self._preparing.cancel()
        self._kill()
        await self._life

    @abstractmethod
    def _order(self) -> BaseModel:
        """What the process is told at its start."""

    @abstractmethod
    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """What the process says after its report."""

    async def _prepare(self) -> None:
        """What comes before its process. Raises StudioError when there shall be none."""
        return None

    async def _live(self) -> None:
        try:
            self._preparing = asyncio.ensure_future(self._prepare())
            await asyncio.wait([self._preparing])
            if self._preparing.cancelled():
                raise self.failure()
            self._preparing.result()
            self._process = process = await self._spawn()
        except StudioError as error:
            self._fail(self.problem or error.problems[0])
            return
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
        process.stdin.write(self._order().model_dump_json().encode() + b"\n")
        return process

    def _take(self, report: dict[str, Any]) -> None:
        if "problems" in report:
            self.problem = self.problem or Problem.model_validate(report["problems"][0])
        elif self.problem is None:
            self.state = "ready"
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
        """What the process says goes to the log of its parent; its last words are kept."""
        while part := await stream.read(65536):
            self._words = (self._words + part)[-_LAST:]
            with suppress(OSError):  # a full disk under the log must not stop the model
                sys.stderr.buffer.write(part)
                sys.stderr.buffer.flush()


async def in_thread(work: Callable[[], T]) -> T:
    """`work` in a thread that neither a cancel nor the end of this process waits for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(set_: Callable[[Any], None], value: Any) -> None:
        if not done.done():
            set_(value)

    def run() -> None:
        try:
            told = done.set_result, work()
        except Exception as error:
            told = done.set_exception, error  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, *told)

    threading.Thread(target=run, daemon=True).start()
    return await done
