"""A world in which checks and quotes can be asked without a store."""

from __future__ import annotations

from typing import Any

from backend.models.endpoints import EndpointView
from backend.schemas import ArtifactView, Kind
from backend.stages.base import Described


class TinyWorld:
    memory_bytes = 8_000_000_000
    free_disk_bytes = 50_000_000_000

    def __init__(self, *views: ArtifactView) -> None:
        self.saved: dict[str, EndpointView] = {}
        self.held: list[dict[str, Any]] = []
        self.known = {view.id: Described(view.kind, view.facts, path=str(view.path)) for view in views}

    def add(self, ref: str, kind: Kind, **facts: Any) -> TinyWorld:
        self.known[ref] = Described(kind, facts, pending=True)
        return self

    def describe(self, ref: str) -> Described | None:
        return self.known.get(ref)

    def save(self, name: str, **about: Any) -> TinyWorld:
        """A saved endpoint."""
        self.saved[name] = EndpointView(**{"name": name, "url": "http://h/v1", "model": "m", **about})
        return self

    def endpoint(self, name: str) -> EndpointView | None:
        return self.saved.get(name)

    def auditions(self, data: str) -> list[dict[str, Any]]:
        return [facts for facts in self.held if facts["data"] == data]

    def speed(self) -> float:
        return 1.0
