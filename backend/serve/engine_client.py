"""A parent's way to the process of an engine: requests go down its stdin, events come up its stdout."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.programs import Programs
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.models import costs
from backend.serve.process import ModelProcess, in_thread
from backend.serve.schemas import BatchLimits, EngineOrder, ServedModel, as_studio_error

STEADY, LONGEST_PAUSE = 60.0, 30.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """What happens to a request: `accepted` (tokens: of the prompt), `text` (text, entries; tokens: of the answer so far),
    `idle`, and as the last one `end` (finish, tokens, timings), `fail` or, when the process died, `lost` (error)."""

    name: str
    tokens: int = 0
    text: str = ""
    entries: tuple[Any, ...] = ()
    finish: str = ""
    timings: dict[str, Any] = field(default_factory=dict)
    error: StudioError | None = None

    @property
    def last(self) -> bool:
        return self.name in ("end", "fail", "lost")

    def with_(self, later: Event) -> Event:
        """Two pieces of text as one."""
        return Event("text", later.tokens, self.text + later.text, self.entries + later.entries)


class EngineClient(ModelProcess):
    """One process of an engine (`backend.serve.engine_process`). `limits`: None for one sequence at a time, whose messages are
    in the model's own words already; `first_use`: looks, in a thread, at what is about to be loaded. `answering` and
    `last_used` (a monotonic time) are kept by who uses the model."""

    program = Programs.ENGINE

    def __init__(
        self,
        views: list[ArtifactView],
        settings: Settings,
        limits: BatchLimits | None = None,
        first_use: Callable[[list[ArtifactView]], list[ArtifactView]] = list,
    ) -> None:
        self.answering = 0
        self.last_used = time.monotonic()
        self.need = costs.answer_bytes(views[0].facts)
        self._limits = limits
        self._first_use = first_use
        self._queues: dict[int, asyncio.Queue[Event]] = {}
        self._next = 0
        super().__init__(views, settings.cache)

    @property
    def idle(self) -> bool:
        return self.state == "ready" and not self.answering

    @property
    def outstanding(self) -> int:
        """Bytes that it may still take: it holds less while it loads and before its longest answer."""
        return max(0, self.need - self.memory_bytes)

    def served(self) -> ServedModel:
        """What pages see of it."""
        return ServedModel(
            id=self.view.id,
            name=self.view.name,
            state=self.state,
            pid=self.pid,
            memory_bytes=self.memory_bytes,
            answering=self.answering,
            idle_seconds=time.monotonic() - self.last_used if self.idle else 0.0,
            error=self.problem if self.state == "failed" else None,
        )

    async def _prepare(self) -> None:
        try:
            views = await in_thread(partial(self._first_use, list(self.views.values())))
        except Exception as error:
            raise as_studio_error(error) from error
        self.views = {view.id: view for view in views}

    async def events(self, asked: dict[str, Any], idle_seconds: float) -> AsyncGenerator[Event]:
        """What happens to a request, up to its end or failure, and an idle event after `idle_seconds` of silence. Closing it
        ends the answer. Raises StudioError when the process does not take requests."""
        if self.state != "ready":
            raise self.failure()
        self._next += 1
        number = self._next
        queue = self._queues[number] = asyncio.Queue()
        ended = False
        kept: Event | None = None
        try:
            with suppress(ConnectionError):  # it died just now; its end is told to all
                await self._write({**asked, "id": number}).drain()
            while not ended:
                event = kept or await _next(queue, idle_seconds)
                kept = None
                while event.name == "text" and not queue.empty():  # a slow reader gets larger pieces
                    kept = queue.get_nowait()
                    if kept.name != "text":
                        break
                    event, kept = event.with_(kept), None
                ended = event.last
                yield event
        finally:
            del self._queues[number]
            if not ended and self.state == "ready":
                self._write({"cancel": number})

    def _order(self) -> EngineOrder:
        return EngineOrder(host=os.getpid(), views=self.views, limits=self._limits)

    def _write(self, content: dict[str, Any]) -> asyncio.StreamWriter:
        assert self._process and self._process.stdin
        self._process.stdin.write(json.dumps(content).encode() + b"\n")
        return self._process.stdin

    def _take(self, report: dict[str, Any]) -> None:
        super()._take(report)
        self.last_used = time.monotonic()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        try:
            while line := await stream.readline():
                for name, number, *rest in json.loads(line):
                    if queue := self._queues.get(number):
                        queue.put_nowait(_event(name, rest))
        except ValueError:  # half a line of a process that died, or nonsense
            self._kill()

    def _fail(self, problem: Problem) -> None:
        super()._fail(problem)
        for queue in self._queues.values():
            queue.put_nowait(Event("lost", error=self.failure()))


async def _next(queue: asyncio.Queue[Event], idle_seconds: float) -> Event:
    with suppress(TimeoutError):
        async with asyncio.timeout(idle_seconds):  # wait_for of Python 3.11 may swallow a cancellation
            return await queue.get()
    return Event("idle")


def _event(name: str, rest: list[Any]) -> Event:
    if name == "text":
        return Event(name, text=rest[0], entries=tuple(rest[1]), tokens=rest[2])
    if name == "end":
        return Event(name, finish=rest[0], tokens=rest[1], timings=rest[2])
    if name == "fail":
        return Event(name, error=StudioError.of([Problem.model_validate(one) for one in rest[0]]))
    return Event(name, tokens=rest[0])


class EngineSupervisor:
    """The process of an engine for as long as a server runs: a new one after each that died, with growing pauses."""

    def __init__(self, views: list[ArtifactView], settings: Settings, limits: BatchLimits) -> None:
        self.restarts = 0
        self._arguments = (views, settings, limits)
        self.client = EngineClient(*self._arguments)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        return self.client.state == "ready"

    async def begin(self) -> None:
        """Wait for the first process. Raises StudioError when the model can't be loaded."""
        await self.client.settled()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._keeping:
            self._keeping.cancel()
        await self.client.end()

    async def _keep(self) -> None:
        failures = 0
        while True:
            begun = time.monotonic()
            await self.client.ended()
            failures = 0 if time.monotonic() - begun > STEADY else failures + 1
            pause = min(0.1 * 2**failures, LONGEST_PAUSE)
            log.warning("%s Starting it again in %.1f s.", self.client.failure().text(), pause)
            await asyncio.sleep(pause)
            self.restarts += 1
            self.client = EngineClient(*self._arguments)
            with suppress(StudioError):
                await self.client.settled()
