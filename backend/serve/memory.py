"""Is there memory for one more model? What is free now is not all free: jobs at work will take what they were quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, State
from backend.core.units import human_bytes
from backend.db import Store

if TYPE_CHECKING:
    from backend.serve.engine_client import EngineClient


@dataclass(frozen=True)
class Claim:
    """A running job: what it was quoted, and what its processes hold now; bytes."""

    job: JobView
    quoted: int
    held: int

    @property
    def outstanding(self) -> int:
        return max(0, self.quoted - self.held)


def claims(store: Store) -> list[Claim]:
    """One for each running job of this machine. A job whose process is not here runs elsewhere; one without a pid is
    just starting."""
    found = []
    for job in store.jobs([State.RUNNING]):
        held = _held(job.pid)
        if held is not None:
            found.append(Claim(job, job.quote.memory_bytes if job.quote else 0, held))
    return found


@dataclass(frozen=True)
class Loaded:
    """A model in memory; `bytes`: what its end gives back."""

    id: str
    name: str
    bytes: int

    @staticmethod
    def of(model: EngineClient) -> Loaded:
        return Loaded(model.view.id, model.view.name, model.memory_bytes + model.outstanding)


def shortage(
    view: ArtifactView, need: int, missing: int, running: list[Claim], loaded: Sequence[Loaded] = ()
) -> StudioError:
    """`missing` bytes of the `need` for a model. Names the loaded models to unload (`unload`: their ids, separated by spaces),
    else the largest job, where their end would help."""
    args = {"model": view.name, "need": human_bytes(need), "missing": human_bytes(missing)}
    if leave := to_unload(missing, loaded):
        names = ", ".join(one.name for one in leave)
        return StudioError("serve.memory_models", **args, others=names, unload=" ".join(one.id for one in leave))
    largest = max(running, key=lambda claim: max(claim.quoted, claim.held), default=None)
    if largest is None or max(largest.quoted, largest.held) < missing:
        return StudioError("serve.memory_short", **args)
    return StudioError("serve.memory_busy", **args, job=largest.job.id, stage=largest.job.stage)


def to_unload(missing: int, loaded: Sequence[Loaded]) -> list[Loaded]:
    """The smallest single model that gives back `missing` bytes, else as few as do together, largest first; none when all are
    not enough."""
    ordered = sorted(loaded, key=lambda one: one.bytes)
    if single := next((one for one in ordered if one.bytes >= missing), None):
        return [single]
    found: list[Loaded] = []
    while ordered and sum(one.bytes for one in found) < missing:
        found.append(ordered.pop())
    return found if sum(one.bytes for one in found) >= missing else []


def _held(pid: int | None) -> int | None:
    """Bytes of a process and its descendants; None when there is no such process."""
    if pid is None:
        return 0
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
    except psutil.Error:
        return None
