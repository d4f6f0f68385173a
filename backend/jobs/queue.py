"""The rules of the queue, as short conditional updates of job rows: who has claimed a job, what a crash means.

The job table is the truth. A job is released once per `dispatch`; whoever runs it holds (job, dispatch, worker), and every
write of a holder is refused when that is no longer so. No statement here needs more than row-level atomicity, so SQLite
and Postgres behave alike.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from backend.core.cards import usable_cards
from backend.core.schemas import JobError, State
from backend.db import Store
from backend.db import tables as t
from backend.db.changes import execution_options

SLOTS = {"light": 2, "cpu": 1, "gpu": 1}
"""Jobs at once of a worker, by queue; of `gpu` as many as it has cards."""
MAX_DEATHS = 3
_CLAIMED = (State.RUNNING, State.CANCELLING)
_STOPPED = (State.FAILED, State.CANCELLED, State.BLOCKED)


@dataclass(frozen=True)
class Ticket:
    """One release of a job to a queue."""

    job_id: str
    dispatch: int
    queue: str

    @property
    def workflow(self) -> str:
        return f"{self.job_id}.{self.dispatch}"


def served_queues() -> list[str]:
    """The queues that this machine can serve: `gpu` only where a card is that PyTorch can use. Imports no torch."""
    return [name for name in SLOTS if name != "gpu" or usable_cards()]


def claim(store: Store, ticket: Ticket, worker: str) -> t.Job | None:
    """Claim a released job for a worker. None when it was cancelled, taken or released anew meanwhile."""
    query = (
        update(t.Job)
        .where(t.Job.id == ticket.job_id, t.Job.dispatch == ticket.dispatch, t.Job.state == State.QUEUED)
        .values(state=State.RUNNING, worker=worker, attempts=t.Job.attempts + 1, started=t.now(), ended=None, pid=None)
    )
    with store.session() as session:
        if not session.execute(query).rowcount:  # type: ignore[attr-defined]
            return None
        return session.get(t.Job, ticket.job_id)


def update_claimed(store: Store, job: t.Job, only: Collection[State] = _CLAIMED, **values: Any) -> bool:
    """Set columns of a job that this worker has claimed; False when it is in none of the states `only`, or another
    worker's by now."""
    query = (
        update(t.Job)
        .where(t.Job.id == job.id, t.Job.dispatch == job.dispatch, t.Job.worker == job.worker)
        .where(t.Job.state.in_(list(only)))
        .values(**values)
        .execution_options(**execution_options(values))
    )
    with store.session() as session:
        return bool(session.execute(query).rowcount)  # type: ignore[attr-defined]


def finish(store: Store, job: t.Job, state: State, error: JobError | None = None, **values: Any) -> None:
    """End a held job; later stages that can't run any more become `blocked`."""
    told = error.model_dump() if error else None
    if update_claimed(store, job, state=state, error=told, ended=t.now(), pid=None, eta_seconds=None, **values):
        block_dependents(store, job.run_id)


def finish_cancelled(store: Store, job: t.Job, **values: Any) -> bool:
    """End a held job whose cancel was asked; False when it wasn't."""
    ended = {"state": State.CANCELLED, "ended": t.now(), "pid": None, "eta_seconds": None, **values}
    if not update_claimed(store, job, only=[State.CANCELLING], **ended):
        return False
    block_dependents(store, job.run_id)
    return True


def requeue(store: Store, job: t.Job, **values: Any) -> None:
    """Put a claimed job back in the queue: it waits for its next attempt, or is cancelled when that was asked. This
    counts no death."""
    waits = {"state": State.WAITING, "worker": None, "pid": None, "eta_seconds": None, **values}
    if not update_claimed(store, job, only=[State.RUNNING], **waits):
        finish_cancelled(store, job, **values)


def count_death(store: Store, job: t.Job, work: Path, error: JobError, **values: Any) -> None:
    """The process of a held job died. It waits for another attempt, unless its cancel was asked or that was the third
    death in a row without a new checkpoint."""
    newest = _newest_checkpoint(work)
    fresh = newest is not None and job.started is not None and newest > job.started
    deaths = 1 if fresh else job.deaths + 1
    if deaths < MAX_DEATHS:
        requeue(store, job, deaths=deaths, **values)
    elif not finish_cancelled(store, job, **values):
        finish(store, job, State.FAILED, error, deaths=deaths, **values)


def recover_orphaned(store: Store, live: Collection[str], jobs: Path) -> None:
    """Recover the jobs of dead workers: cancelled if that was asked, else waiting for its next release. Repeatable."""
    with store.session() as session:
        held = session.scalars(select(t.Job).where(t.Job.state.in_([State.RUNNING, State.CANCELLING]))).all()
    for job in held:
        if job.worker in live:
            continue
        if job.state == State.CANCELLING:
            finish(store, job, State.CANCELLED)
        else:
            poison = JobError(code="jobs.poison", args={"tries": MAX_DEATHS})
            count_death(store, job, jobs / job.id, poison)


def requeue_lost(store: Store, workflows: Collection[str]) -> None:
    """Back to `waiting` with every queued job that has no workflow (a crash between the two writes)."""
    with store.session() as session:
        queued = session.scalars(select(t.Job).where(t.Job.state == State.QUEUED)).all()
    for job in queued:
        if Ticket(job.id, job.dispatch, job.queue).workflow not in workflows:
            store.update_job(job.id, only=[State.QUEUED], state=State.WAITING)


def block_dependents(store: Store, run_id: str) -> None:
    """Mark `blocked` every waiting job of a run whose earlier stage failed, was cancelled or is blocked itself."""
    with store.session() as session:
        jobs = session.scalars(select(t.Job).where(t.Job.run_id == run_id).order_by(t.Job.position)).all()
    states = {job.stage_id: State(job.state) for job in jobs}
    for job in jobs:
        if states[job.stage_id] is State.WAITING and any(states.get(need) in _STOPPED for need in job.needs):
            store.update_job(job.id, only=[State.WAITING], state=State.BLOCKED, ended=t.now())
            states[job.stage_id] = State.BLOCKED


def jobs_to_cancel(store: Store, worker: str) -> list[str]:
    """Jobs of this worker that somebody asked to cancel."""
    query = select(t.Job.id).where(t.Job.state == State.CANCELLING, t.Job.worker == worker)
    with store.session() as session:
        return list(session.scalars(query))


def _newest_checkpoint(work: Path) -> datetime | None:
    times = [path.stat().st_mtime for path in (work / "checkpoints").rglob("*") if path.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else None
