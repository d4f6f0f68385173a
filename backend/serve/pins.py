"""Which models people have chosen in an open page: they are not unloaded to make room for others."""

from __future__ import annotations

import time

LEASE_SECONDS = 150.0
"""How long a choice holds without being renewed: a browser calls a tab in the background only once a minute."""


class Pins:
    """Artifact ids by page (one open page). Belongs to one event loop."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, frozenset[str]]] = {}

    def set(self, page: str, models: list[str]) -> None:
        """What `page` has chosen now; it takes the place of what it had before."""
        self._held[page] = (time.monotonic() + LEASE_SECONDS, frozenset(models))

    def models(self) -> frozenset[str]:
        """All that are chosen somewhere."""
        now = time.monotonic()
        self._held = {page: held for page, held in self._held.items() if held[0] > now}
        return frozenset().union(*(models for _until, models in self._held.values()))
