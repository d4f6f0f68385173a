"""JobService: the only door to the queue. Pure database work, so the web process and the command line need no dbos.

The worker polls the job table and acts on what is written here.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import IntegrityError

from backend.core.errors import StudioError
from backend.core.schemas import JobView, LogLine, MetricPoint, Quote, RunView, State, WorkerView
from backend.core.stage import AnyStage
from backend.db import Store
from backend.db import tables as t
from backend.db.projects import new_id
from backend.jobs import heartbeat, queue
from backend.jobs.history import old_runs, run_name
from backend.jobs.scheduling import swap_priorities
from backend.stages import stage

_RETRIABLE = (State.FAILED, State.CANCELLED, State.BLOCKED)


class NewJob(BaseModel):
    """One stage of a run to submit. `params` may hold `${stage_id}`; `needs` are stage ids of the same run; jobs with a
    lower `priority` number go first."""

    model_config = ConfigDict(extra="forbid")

    stage_id: str
    stage: str
    params: dict[str, Any]
    needs: list[str] = []
    seed: int = 0
    priority: int = 5
    quote: Quote | None = None


class JobService:
    """`find` looks a stage up by name (KeyError when unknown)."""

    def __init__(self, store: Store, find: Callable[[str], AnyStage] = stage) -> None:
        self._store = store
        self._find = find

    def submit(
        self,
        name: str,
        jobs: Sequence[NewJob],
        recipe: dict[str, Any] | None = None,
        project: str | None = None,
        key: str | None = None,
    ) -> RunView:
        """Start a run in the project of that name, else in the oldest. The same `key` again (a double click, a retried
        request) gives the run that it made first."""
        self._check_needs(jobs)
        digest = hashlib.sha256((key or "").encode()).hexdigest()[:10]
        run_id = f"r{digest}" if key else new_id("r")
        created = t.now()
        rows = [
            t.Job(
                id=new_id("j"),
                run_id=run_id,
                created=created,
                state=State.WAITING,
                queue="gpu" if job.quote and job.quote.vram else self._find(job.stage).queue,
                quote=job.quote.model_dump() if job.quote else None,
                **job.model_dump(include={"stage_id", "stage", "params", "needs", "seed", "priority"}),
            )
            for job in jobs
        ]
        try:
            return self._store.add_run(name, self._store.project(project), recipe or {}, rows, run_id)
        except IntegrityError:
            if key is None:
                raise
            return self._store.run(run_id)

    def get(self, job_id: str) -> JobView:
        return self._store.job(job_id)

    def run(self, run_id: str) -> RunView:
        return self._store.run(run_id)

    def runs(self, limit: int = 50) -> Sequence[RunView]:
        """Newest first, each with its jobs."""
        return self._store.runs(limit)

    def logs(self, job_id: str, last: int = 200) -> Sequence[LogLine]:
        """The last lines, oldest first."""
        return self._store.logs(self.get(job_id).id, last)

    def metrics(self, job_id: str, name: str | None = None) -> Sequence[MetricPoint]:
        return self._store.points(self.get(job_id).id, name)

    def cancel(self, job_id: str) -> JobView:
        """Stop a job: at once while it waits; a running one is `cancelling` until its process has gone. Stages that need
        it become `blocked`. A job that has ended is left as it is."""
        job = self.get(job_id)
        waiting = [State.WAITING, State.QUEUED]
        if not self._store.update_job(job_id, only=waiting, state=State.CANCELLED, ended=t.now()):
            values = (
                {"state": State.CANCELLING} if self._at_work(job_id) else {"state": State.CANCELLED, "ended": t.now()}
            )
            self._store.update_job(job_id, only=[State.RUNNING], **values)
        queue.block_dependents(self._store, job.run_id)
        return self.get(job_id)

    def cancel_run(self, run_id: str) -> RunView:
        """Stop what runs, and whatever would come after it."""
        jobs = self.run(run_id).jobs
        ended = {job.stage_id for job in jobs if job.state.finished}
        for job in reversed(jobs):
            if set(job.needs) <= ended:
                self.cancel(job.id)
            else:
                self._store.update_job(job.id, only=[State.WAITING], state=State.BLOCKED, ended=t.now())
        return self.run(run_id)

    def retry(self, job_id: str) -> JobView:
        """Put a failed, cancelled or blocked job back to `waiting`, with the earlier stages that it still lacks and the
        later ones that waited for it. Finished stages are not repeated. Raises StudioError when it runs or succeeded."""
        job = self.get(job_id)
        if job.state.finished:
            raise StudioError("jobs.retry_done", ref=job_id)
        if job.state not in _RETRIABLE:
            raise StudioError("jobs.retry_active", ref=job_id, state=job.state.value)
        for other in _with_dependencies(self.run(job.run_id).jobs, job):
            self._store.update_job(other.id, only=_RETRIABLE, **_RESET)
        queue.block_dependents(self._store, job.run_id)
        return self.get(job_id)

    def undo_cancel(self, job_id: str) -> JobView:
        """Take a cancel back. A job that waited has its old place in the queue, with what was blocked by its end; one at work
        goes on, or, where its process has gone, starts again from its last checkpoint. Others are left as they are."""
        if self._store.update_job(job_id, only=[State.CANCELLING], state=State.RUNNING):
            return self.get(job_id)  # a process that stops all the same is put back by its worker
        job = self.get(job_id)
        return self.retry(job_id) if job.state in (State.CANCELLED, State.BLOCKED) else job

    def reprioritize(self, job_id: str, priority: int) -> JobView:
        """Lower numbers go first; counts for jobs that still wait."""
        self._store.update_job(self.get(job_id).id, priority=priority)
        return self.get(job_id)

    def open_jobs(self) -> list[JobView]:
        """All that have not ended, newest run first, those of a run in its order."""
        return self._store.jobs([state for state in State if not state.ended], limit=10_000)

    def run_name(self, run_id: str) -> tuple[int, str]:
        """Number and name, without its jobs, so it is cheap; 0 and its id when it has gone."""
        return run_name(self._store, run_id)

    def old_runs(self, days: float) -> list[str]:
        """Ids of the runs that ended at least so long ago."""
        return old_runs(self._store, t.now() - timedelta(days=days))

    def move(self, job_id: str, step: int) -> None:
        """Let a waiting job change places with the next one before it (`step` -1) or after it (1) in its queue."""
        for changed, priority in swap_priorities(self.open_jobs(), job_id, step).items():
            self._store.update_job(changed, only=[State.WAITING], priority=priority)

    def pause(self, name: str) -> None:
        """Start nothing more from a queue; what runs goes on."""
        self._set_paused(name, True)

    def resume(self, name: str) -> None:
        self._set_paused(name, False)

    def paused(self) -> Sequence[str]:
        with self._store.session() as session:
            return sorted(row.name for row in session.query(t.QueueState) if row.paused)

    def workers(self) -> Sequence[WorkerView]:
        """The workers that live now."""
        return heartbeat.live_workers(self._store)

    def _check_needs(self, jobs: Sequence[NewJob]) -> None:
        seen: set[str] = set()
        for job in jobs:
            for need in job.needs:
                if need not in seen:
                    raise StudioError("jobs.need_unknown", stage_id=job.stage_id, need=need)
            seen.add(job.stage_id)

    def _at_work(self, job_id: str) -> bool:
        """Whether a live worker has it, or its process is still there: a worker that could not write its heartbeat for long
        keeps its children."""
        with self._store.session() as session:
            job = session.get_one(t.Job, job_id)
            worker, pid = job.worker, job.pid
        if worker in {each.id for each in self.workers()}:
            return True
        return worker is not None and worker.partition(":")[0] == socket.gethostname() and heartbeat.has_process(pid)

    def _set_paused(self, name: str, paused: bool) -> None:
        if name not in queue.SLOTS:
            raise StudioError("jobs.queue_unknown", queue=name, known=", ".join(queue.SLOTS))
        with self._store.session() as session:
            session.merge(t.QueueState(name=name, paused=paused))


_RESET: dict[str, Any] = {
    "state": State.WAITING,
    "deaths": 0,
    "error": None,
    "worker": None,
    "pid": None,
    "done": 0.0,
    "total": 0.0,
    "note": "",
    "eta_seconds": None,
    "seconds": None,
    "ended": None,
}


def _with_dependencies(jobs: Sequence[JobView], chosen: JobView) -> list[JobView]:
    """`chosen`, the earlier stages that stopped before it, and the later ones that are blocked by any of these."""
    by_stage = {job.stage_id: job for job in jobs}
    found = {chosen.stage_id}
    open_needs = list(chosen.needs)
    while open_needs:
        need = by_stage[open_needs.pop()]
        if need.state in _RETRIABLE and need.stage_id not in found:
            found.add(need.stage_id)
            open_needs += need.needs
    for job in jobs:  # in order, so that later stages see what was found before them
        if job.state is State.BLOCKED and found.intersection(job.needs):
            found.add(job.stage_id)
    return [job for job in jobs if job.stage_id in found]
