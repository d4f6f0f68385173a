"""A stage's run within a search: a context whose folder, results and curve belong to one trial, and whose progress, log and
cancel are the search's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.core.artifacts import folder_bytes, write_json
from backend.core.endpoints import SavedEndpoint
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Context

_MADE = "made"


class TrialContext:
    """`folder` is the trial's and survives a crash; `told(name, value, share)` hears each point of its curve with the share of
    the run that is done; `moved(share, note)` hears of progress. What the stage makes stays in the folder, see `made_in`."""

    def __init__(
        self,
        outer: Context,
        folder: Path,
        told: Callable[[str, float, float], None],
        moved: Callable[[float, str], None],
    ) -> None:
        self._outer, self._told, self._moved = outer, told, moved
        self._share = 0.0
        self.dir = folder
        self.cache, self.artifacts, self.trashed = outer.cache, outer.artifacts, outer.trashed
        self.job_id, self.seed = outer.job_id, outer.seed
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def checkpoints(self) -> Path:
        folder = self.dir / "checkpoints"
        folder.mkdir(exist_ok=True)
        return folder

    def log(self, text: str, level: str = "info") -> None:
        self._outer.log(text, level)

    def progress(self, done: float, total: float, note: str = "") -> None:
        self._share = done / total if total else 0.0
        self._moved(self._share, note)

    def metric(self, name: str, value: float, step: float) -> None:
        self._told(name, value, self._share)

    def raise_if_cancelled(self) -> None:
        self._outer.raise_if_cancelled()

    def input(self, ref: str | None) -> ArtifactView:
        return self._outer.input(ref)

    def ancestors(self, view: ArtifactView) -> list[ArtifactView]:
        return self._outer.ancestors(view)

    def endpoint(self, name: str) -> SavedEndpoint:
        return self._outer.endpoint(name)

    def key(self, name: str) -> str:
        return self._outer.key(name)

    def scratch(self, name: str) -> Path:
        folder = self.dir / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

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
        """Keep the folder `path` in the trial's."""
        target = self.dir / _MADE
        shutil.rmtree(target, ignore_errors=True)
        path.replace(target)
        about = {"kind": kind, "name": name, "facts": facts or {}, "parents": parents or [], "license": license}
        write_json(self.dir / f"{_MADE}.json", about)
        return ArtifactView(
            id=f"{kind.value}-{self.job_id}",
            kind=kind,
            name=name,
            project="",
            path=target,
            facts=facts or {},
            parents=parents or [],
            size_bytes=folder_bytes(target),
            license=license,
            digest="",
            job_id=self.job_id,
            created=datetime.now(UTC),
        )


def made_in(folder: Path) -> tuple[Path, dict[str, Any]]:
    """What the trial of this folder made, and the arguments of `Context.artifact` for it (`kind`, `name`, `facts`, `parents`,
    `license`)."""
    about = json.loads((folder / f"{_MADE}.json").read_text("utf-8"))
    return folder / _MADE, {**about, "kind": Kind(about["kind"])}
