"""dbos, behind five functions: the only module that knows it.

A workflow is one release of a job (`Ticket.workflow`); its body is generic, so that new versions of the studio go on with
the workflows of old ones. The settings are those that were measured; never set a conductor key or sharding.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta

from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID

from backend.core.settings import Settings
from backend.jobs.queue import SLOTS, Ticket

_POLL_SECONDS = 0.5
_KEEP_DAYS = 7
_ATTEMPTS = 10_000  # attempts are counted in the job table


class DbosQueue:
    """One dbos executor. `execute` is awaited once for every ticket that this process gets, `slots` of a queue at once."""

    def __init__(
        self,
        settings: Settings,
        worker: str,
        queues: Collection[str],
        execute: Callable[[Ticket], Awaitable[None]],
        slots: Mapping[str, int] = SLOTS,
    ) -> None:
        self._worker = worker
        self._queues = queues
        self._slots = slots
        if settings.sqlite:
            _enable_wal(settings.queue_url)
        DBOS(
            config={
                "name": "slmops-studio",
                "system_database_url": settings.queue_url,
                "application_version": "studio-1",
                "executor_id": worker,
                "serializer": DBOSPortableJSONSerializer(),
                "log_level": "WARNING",
                "sys_db_pool_size": 5,
            }
        )

        @DBOS.step(name="supervise", preemptible=True)
        async def supervise(job_id: str, dispatch: int, queue: str) -> None:
            await execute(Ticket(job_id, dispatch, queue))

        @DBOS.workflow(name="stage", max_recovery_attempts=_ATTEMPTS)
        async def workflow(job_id: str, dispatch: int, queue: str) -> None:
            await supervise(job_id, dispatch, queue)

        self._workflow = workflow

    async def launch(self) -> None:
        """Start dbos in the running event loop, which it adopts."""
        DBOS.listen_queues(list(self._queues))
        DBOS.launch()
        for name in self._queues:
            await DBOS.register_queue_async(
                name,
                worker_concurrency=self._slots[name],
                polling_interval_sec=_POLL_SECONDS,
                on_conflict="always_update",
            )

    async def enqueue(self, ticket: Ticket) -> None:
        with SetWorkflowID(ticket.workflow):
            await DBOS.enqueue_workflow_async(
                ticket.queue, self._workflow, ticket.job_id, ticket.dispatch, ticket.queue
            )

    def recover(self, live: Collection[str]) -> set[str]:
        """Queue again the workflows of executors that are not among `live`; returns the ids of all unfinished ones."""
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        dead = {flow.executor_id for flow in pending if flow.executor_id} - set(live)
        DBOS._recover_pending_workflows(sorted(dead))
        unfinished = DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
        return {flow.workflow_id for flow in unfinished}

    def delete_old_workflows(self) -> None:
        """dbos keeps finished workflows for ever; the job table holds what people want to know."""
        before = (datetime.now(UTC) - timedelta(days=_KEEP_DAYS)).isoformat()
        ended = ["SUCCESS", "ERROR", "CANCELLED"]
        old = DBOS.list_workflows(status=ended, end_time=before, limit=1000, load_input=False, load_output=False)
        if old:
            DBOS.delete_workflows([flow.workflow_id for flow in old])

    def close(self) -> None:
        DBOS.destroy()


def _enable_wal(url: str) -> None:
    """WAL stays in the file; dbos itself never asks for it and is six times slower without."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
