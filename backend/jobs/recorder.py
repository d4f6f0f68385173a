"""Writes what a running stage reports to the store: in batches, and never at the price of the stage.

A database that is busy, away or full loses nothing here: what could not be written waits for the next flush (the oldest
entries go when there are too many). What it refuses for good is dropped, so that the rest gets through.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from backend.db import Store
from backend.db import tables as t
from backend.jobs import queue

_MAX_BUFFERED = 20_000
log = logging.getLogger(__name__)


class EventRecorder:
    """`record` events, `flush` them every half second (the job row is written at that pace, too)."""

    def __init__(self, store: Store, job: t.Job) -> None:
        self._store = store
        self._job = job
        self._writing = threading.Lock()
        self._progress: dict[str, Any] = {}
        self._points: deque[tuple[str, float, float]] = deque(maxlen=_MAX_BUFFERED)
        self._lines: deque[tuple[str, str]] = deque(maxlen=_MAX_BUFFERED)

    def record(self, event: dict[str, Any]) -> None:
        """One `progress`, `metric` or `log` event of backend.jobs.context; others are not for the recorder, nor is a
        metric without a finite value."""
        match event["event"]:
            case "progress":
                self._progress = {
                    "done": event["done"],
                    "total": event["total"],
                    "note": event["note"],
                    "eta_seconds": event["eta"],
                }
            case "metric" if math.isfinite(event["value"]) and math.isfinite(event["step"]):
                self._points.append((event["name"], event["step"], event["value"]))
            case "log":
                self._lines.append((event["level"], event["text"]))

    def flush(self) -> bool:
        """Write what came since the last flush; False when some of it still waits."""
        with self._writing:
            try:
                self._flush()
            except SQLAlchemyError as error:
                log.warning("reports of job %s wait for the database: %s", self._job.id, str(error).splitlines()[0])
                return False
        return True

    def _flush(self) -> None:
        progress, lines, points = self._progress, list(self._lines), list(self._points)
        if progress:
            self._write(lambda: queue.update_claimed(self._store, self._job, **progress))
            self._progress = {} if self._progress is progress else self._progress
        if lines:
            self._write(lambda: self._store.add_logs(self._job.id, lines))
            _drop(self._lines, len(lines))
        if points:
            self._write(lambda: self._store.add_points(self._job.id, points))
            _drop(self._points, len(points))

    def _write(self, write: Callable[[], object]) -> None:
        try:
            write()
        except (IntegrityError, DataError) as error:
            log.warning("dropped reports of job %s: %s", self._job.id, str(error).splitlines()[0])


def _drop(entries: deque[Any], count: int) -> None:
    for _ in range(min(count, len(entries))):
        entries.popleft()
