"""Heartbeats: which workers live."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import timedelta

import psutil
from sqlalchemy import delete, select, update

from backend.core.schemas import WorkerView
from backend.db import Store
from backend.db import tables as t

INTERVAL = 5.0
TTL = 45.0


def register(store: Store, worker: str, queues: Sequence[str]) -> None:
    """Write the first heartbeat. Must come before the worker takes any job."""
    with store.session() as session:
        session.add(t.Worker(id=worker, host=socket.gethostname(), pid=os.getpid(), queues=list(queues), beat=t.now()))


def beat(store: Store, worker: str) -> bool:
    """False when the row is gone: others took this worker for dead, so it must stop at once."""
    with store.session() as session:
        done = session.execute(update(t.Worker).where(t.Worker.id == worker).values(beat=t.now()))
        return bool(done.rowcount)  # type: ignore[attr-defined]


def unregister(store: Store, workers: Sequence[str]) -> None:
    with store.session() as session:
        session.execute(delete(t.Worker).where(t.Worker.id.in_(list(workers))))


def all_workers(store: Store) -> list[WorkerView]:
    """Every worker that has a row, dead or alive."""
    with store.session() as session:
        rows = session.scalars(select(t.Worker).order_by(t.Worker.id)).all()
    return [WorkerView.model_validate(row, from_attributes=True) for row in rows]


def live_workers(store: Store) -> list[WorkerView]:
    """Workers with a recent heartbeat whose process, if it is one of this machine, exists."""
    oldest = t.now() - timedelta(seconds=TTL)
    here = socket.gethostname()
    return [row for row in all_workers(store) if row.beat > oldest and (row.host != here or psutil.pid_exists(row.pid))]


def has_process(pid: int | None) -> bool:
    """Whether a job's process of this machine is there. It leads a session, which a later process of its number rarely does."""
    try:
        return pid is not None and os.getsid(pid) == pid
    except ProcessLookupError:
        return False
