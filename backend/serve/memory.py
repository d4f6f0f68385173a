"""Is there memory for one more model? What is free now is not all free: jobs at work will take what they were quoted."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, State
from backend.core.units import human_bytes
from backend.db import Store


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


def shortage(view: ArtifactView, need: int, missing: int, running: list[Claim]) -> StudioError:
    """`missing` bytes of the `need` for a model; names the largest job where its end would help."""
    args = {"model": view.name, "need": human_bytes(need), "missing": human_bytes(missing)}
    largest = max(running, key=lambda claim: max(claim.quoted, claim.held), default=None)
    if largest is None or max(largest.quoted, largest.held) < missing:
        return StudioError("serve.memory_short", **args)
    return StudioError("serve.memory_busy", **args, job=largest.job.id, stage=largest.job.stage)


def _held(pid: int | None) -> int | None:
    """Bytes of a process and its descendants; None when there is no such process."""
    if pid is None:
        return 0
    try:
        process = psutil.Process(pid)
        return sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
    except psutil.Error:
        return None
