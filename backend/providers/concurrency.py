"""Many questions to one endpoint at a time: who is refused alone, and what is still waited for when it ends.

A refusal (HTTP 400, 413, 422) may be about one prompt alone: a content filter, or a text that is too long. While others are
answered that prompt has an empty reply; only when so many in a row are refused that the request itself must be wrong does
it end. Whatever ends it, nothing new is sent and what is in flight is waited for: it is paid.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from backend.core.errors import StudioError
from backend.inference.protocol import Tick
from backend.providers.budget import OverBudget
from backend.providers.protocols import EndpointReply

MAX_REFUSALS = 8
"""Refusals in a row that can be about the prompts; a quarter of the answers that are there, when that is more."""
_POSSIBLY_THE_PROMPT = (400, 413, 422)
_POLL_SECONDS = 0.2


class ConcurrentRequests:
    """`ask` answers one question by its number; `kept`: answers of earlier runs, which show that the endpoint works. `stop`
    is set when nothing may be sent any more."""

    def __init__(self, ask: Callable[[int], EndpointReply], concurrency: int, kept: int, stop: threading.Event) -> None:
        self._ask, self._concurrency, self._kept, self._stop = ask, concurrency, kept, stop
        self._waiting: dict[Future[EndpointReply], int] = {}
        self._refused: dict[int, StudioError] = {}
        self._consecutive_refusals = 0
        self._failed: BaseException | None = None

    @property
    def busy(self) -> bool:
        """Whether requests were left in flight."""
        return bool(self._waiting)

    def replies(self, count: int, tick: Tick) -> Iterator[tuple[int, EndpointReply]]:
        """(number, reply) as they come. Raises the first failure for good after all replies."""
        pool = ThreadPoolExecutor(self._concurrency)
        left = iter(range(count))
        try:
            while True:
                while not self._failed and len(self._waiting) < self._concurrency:
                    if (number := next(left, None)) is None:
                        break
                    self._waiting[pool.submit(self._ask, number)] = number
                if not self._waiting:
                    break
                done, _ = wait(self._waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda each: each.exception() is not None):  # good ones first
                    yield from self._handle_result(future)
                tick()
            if failed := self._failed or next(iter(self._refused.values()), None):
                raise failed
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _handle_result(self, future: Future[EndpointReply]) -> Iterator[tuple[int, EndpointReply]]:
        number, error = self._waiting.pop(future), future.exception()
        if error is None:
            self._kept += 1
            self._consecutive_refusals = 0
            yield number, future.result()
        elif isinstance(error, StudioError) and _about_prompt(error):
            self._refused[number] = error
            self._consecutive_refusals += error.code != "wire.filtered"  # a filter is surely about this prompt
            if self._consecutive_refusals > max(MAX_REFUSALS, self._kept // 4):
                self._fail(error)
        else:
            self._fail(error)
        if self._kept and not self._failed:
            for number, why in self._refused.items():
                yield number, EndpointReply("", None, refused=_reason(why))
            self._refused.clear()

    def _fail(self, error: BaseException) -> None:
        self._failed = self._failed or error
        if not isinstance(error, OverBudget):  # others may still fit into a budget
            self._stop.set()


def _about_prompt(error: StudioError) -> bool:
    refused = error.code == "chat.endpoint_refused" and error.problems[0].args["status"] in _POSSIBLY_THE_PROMPT
    return refused or error.code == "wire.filtered"


def _reason(error: StudioError) -> str:
    args = error.problems[0].args
    return f"HTTP {args['status']}: {args['reason']}"
