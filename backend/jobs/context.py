"""What a running stage sees of the world: its job spec, and a way to report. The same class serves the child process (reports
go to the worker) and tests (reports are kept in a list)."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.core.artifacts import MADE, Manifest, seal
from backend.core.endpoints import SavedEndpoint
from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Report
from backend.providers.keys import SHORTEST_MASKED, masked, masker


class JobSpec(BaseModel):
    """All that a child process is told. `inputs`: every referenced artifact with all its ancestors, by id; `names`:
    the reference as it stands in `params` -> artifact id. `endpoints`: the saved ones that `params` names; `trashed`: the
    artifacts in the trash. `processes`: how many share the work."""

    job_id: str
    stage: str
    params: dict[str, Any]
    seed: int
    dir: Path
    artifacts: Path
    cache: Path
    project: str
    inputs: dict[str, ArtifactView] = {}
    names: dict[str, str] = {}
    endpoints: dict[str, SavedEndpoint] = {}
    trashed: frozenset[str] = frozenset()
    processes: int = 1


class Access(BaseModel):
    """What a job may reach beyond this machine, told to its child apart from the order. `keys`: of endpoints that were typed,
    by their names; `variables`: secrets of the environment; `network`: whether it is to reach anything at all."""

    keys: dict[str, str] = {}
    variables: dict[str, str] = {}
    network: bool = False


class StageContext:
    """`dir` survives a crash of the job (checkpoints, partial answers) and goes when the job has succeeded."""

    def __init__(
        self,
        order: JobSpec,
        report: Report,
        cancelled: Callable[[], bool] = lambda: False,
        keys: dict[str, str] | None = None,
    ) -> None:
        self.order = order
        self._keys = keys or {}
        self._mask = masker(key for key in self._keys.values() if len(key) >= SHORTEST_MASKED)
        self.dir = order.dir
        self.cache = order.cache
        self.seed = order.seed
        self.job_id = order.job_id
        self.artifacts = order.artifacts
        self.trashed = order.trashed
        self._report = report
        self._cancelled = cancelled
        self._phase: tuple[float, str] | None = None
        self._since = 0.0
        self._first = 0.0
        self.dir.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoints(self) -> Path:
        """What an earlier attempt left to resume from lies here."""
        folder = self.dir / "checkpoints"
        folder.mkdir(exist_ok=True)
        return folder

    def log(self, text: str, level: str = "info") -> None:
        self._report({"event": "log", "level": level, "text": text})

    def progress(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` in any unit; time left follows from the pace since this phase (`total` and `note`) began, so
        that resumed work, cached answers and loading do not count."""
        now = time.monotonic()
        if self._phase != (total, note) or done < self._first:
            self._phase, self._since, self._first = (total, note), now, done
        pace = (done - self._first) / (now - self._since) if now > self._since else 0.0
        eta = (total - done) / pace if pace > 0 else None
        self._report({"event": "progress", "done": done, "total": total, "note": note, "eta": eta})

    def metric(self, name: str, value: float, step: float) -> None:
        self._report({"event": "metric", "name": name, "value": float(value), "step": float(step)})

    def raise_if_cancelled(self) -> None:
        """Call often: raises Cancelled when a stop was asked."""
        if self._cancelled():
            raise Cancelled

    def input(self, ref: str | None) -> ArtifactView:
        """The artifact behind a reference of the params, or an ancestor by id. Raises StudioError when it is gone."""
        found = self.order.inputs.get(self.order.names.get(ref or "", ref or ""))
        if found is None or not found.path.exists():
            raise StudioError("core.artifact_unknown", ref=ref)
        return found

    def ancestors(self, view: ArtifactView) -> list[ArtifactView]:
        """All that are known, nearest first."""
        found: list[ArtifactView] = []
        ahead = list(view.parents)
        while ahead:
            ancestor = self.order.inputs.get(ahead.pop(0))
            if ancestor is not None and ancestor not in found:
                found.append(ancestor)
                ahead += ancestor.parents
        return found

    def endpoint(self, name: str) -> SavedEndpoint:
        """The saved endpoint of that name. Raises StudioError when there is none."""
        if name not in self.order.endpoints:
            raise StudioError("endpoints.unknown", name=name)
        return self.order.endpoints[name]

    def key(self, name: str) -> str:
        """The key of a saved endpoint that was typed; empty where none is kept."""
        return self._keys.get(name, "")

    def scratch(self, name: str) -> Path:
        """An empty folder inside the job's, to build an artifact in."""
        folder = self.dir / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def within(self, folder: Path, report: Report | None = None, given: Iterable[ArtifactView] = ()) -> StageContext:
        """The context of a stage that runs inside this one: what it makes stays in `folder` (`made_in`)."""
        inputs = self.order.inputs | {view.id: view for view in given}
        order = self.order.model_copy(update={"dir": folder, "artifacts": folder / MADE, "inputs": inputs})
        inner = StageContext(order, report or self._report, self._cancelled, self._keys)
        inner.artifacts = self.artifacts
        return inner

    def artifact(
        self,
        kind: Kind,
        name: str,
        path: Path,
        *,
        facts: dict[str, Any] | None = None,
        parents: list[str] | None = None,
        license: str | None = None,
    ) -> ArtifactView:
        """Move the finished folder `path` into the artifact store. A stage makes at most one of a kind; its id derives
        from the job, so that a second run of the same job ends in the same state."""
        artifact_id = f"{kind.value}-{self.order.job_id}"
        manifest = Manifest(
            id=artifact_id,
            kind=kind,
            name=name,
            stage=self.order.stage,
            params=self.order.params,
            parents=sorted(set(parents or [])),
            facts=masked(facts or {}, self._mask),
            license=license,
            seed=self.seed,
            endpoints={name: {"url": each.url, "model": each.model} for name, each in self.order.endpoints.items()},
        )
        target = self.order.artifacts / kind.value / artifact_id
        sealed = seal(path, target, manifest)
        self._report({"event": "artifact", "path": str(target), "manifest": sealed.model_dump(mode="json")})
        return ArtifactView(
            id=artifact_id,
            kind=kind,
            name=name,
            project=self.order.project,
            path=target,
            facts=sealed.facts,
            parents=sealed.parents,
            size_bytes=sealed.size_bytes,
            license=license,
            digest=sealed.digest,
            job_id=self.order.job_id,
            created=datetime.now(UTC),
        )


class MemoryContext(StageContext):
    """For tests: keeps what a stage reports in `events`."""

    def __init__(
        self,
        folder: Path,
        inputs: list[ArtifactView] | None = None,
        seed: int = 0,
        job_id: str = "j1",
        endpoints: list[SavedEndpoint] | None = None,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.stop = False
        given = {view.id: view for view in inputs or []}
        order = JobSpec(
            job_id=job_id,
            stage="test",
            params={},
            seed=seed,
            dir=folder / "work",
            artifacts=folder / "artifacts",
            cache=folder / "cache",
            project="p",
            inputs=given,
            names={view.name: view.id for view in given.values()},
            endpoints={each.name: each for each in endpoints or []},
        )
        super().__init__(order, self.events.append, lambda: self.stop)
