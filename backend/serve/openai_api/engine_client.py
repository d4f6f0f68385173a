"""The front's way to the answerer: requests go down its stdin, events come up its stdout; started again when it dies."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.programs import Programs
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.serve.process import ModelProcess
from backend.serve.schemas import AnswerOrder, Order

STEADY, LONGEST_PAUSE = 60.0, 30.0
PULSE = 5.0
"""Seconds after which a silent answer says that it is still there."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """`taken` (tokens: of the prompt), `say` (text, entries; tokens: of the answer so far), `silent`, `end` (finish, tokens) or
    `fail` (error)."""

    name: str
    tokens: int = 0
    text: str = ""
    entries: tuple[Any, ...] = ()
    finish: str = ""
    error: StudioError | None = None

    @property
    def last(self) -> bool:
        return self.name in ("end", "fail")

    def with_(self, later: Event) -> Event:
        """Two pieces as one."""
        return Event("say", later.tokens, self.text + later.text, self.entries + later.entries)


class Line(ModelProcess):
    """One process of the answerer. `views`: the artifact, then the bases of an adapter and what is attached to it."""

    program = Programs.API_ENGINE

    def __init__(self, views: list[ArtifactView], settings: Settings, most: int, cache_bytes: int) -> None:
        self.context = 0
        self._most, self._cache_bytes = most, cache_bytes
        self._queues: dict[int, asyncio.Queue[Event]] = {}
        self._next = 0
        super().__init__(views, secrets.token_urlsafe(24), settings.cache)

    async def events(self, asked: dict[str, Any]) -> AsyncGenerator[Event]:
        """What happens to a request, up to its end or failure. Closing it ends the answer."""
        self._next += 1
        number = self._next
        queue = self._queues[number] = asyncio.Queue()
        ended = False
        kept: Event | None = None
        try:
            with suppress(ConnectionError):  # it died just now; its end is told to all
                await self._write({**asked, "id": number}).drain()
            while not ended:
                event = kept or await _next(queue)
                kept = None
                while event.name == "say" and not queue.empty():  # a slow reader gets larger pieces
                    kept = queue.get_nowait()
                    if kept.name != "say":
                        break
                    event, kept = event.with_(kept), None
                ended = event.last
                yield event
        finally:
            del self._queues[number]
            if not ended:
                with suppress(StudioError):
                    self._write({"stop": number})

    def _ordered(self, order: Order) -> AnswerOrder:
        return AnswerOrder(**order.model_dump(), most=self._most, cache_bytes=self._cache_bytes)

    def _write(self, content: dict[str, Any]) -> asyncio.StreamWriter:
        if self.state != "ready" or self._process is None or self._process.stdin is None:
            raise StudioError("api.restarting")
        self._process.stdin.write(json.dumps(content).encode() + b"\n")
        return self._process.stdin

    def _take(self, report: dict[str, Any]) -> None:
        self.context = report.get("context", 0)
        super()._take(report)

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
            queue.put_nowait(Event("fail", error=StudioError("api.broken")))


async def _next(queue: asyncio.Queue[Event]) -> Event:
    with suppress(TimeoutError):
        async with asyncio.timeout(PULSE):
            return await queue.get()
    return Event("silent")


def _event(name: str, rest: list[Any]) -> Event:
    if name == "say":
        return Event(name, text=rest[0], entries=tuple(rest[1]), tokens=rest[2])
    if name == "end":
        return Event(name, finish=rest[0], tokens=rest[1])
    if name == "fail":
        return Event(name, error=StudioError.of([Problem.model_validate(one) for one in rest[0]]))
    return Event(name, tokens=rest[0] if rest else 0)


class Answerer:
    """The process of a model for as long as the server runs: a new one after each that died, with growing pauses."""

    def __init__(self, views: list[ArtifactView], settings: Settings, most: int, cache_bytes: int) -> None:
        self.restarts = 0
        self._arguments = (views, settings, most, cache_bytes)
        self.line = Line(*self._arguments)
        self._keeping: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        return self.line.state == "ready"

    async def begin(self) -> None:
        """Wait for the first process. Raises StudioError when the model can't be loaded."""
        await self.line.settled()
        self._keeping = asyncio.create_task(self._keep())

    async def close(self) -> None:
        if self._keeping:
            self._keeping.cancel()
        await self.line.end()

    async def _keep(self) -> None:
        failures = 0
        while True:
            begun = time.monotonic()
            await self.line.ended()
            failures = 0 if time.monotonic() - begun > STEADY else failures + 1
            pause = min(0.1 * 2**failures, LONGEST_PAUSE)
            log.warning("%s Starting it again in %.1f s.", self.line.failure().text(), pause)
            await asyncio.sleep(pause)
            self.restarts += 1
            self.line = Line(*self._arguments)
            with suppress(StudioError):
                await self.line.settled()
