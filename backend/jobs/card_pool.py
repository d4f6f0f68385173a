"""Which job of this worker has which graphics cards: each card serves one job at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.cards import VISIBLE, cards, usable_cards
from backend.core.settings import Settings


class CardPool:
    """The cards that were there when the worker started, by their UUIDs. `slots`: how many jobs have one at once; a worker
    without cards that was asked to serve their queue runs one. `processes`: that share a training here."""

    def __init__(self, settings: Settings) -> None:
        self._free = [card.id for card in usable_cards()]
        self._hides = bool(cards())
        self._count = len(self._free)
        self.slots = max(1, self._count)
        self.processes = settings.shared_by(self._count)

    @contextmanager
    def environment(self, queue: str, wanted: int = 1) -> Iterator[dict[str, str] | None]:
        """What tells a child of this queue its cards: `wanted` of them, or none that it could see. None where too few are free:
        it has to wait. A worker without cards says nothing."""
        wanted = min(wanted, self._count) if queue == "gpu" else 0
        if wanted > len(self._free):
            yield None
            return
        taken = self._free[:wanted]
        del self._free[:wanted]
        try:
            yield {VISIBLE: ",".join(taken)} if self._hides else {}
        finally:
            self._free += taken
