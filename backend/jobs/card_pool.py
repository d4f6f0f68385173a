"""Which job of this worker has which graphics card: each serves one job at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.cards import VISIBLE, cards, usable_cards


class CardPool:
    """The cards that were there when the worker started, by their UUIDs. `slots`: how many jobs have one at once; a worker
    without cards that was asked to serve their queue runs one."""

    def __init__(self) -> None:
        self._free = [card.id for card in usable_cards()]
        self._hides = bool(cards())
        self.slots = max(1, len(self._free))

    @contextmanager
    def environment(self, queue: str) -> Iterator[dict[str, str]]:
        """What tells a child of this queue its card, or that it is to see none. A worker without cards says nothing."""
        taken = self._free[:1] if queue == "gpu" else []
        del self._free[: len(taken)]
        try:
            yield {VISIBLE: ",".join(taken)} if self._hides else {}
        finally:
            self._free += taken
