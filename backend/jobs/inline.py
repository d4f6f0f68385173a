"""The immediate mode: a run's jobs in this process, in order, without worker and children. For tests and scripts."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

from backend.artifacts import Manifest
from backend.errors import Cancelled
from backend.jobs import queue
from backend.jobs.context import StageContext
from backend.jobs.failures import explain
from backend.jobs.recorder import Recorder
from backend.jobs.resolve import Find, order_for
from backend.schemas import RunView, State
from backend.settings import Settings
from backend.stages import stage
from backend.store import Store
from backend.store import tables as t

_WORKER = "inline"


def run_inline(store: Store, settings: Settings, run_id: str, find: Find = stage) -> RunView:
    """Execute what is ready until nothing is; a job that fails is recorded as by the worker."""
    ours = {job.id for job in store.run(run_id).jobs}
    while tickets := queue.release_ready(store, list(queue.SLOTS), _WORKER):
        for ticket in tickets:
            if ticket.job_id not in ours:
                store.update_job(ticket.job_id, only=[State.QUEUED], state=State.WAITING)
            elif job := queue.claim(store, ticket, _WORKER):
                _run(store, settings, job, find)
        if ours.isdisjoint(ticket.job_id for ticket in tickets):
            break
    return store.run(run_id)


def _run(store: Store, settings: Settings, job: t.Job, find: Find) -> None:
    recorder = Recorder(store, job)
    made: list[dict[str, Any]] = []

    def report(event: dict[str, Any]) -> None:
        recorder.take(event)
        if event["event"] == "artifact":
            made[:] = [event]

    begun = time.monotonic()
    try:
        order = order_for(store, settings, job, find)
        found = find(job.stage)
        result = found.run(found.parse(order.params), StageContext(order, report))
    except Cancelled:
        recorder.flush()
        queue.finish(store, job, State.CANCELLED)
    except Exception as error:
        recorder.flush()
        queue.finish(store, job, State.FAILED, explain(error, settings.home))
    else:
        recorder.flush()
        for event in made:
            manifest = Manifest.model_validate(event["manifest"])
            store.add_artifact(manifest, Path(event["path"]), order.project, job.id)
        queue.finish(store, job, State.SUCCEEDED, result=result.model_dump(), seconds=time.monotonic() - begun)
        shutil.rmtree(order.dir, ignore_errors=True)
