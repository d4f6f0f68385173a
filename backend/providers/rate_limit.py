"""Not more often than an endpoint allows: requests are spread evenly by their number and by their tokens, and a pause that it
asks of one is kept by all."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """`per_minute` requests, `tokens_per_minute` tokens read and written; 0: no limit. Times are of the monotonic clock."""

    def __init__(self, per_minute: int = 0, tokens_per_minute: int = 0) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._seconds_per_token = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._next = self._paused_until = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event, tokens: int = 0) -> bool:
        """Wait for a turn; False when `stop` was set meanwhile. `tokens`: those that the request will probably take."""
        with self._lock:
            turn = max(time.monotonic(), self._next)
            self._next = turn + max(self._gap, tokens * self._seconds_per_token)
        while (left := max(turn, self._paused_until) - time.monotonic()) > 0:
            if stop.wait(left):
                return False
        return not stop.is_set()

    def pause(self, seconds: float) -> bool:
        """Send nothing for `seconds`. Whether that is news: no pause of about this length was running."""
        with self._lock:
            until = time.monotonic() + seconds
            news = until > self._paused_until + 1
            self._paused_until = max(self._paused_until, until)
        return news
