"""Runs that have ended, and who is to be told of that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.core.schemas import RunView, State
from backend.db import tables as t

_ENDED = [state for state in State if state.ended]


@dataclass(frozen=True)
class DueNotice:
    """One message that somebody should send now; `tries` were made before."""

    run_id: str
    ended: datetime
    target: str
    tries: int


class NoticeQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]
    runs: Callable[..., list[RunView]]

    def ended_runs(self, after: datetime, project: str | None = None, limit: int = 50) -> list[RunView]:
        """Runs whose last job ended after that moment, the last first; `project` is an id."""
        open_runs = select(t.Job.run_id).where(t.Job.state.not_in(_ENDED))
        recent = select(t.Job.run_id).where(t.Job.ended > after)
        query = (
            select(t.Job.run_id)
            .join(t.Run)
            .where(t.Job.run_id.in_(recent), t.Job.run_id.not_in(open_runs), t.Run.trashed.is_(None))
            .group_by(t.Job.run_id)
            .order_by(func.max(t.Job.ended).desc())
            .limit(limit)
        )
        if project is not None:
            query = query.where(t.Run.project_id == project)
        with self.session() as session:
            ids = list(session.scalars(query))
        order = {run_id: at for at, run_id in enumerate(ids)}
        return sorted(self.runs(limit, ids=ids), key=lambda run: order[run.id]) if ids else []

    def add_notice(self, run_id: str, ended: datetime, target: str) -> None:
        """Due at once; nothing when it is there already. A run that ended again after a retry is told of again."""
        with self.session() as session:
            if session.get(t.Notice, (run_id, ended, target)):
                return
        with suppress(IntegrityError), self.session() as session:  # another worker may be faster
            session.add(t.Notice(run_id=run_id, ended=ended, target=target, due=t.now()))

    def due_notices(self) -> list[DueNotice]:
        """Oldest first."""
        query = select(t.Notice).where(t.Notice.due <= t.now()).order_by(t.Notice.due).limit(20)
        with self.session() as session:
            return [DueNotice(row.run_id, row.ended, row.target, row.tries) for row in session.scalars(query)]

    def claim_notice(self, notice: DueNotice, until: datetime) -> bool:
        """Whether it is the caller's to send; another may try `until` then, should the caller die."""
        return self._set_notice(notice, notice.tries, tries=notice.tries + 1, due=until)

    def settle_notice(self, notice: DueNotice, due: datetime | None) -> None:
        """After a claimed try: when the next one is due; None for never."""
        self._set_notice(notice, notice.tries + 1, due=due)

    def _set_notice(self, notice: DueNotice, made: int, **values: object) -> bool:
        query = (
            update(t.Notice)
            .where(t.Notice.run_id == notice.run_id, t.Notice.ended == notice.ended)
            .where(t.Notice.target == notice.target, t.Notice.tries == made)
            .values(**values)
        )
        with self.session() as session:
            return bool(session.execute(query).rowcount)  # type: ignore[attr-defined]
