"""Not more often than an endpoint allows: requests are spread evenly, and a pause that it asks of one is kept by all."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """`per_minute` 0: no limit. Times are of the monotonic clock."""

    def __init__(self, per_minute: int = 0) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = self._paused_until = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> bool:
        """Wait for a turn; False when `stop` was set meanwhile."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + self._gap
        while (left := max(turn, self._paused_until) - time.monotonic()) > 0:
            if stop.wait(left):
                return False
        return not stop.is_set()

    def pause(self, seconds: float) -> None:
        """Send nothing for `seconds`."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
