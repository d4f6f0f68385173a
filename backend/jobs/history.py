"""Queries on what has ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, or_, select

from backend.core.schemas import JobView, State
from backend.db import Store
from backend.db import tables as t
from backend.db.store import job_view

_ENDED = [state for state in State if state.ended]


def history(
    store: Store,
    states: Collection[State],
    stage: str | None,
    search: str,
    limit: int,
    project: str | None = None,
    others: bool = False,
) -> list[JobView]:
    """See `JobService.history`."""
    query = select(t.Job, t.Run.project_id).join(t.Run).where(t.Job.state.in_(list(states) or _ENDED))
    if project:
        query = query.where((t.Run.project_id != project) if others else (t.Run.project_id == project))
    if stage:
        query = query.where(t.Job.stage == stage)
    if search:
        places = (t.Run.name, t.Run.id, t.Job.id, t.Job.stage_id)
        query = query.where(or_(*(place.icontains(search, autoescape=True) for place in places)))
    query = query.order_by(t.Job.ended.desc(), t.Job.created.desc(), t.Job.position.desc()).limit(limit)
    with store.session() as session:
        return [job_view(job, project) for job, project in session.execute(query)]


def old_runs(store: Store, before: datetime) -> list[str]:
    """Ids of the runs whose last job ended before that moment."""
    open_runs = select(t.Job.run_id).where(t.Job.state.not_in(_ENDED))
    query = (
        select(t.Job.run_id)
        .where(t.Job.run_id.not_in(open_runs))
        .group_by(t.Job.run_id)
        .having(func.max(t.Job.ended) < before)
    )
    with store.session() as session:
        return list(session.scalars(query))


def run_name(store: Store, run_id: str) -> str:
    """The name of a run, without its jobs; its id when it has gone."""
    with store.session() as session:
        return session.scalar(select(t.Run.name).where(t.Run.id == run_id)) or run_id
