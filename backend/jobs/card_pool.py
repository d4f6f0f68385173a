"""Which job of this worker has which graphics cards: each card serves one job at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.cards import VISIBLE, cards, usable_cards
from backend.core.settings import Settings


class CardPool:
    """The cards that were there when the worker started, by their UUIDs."""

    def __init__(self, settings: Settings) -> None:
        self._free = [card.id for card in usable_cards()]
        self._hides = bool(cards())
        self.each = processes_each(settings, len(self._free))
        """Cards of a job that trains in several processes."""
        self.slots = max(1, len(self._free) // self.each)
        """Jobs at once."""

    @contextmanager
    def environment(self, queue: str, wanted: int = 1) -> Iterator[dict[str, str]]:
        """What tells a child of this queue its cards: `wanted` of them, or none that it could see. A worker without cards says
        nothing."""
        taken = self._free[:wanted] if queue == "gpu" else []
        del self._free[: len(taken)]
        try:
            yield {VISIBLE: ",".join(taken)} if self._hides else {}
        finally:
            self._free += taken


def processes_each(settings: Settings, count: int) -> int:
    """In how many processes a training runs here: as SLMOPS_PROCESSES says, and no more than there are cards, where there are
    any. `auto`: one for each card."""
    if settings.processes == "auto":
        return max(1, count)
    return min(settings.processes, count) if count else settings.processes
