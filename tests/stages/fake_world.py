"""A world in which checks and quotes can be asked without a store, and what a job in memory has made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.endpoints import EndpointView
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import ArtifactInfo
from backend.data.dataset import DataFolder
from backend.jobs.context import MemoryContext


class FakeWorld:
    memory_bytes = 8_000_000_000
    free_disk_bytes = 50_000_000_000
    card_bytes = 0
    processes = 1

    def __init__(self, *views: ArtifactView) -> None:
        self.saved: dict[str, EndpointView] = {}
        self.in_trash: frozenset[str] = frozenset()
        self.held: list[dict[str, Any]] = []
        self.known = {view.id: ArtifactInfo(view.kind, view.facts, path=str(view.path)) for view in views}

    def add(self, ref: str, kind: Kind, **facts: Any) -> FakeWorld:
        self.known[ref] = ArtifactInfo(kind, facts, pending=True)
        return self

    def describe(self, ref: str) -> ArtifactInfo | None:
        return self.known.get(ref)

    def save(self, name: str, **about: Any) -> FakeWorld:
        "Saved endpoint."
        self.saved[name] = EndpointView(**{"name": name, "url": "http://h/v1", "model": "m", **about})
        return self

    def endpoint(self, name: str) -> EndpointView | None:
        return self.saved.get(name)

    def auditions(self, data: str) -> list[dict[str, Any]]:
        return [facts for facts in self.held if facts["data"] == data]

    def trashed(self) -> frozenset[str]:
        return self.in_trash

    def speed(self) -> float:
        return 1.0


def made(job: MemoryContext) -> tuple[DataFolder, dict[str, Any]]:
    """The newest dataset of a job and its manifest."""
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    return DataFolder(Path(sealed["path"])), sealed["manifest"]


def log_of(job: MemoryContext) -> list[str]:
    return [str(event["text"]) for event in job.events if event["event"] == "log"]
