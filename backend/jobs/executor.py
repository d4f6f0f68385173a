"""Runs one released job: claims it, starts its child process, records how it ended. Never raises for a stage's failure."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from backend.core.artifacts import MANIFEST, Manifest
from backend.core.schemas import JobError, Kind, State
from backend.core.settings import Settings
from backend.db import Store
from backend.db import tables as t
from backend.files.checkpoints import superfluous
from backend.files.disk import remove_all
from backend.jobs import disk_reserve, queue
from backend.jobs.attempt import Attempt, Outcome
from backend.jobs.card_pool import CardPool
from backend.jobs.child import DONE
from backend.jobs.machine_load import MachineLoad
from backend.jobs.queue import Ticket
from backend.jobs.recorder import EventRecorder
from backend.jobs.resolve import Find, job_access, job_spec, processes_of
from backend.models import recheck
from backend.process.explain import explain
from backend.process.guards import EXIT_ORPHAN

_FLUSH = 0.5
_LOAD_EVERY = 2  # flushes
_NUMBERED = (Kind.DATASET, Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.CAPTURE)
"""What gets a number behind its automatic name when another is called so; packages of one name are its versions."""
_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Executor:
    """All jobs that this worker runs now. `find` looks stages up, `module` is the child's entry."""

    def __init__(self, settings: Settings, store: Store, worker: str, find: Find, module: str, cards: CardPool) -> None:
        self._settings = settings
        self._store = store
        self._worker = worker
        self._find = find
        self._module = module
        self._cards = cards
        self._running: set[str] = set()
        self._attempts: dict[str, Attempt] = {}
        self._shutting_down = False

    async def execute(self, ticket: Ticket) -> None:
        """Run a ticket to its end. A ticket that is void (cancelled, or released anew) ends at once."""
        try:
            job = await self._persist(partial(queue.claim, self._store, ticket, self._worker))
        except OperationalError:
            return  # closing: the next worker finds the job still queued
        if job is None:
            return
        self._running.add(job.id)
        try:
            await self._run(job)
        except Exception as error:
            await self._fail(job, error)
        finally:
            self._running.discard(job.id)

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def slots_of(self, job: t.Job) -> int:
        """How many slots of its queue a job takes: as many as cards."""
        takes = processes_of(job, self._find, self._cards.processes) if job.queue == "gpu" else 1
        return min(takes, self._cards.slots)

    def cancel(self, job_id: str) -> None:
        if job_id in self._attempts:
            self._attempts[job_id].stop("cancel")

    def renew(self) -> None:
        """The heartbeat was written: renew the lease of every child."""
        for attempt in self._attempts.values():
            attempt.renew()

    async def close(self, timeout: float) -> None:
        """Stop all children; their jobs go back to waiting. Waits at most `timeout` seconds."""
        self._shutting_down = True
        for attempt in self._attempts.values():
            attempt.stop("shutdown")
        until = time.monotonic() + timeout
        while self._running and time.monotonic() < until:
            await asyncio.sleep(0.02)

    async def _run(self, job: t.Job) -> None:
        begun = time.monotonic()
        recorder = EventRecorder(self._store, job)
        made: list[dict[str, Any]] = []
        load = MachineLoad()
        outcome = _already_done(self._settings.jobs / job.id, made)
        if outcome is None:
            outcome = await self._attempt(job, recorder, made, load)
        seconds = (job.seconds or 0.0) + time.monotonic() - begun
        if outcome.kind == "died" and outcome.code != EXIT_ORPHAN:
            recorder.record(_line("warning", f"The process ended without a word ({_exit_cause(outcome.code)})."))
        if outcome.error and outcome.error.code == "core.disk_full":
            disk_reserve.release(self._settings.home)
        complete = await asyncio.to_thread(recorder.flush)
        await self._persist(partial(self._record, job, outcome, made, seconds, load.others_share))
        if not complete:
            await asyncio.to_thread(recorder.flush)
        if outcome.kind == "succeeded":
            await asyncio.to_thread(remove_all, superfluous(self._settings.jobs / job.id))

    async def _attempt(
        self, job: t.Job, recorder: EventRecorder, made: list[dict[str, Any]], load: MachineLoad
    ) -> Outcome:
        shared = processes_of(job, self._find, self._cards.processes)
        order = await asyncio.to_thread(job_spec, self._store, self._settings, job, self._find, shared)
        hub = self._find(job.stage).hub
        access = await asyncio.to_thread(job_access, self._store, self._settings, order, hub)
        resumed = " and goes on from its checkpoint" if any((order.dir / "checkpoints").glob("*")) else ""
        several = f" in {shared} processes" if shared > 1 else ""
        recorder.record(_line("info", f"Attempt {job.attempts} starts{several}{resumed}."))

        checked: dict[str, dict[str, Any]] = {}

        def report(event: dict[str, Any]) -> None:
            if event["event"] == "facts":
                checked[event["artifact"]] = event["facts"]
            if event["event"] == "artifact":
                made[:] = [one for one in made if one["path"] != event["path"]] + [event]
            recorder.record(event)

        with self._cards.environment(job.queue, shared) as devices:
            if devices is None:
                return Outcome("stopped")
            attempt = Attempt(order, self._module, self._settings.logs / f"{job.id}.log", report, access, devices)
            self._attempts[job.id] = attempt
            if self._shutting_down:
                return Outcome("stopped")
            flushing = asyncio.create_task(_flush_periodically(recorder, attempt, load))
            try:
                return await attempt.run(partial(_write_pid, self._store, job))
            finally:
                del self._attempts[job.id]
                flushing.cancel()
                await asyncio.to_thread(self._keep_facts, checked)

    def _keep_facts(self, checked: dict[str, dict[str, Any]]) -> None:
        """What a check of models found before the stage began."""
        for artifact_id, facts in checked.items():
            if view := self._store.find_artifact(artifact_id):
                recheck.keep(self._store, view, facts)

    def _record(
        self, job: t.Job, outcome: Outcome, made: list[dict[str, Any]], seconds: float, others: float | None
    ) -> None:
        """Write down how an attempt ended. Repeatable."""
        spent: dict[str, Any] = {"seconds": seconds, "peak_memory_bytes": outcome.peak, "others_share": others}
        work = self._settings.jobs / job.id
        match outcome.kind:
            case "succeeded":
                for event in made:
                    manifest = Manifest.model_validate(event["manifest"])
                    made_by = self._store.job(job.id)
                    if not made_by.params.get("name") and manifest.kind in _NUMBERED:
                        name = self._store.free_name(manifest.kind, manifest.name, manifest.id)
                        manifest = manifest.model_copy(update={"name": name})
                    self._store.add_artifact(manifest, Path(event["path"]), made_by.project, job.id)
                state = State.FINDINGS if (outcome.result or {}).get("findings") else State.SUCCEEDED
                queue.finish(self._store, job, state, result=outcome.result, **spent)
            case "failed":
                queue.finish(self._store, job, State.FAILED, outcome.error, **spent)
            case "stopped":
                queue.requeue(self._store, job, **spent)
            case "died" if outcome.code == EXIT_ORPHAN:
                queue.requeue(self._store, job, seconds=seconds)
            case "died":
                error = JobError(
                    code="jobs.killed", args={"tries": queue.MAX_DEATHS, "signal": _exit_cause(outcome.code)}
                )
                queue.count_death(self._store, job, work, error, seconds=seconds)

    async def _fail(self, job: t.Job, error: Exception) -> None:
        """Supervision itself failed: missing input, full disk, or a bug of ours."""
        trace = "".join(traceback.format_exception(error))
        log.error("job %s: %s", job.id, trace)
        told = explain(error, self._settings.home)
        with suppress(OperationalError):
            if told.code == "core.unexpected":
                await self._persist(partial(self._store.add_logs, job.id, [("error", trace)]))
            await self._persist(partial(queue.finish, self._store, job, State.FAILED, told))

    async def _persist(self, write: Callable[[], _T]) -> _T:
        """Do a write that must not be lost: again every second while the database is full or away, until we close."""
        while True:
            try:
                return await asyncio.to_thread(write)
            except OperationalError as error:
                disk_reserve.release(self._settings.home)
                log.warning("waiting for the database: %s", str(error).splitlines()[0])
                if self._shutting_down:
                    raise
                await asyncio.sleep(1.0)


def _already_done(work: Path, made: list[dict[str, Any]]) -> Outcome | None:
    """What an earlier attempt finished just before its worker died; None when that is no longer there."""
    if not (work / DONE).is_file():
        return None
    event = json.loads((work / DONE).read_text("utf-8"))
    if not all((Path(one["path"]) / MANIFEST).is_file() for one in event["artifacts"]):
        (work / DONE).unlink()
        return None
    made += event["artifacts"]
    return Outcome("succeeded", result=event["result"], peak=event["peak"])


def _write_pid(store: Store, job: t.Job, pid: int) -> None:
    with suppress(OperationalError):
        queue.update_claimed(store, job, pid=pid)


async def _flush_periodically(recorder: EventRecorder, attempt: Attempt, load: MachineLoad) -> None:
    for tick in count():
        if attempt.pid and tick % _LOAD_EVERY == 0:
            await asyncio.to_thread(load.sample, attempt.pid)
        await asyncio.sleep(_FLUSH)
        await asyncio.to_thread(recorder.flush)


def _line(level: str, text: str) -> dict[str, Any]:
    return {"event": "log", "level": level, "text": text}


def _exit_cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"
