"""Progress and cancel for work that goes row by row."""

from __future__ import annotations

import time

from backend.core.stage import Context

_EVERY = 0.5


class Progress:
    """Call it as often as you like: it asks for a cancel each time and reports progress twice a second."""

    def __init__(self, ctx: Context, total: float, note: str, done: float = 0.0) -> None:
        self.ctx, self.total, self.note, self.done = ctx, total, note, done
        self._last = 0.0

    def __call__(self) -> None:
        self.ctx.raise_if_cancelled()
        now = time.monotonic()
        if now - self._last >= _EVERY:
            self._last = now
            self.ctx.progress(self.done, self.total, self.note)

    def add(self, count: float = 1.0, note: str | None = None) -> None:
        """A new note is reported at once."""
        self.done += count
        if note is not None and note != self.note:
            self.note, self._last = note, 0.0
        self()
