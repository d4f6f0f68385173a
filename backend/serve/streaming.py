"""An engine that speaks into an event loop: one answer at a time, in a thread of its own, stopped within a token."""

from __future__ import annotations

import asyncio
import secrets
import sys
import threading
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import Problem, StudioError
from backend.core.settings import Settings
from backend.inference.protocol import LocalEngine, Prompt, Sampling
from backend.inference.text_engine import pieces
from backend.process.explain import explain
from backend.serve.schemas import ChatRequest

PULSE = 0.4
"""Seconds after which a silent stream says that it is still there."""


@dataclass(frozen=True)
class End:
    """How an answer ended. `figures`: usage and timings as they stand in the last chunk."""

    finish: str
    figures: dict[str, Any]


Event = str | End | StudioError | None
"""Text, the end, a failure (also an end), or nothing yet."""
Put = Callable[[Event], object]


@dataclass
class _Tally:
    """Counts and times the tokens that pass."""

    begun: float = field(default_factory=time.perf_counter)
    count: int = 0
    first: float = 0.0
    last: float = 0.0

    def over(self, ids: Iterable[int], stop: threading.Event) -> Iterator[int]:
        for token in ids:
            self.last = time.perf_counter()
            self.first = self.first or self.last
            self.count += 1
            if stop.is_set():
                return
            yield token

    def end(self, prompt: Prompt, sampling: Sampling) -> End:
        usage = {
            "prompt_tokens": len(prompt),
            "completion_tokens": self.count,
            "total_tokens": len(prompt) + self.count,
        }
        first = self.first or time.perf_counter()
        rate = (self.count - 1) / (self.last - self.first) if self.count > 1 else None
        timings = {"ttft_ms": 1000 * (first - self.begun), "decode_tokens_per_s": rate}
        finish = "stop" if self.count < sampling.max_new_tokens else "length"
        return End(finish, {"usage": usage, "timings": timings})


class Speaker:
    """`context`: how many tokens prompt and answer may have together."""

    def __init__(self, engine: LocalEngine, context: int, name: str) -> None:
        self._engine = engine
        self._context = context
        self._name = name
        self._thread = ThreadPoolExecutor(1)
        self._turns: set[Future[None]] = set()

    @property
    def answering(self) -> int:
        """How many answers are at work or wait for their turn."""
        return len(self._turns)

    def prepare(self, asked: ChatRequest) -> tuple[Prompt, Sampling]:
        """Token ids of the messages, and how to draw. Raises StudioError when they leave no room for an answer, or when
        the chat template refuses them."""
        try:
            prompt = self._engine.encode(asked.plain_messages)
        except TemplateError as error:
            raise StudioError("serve.template", model=self._name, reason=str(error), field="messages") from error
        room = self._context - len(prompt)
        if room < 1:
            raise StudioError("serve.prompt_long", tokens=len(prompt), context=self._context, field="messages")
        seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
        most = min(asked.max_tokens or room, room)
        return prompt, Sampling(max_new_tokens=most, temperature=asked.temperature, top_p=asked.top_p, seed=seed)

    async def events(self, prompt: Prompt, sampling: Sampling) -> AsyncGenerator[Event]:
        """The answer as it comes, up to its end or failure; None at least every PULSE seconds. Closing it ends the turn."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        stop = threading.Event()
        loop = asyncio.get_running_loop()

        def put(event: Event) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, event)

        turn = self._thread.submit(self._turn, prompt, sampling, stop, put)
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        try:
            while True:
                event = None
                with suppress(TimeoutError):
                    async with asyncio.timeout(PULSE):  # wait_for of Python 3.11 may swallow a cancellation
                        event = await queue.get()
                while isinstance(event, str) and not queue.empty():  # a slow reader gets larger pieces
                    following = queue.get_nowait()
                    if isinstance(following, str):
                        event += following
                    else:
                        yield event
                        event = following
                yield event
                if isinstance(event, (End, StudioError)):
                    return
        finally:
            stop.set()
            turn.cancel()

    def _turn(self, prompt: Prompt, sampling: Sampling, stop: threading.Event, put: Put) -> None:
        tally = _Tally()
        try:
            for text in pieces(self._engine.encoder, tally.over(self._engine.stream_ids(prompt, sampling), stop)):
                put(text)
            put(tally.end(prompt, sampling))
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            put(told(error))


def told(error: Exception) -> StudioError:
    """Any failure as one for people."""
    found = explain(error, Settings().home)
    return StudioError.of([Problem(code=found.code, args=found.args, field=found.field)])
