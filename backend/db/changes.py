"""A counter for every table: it rises in each transaction that writes there, whichever process wrote.

Readers keep what they read for as long as the counters of its tables stand still. A counter is read before the rows that it
speaks of, so that what is kept under it is never older than it says.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, event, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction

from backend.db import tables as t

PROGRESS = "progress"
"""Beside the tables: what a running job reports of itself, several times a second."""
_TOPIC = "topic"
_TOUCHED = "touched"
_UNCOUNTED = frozenset({t.MetricPoint.__tablename__, t.LogLine.__tablename__})
_GLANCE = 0.02
"""Seconds for which counters count as read: pages ask many times while they are drawn. A write of this process ends that."""
_COUNTERS = select(t.Change.topic, t.Change.version)
_JOB_REPORTS = frozenset({"done", "total", "note", "eta_seconds"})


class CountedSession(Session):
    """Raises the counters of what it wrote when it commits, last of all: so no two transactions wait for each other's."""


def execution_options(columns: Collection[str]) -> dict[str, Any]:
    """Of an update of a job that sets these columns: mere progress counts apart."""
    return {_TOPIC: PROGRESS} if _JOB_REPORTS.issuperset(columns) else {}


class _Process:
    """`writes`: transactions of this process that wrote anything."""

    writes = 0


class ChangeQueries:
    """Mixed into `Store`."""

    engine: Engine
    _glance: tuple[float, int, dict[str, int]] = (0.0, -1, {})

    def changes(self) -> dict[str, int]:
        """Counter by table, and that of PROGRESS; one that is missing has never been written."""
        read, writes, found = self._glance
        if time.monotonic() - read < _GLANCE and writes == _Process.writes:
            return found
        read, writes = time.monotonic(), _Process.writes
        with self.engine.connect() as connection:
            found = {row.topic: row.version for row in connection.execute(_COUNTERS)}
        self._glance = (read, writes, found)
        return found


def _touch(session: Session, topic: str) -> None:
    if topic not in _UNCOUNTED:
        session.info.setdefault(_TOUCHED, set()).add(topic)


@event.listens_for(CountedSession, "do_orm_execute")
def _executed(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete or state.is_insert:
        table = state.statement.table  # type: ignore[attr-defined]
        _touch(state.session, state.execution_options.get(_TOPIC, table.name))


@event.listens_for(CountedSession, "after_flush")
def _flushed(session: Session, _context: UOWTransaction) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        _touch(session, row.__tablename__)


@event.listens_for(CountedSession, "before_commit")
def _count(session: Session) -> None:
    session.flush()
    touched = sorted(session.info.get(_TOUCHED, ()))
    if not touched:
        return
    connection = session.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    query = insert(t.Change).values([{"topic": topic, "version": 1} for topic in touched])
    connection.execute(query.on_conflict_do_update(index_elements=["topic"], set_={"version": t.Change.version + 1}))


@event.listens_for(CountedSession, "after_commit")
def _committed(session: Session) -> None:
    if session.info.pop(_TOUCHED, None):
        _Process.writes += 1
