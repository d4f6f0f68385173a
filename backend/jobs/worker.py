"""The worker: releases jobs that may start, and supervises one child process per stage. `python -m backend.jobs.worker`.

Everything runs in one event loop, no torch is imported here, and no failure of a stage, of the disk or of the database
ends the worker. SIGTERM stops it within three seconds; what it ran goes on at the next start.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from functools import partial
from uuid import uuid4

from backend.core.errors import StudioError
from backend.core.programs import Programs
from backend.core.schemas import FINISHED, State
from backend.core.settings import Settings
from backend.db import Store
from backend.files import trash
from backend.jobs import disk_reserve, heartbeat, queue, scheduling
from backend.jobs.card_pool import CardPool
from backend.jobs.dbos_queue import DbosQueue
from backend.jobs.executor import Executor
from backend.jobs.resolve import Find
from backend.notify.delivery import Delivery
from backend.process.guards import EXIT_ORPHAN, EXIT_REFUSED, LockBusy, file_lock
from backend.stages import stage

POLL_SECONDS = 0.4
NOTIFY_SECONDS = 2.0
_CLOSE_SECONDS = 2.0
log = logging.getLogger(__name__)


class Worker:
    """One slot of one machine. `find` and `child` are replaced by tests that bring their own stages."""

    def __init__(self, settings: Settings, queues: Sequence[str], find: Find, child: str) -> None:
        self.id = f"{socket.gethostname()}:0:{uuid4().hex[:12]}"
        self._settings = settings
        self._queues = list(queues)
        self._store = Store(settings.store_url)
        cards = CardPool(settings)
        self._slots = queue.SLOTS | {"gpu": cards.slots}
        self._executor = Executor(settings, self._store, self.id, find, child, cards)
        self._dbos_queue = DbosQueue(settings, self.id, self._queues, self._executor.execute, self._slots)
        self._stop = asyncio.Event()
        self._fenced = False

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        await asyncio.to_thread(heartbeat.register, self._store, self.id, self._queues)
        await self._dbos_queue.launch()
        await asyncio.to_thread(self._recover)
        await asyncio.to_thread(self._clean)
        loops = (self._dispatch_loop(), self._heartbeat_loop(), self._notify_loop())
        tasks = [asyncio.create_task(loop) for loop in loops]
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._executor.close(_CLOSE_SECONDS)
        with suppress(Exception):  # a stale heartbeat is recognized by its pid
            await asyncio.to_thread(heartbeat.unregister, self._store, [self.id])
        return EXIT_ORPHAN if self._fenced else 0

    async def _dispatch_loop(self) -> None:
        while True:
            try:
                queues, slots, each = self._queues, self._slots, self._executor.slots_of
                ready = partial(scheduling.dispatch_ready, self._store, queues, self.id, slots, each)
                for ticket in await asyncio.to_thread(ready):
                    await self._enqueue(ticket)
                if self._executor.busy:
                    for job_id in await asyncio.to_thread(queue.jobs_to_cancel, self._store, self.id):
                        self._executor.cancel(job_id)
            except Exception:
                log.exception("releasing jobs failed; trying again")
                await asyncio.sleep(2.0)
            await asyncio.sleep(POLL_SECONDS)

    async def _notify_loop(self) -> None:
        delivery = Delivery(self._store)
        while True:
            try:
                await asyncio.to_thread(delivery.deliver)
            except Exception:
                log.exception("notifications could not be sent; trying again")
            await asyncio.sleep(NOTIFY_SECONDS)

    async def _enqueue(self, ticket: queue.Ticket) -> None:
        try:
            await self._dbos_queue.enqueue(ticket)
        except Exception:
            self._store.update_job(ticket.job_id, only=[State.QUEUED], state=State.WAITING)
            raise

    async def _heartbeat_loop(self) -> None:
        """With SQLite the lock of this machine proves that nobody else is at work, so children are kept while the
        database can't be written; elsewhere only a written heartbeat renews their lease."""
        while True:
            kept = self._settings.sqlite
            try:
                await asyncio.to_thread(disk_reserve.allocate, self._settings.home)
                kept = await asyncio.to_thread(heartbeat.beat, self._store, self.id)
                if not kept:
                    self._fenced = True
                    self._stop.set()
                    return
                if not self._settings.sqlite:
                    await asyncio.to_thread(self._recover)
            except Exception:
                log.exception("the heartbeat could not be written")
            if kept:
                self._executor.renew()
            await asyncio.sleep(heartbeat.INTERVAL)

    def _recover(self) -> None:
        """Recover the jobs of dead workers. Repeatable, so a crash in the middle loses nothing."""
        known = heartbeat.all_workers(self._store)
        live = (
            {self.id} if self._settings.sqlite else {row.id for row in heartbeat.live_workers(self._store)} | {self.id}
        )
        heartbeat.unregister(self._store, [row.id for row in known if row.id not in live])
        queue.recover_orphaned(self._store, live, self._settings.jobs)
        queue.requeue_lost(self._store, self._dbos_queue.recover(live))

    def _clean(self) -> None:
        """Work folders of jobs that finished just before an earlier worker died, what the trash has kept for long enough,
        and old workflows."""
        for job in self._store.jobs(FINISHED):
            shutil.rmtree(self._settings.jobs / job.id, ignore_errors=True)
        trash.empty_expired(self._store, self._settings)
        self._dbos_queue.delete_old_workflows()


def main(argv: Sequence[str] | None = None, find: Find = stage, child: str = Programs.STAGE) -> None:
    """The command line of the worker. Never returns."""
    parser = argparse.ArgumentParser(prog=f"python -m {Programs.WORKER}")
    parser.add_argument("--queues", default=",".join(queue.served_queues()))
    queues = parser.parse_args(argv).queues.split(",")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.raiseExceptions = False  # a full disk under the log must not stop the work
    try:
        code = _locked(Settings().prepare(), queues, find, child)
    except StudioError as error:
        sys.stderr.write(f"{error.text()}\n")
        code = EXIT_REFUSED
    sys.stderr.flush()
    os._exit(code)  # the threads of dbos need seconds to end, and hold nothing that the database does not


def _locked(settings: Settings, queues: Sequence[str], find: Find, child: str) -> int:
    unknown = [name for name in queues if name not in queue.SLOTS]
    if unknown:
        raise StudioError("jobs.queue_unknown", queue=unknown[0], known=", ".join(queue.SLOTS))
    try:
        with file_lock(settings.home / "worker.lock", wait=1.0) if settings.sqlite else nullcontext():
            return asyncio.run(Worker(settings, queues, find, child).run())
    except LockBusy as error:
        raise StudioError("jobs.second_worker", home=settings.home) from error


if __name__ == "__main__":
    main()
