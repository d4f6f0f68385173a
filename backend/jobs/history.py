"""Queries on what has ended."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from backend.core.schemas import FINISHED, RunView, State
from backend.db import Store
from backend.db import tables as t

_ENDED = [state for state in State if state.ended]


def ended_runs(
    store: Store,
    group: str,
    stage: str | None,
    search: str,
    limit: int,
    project: str | None = None,
    others: bool = False,
) -> list[RunView]:
    """See `backend.api.runs.Runs.ended_runs`."""
    query = _ended(group).where(t.Run.trashed.is_(None))
    if project:
        query = query.where((t.Run.project_id != project) if others else (t.Run.project_id == project))
    if stage:
        query = query.where(t.Run.id.in_(select(t.Job.run_id).where(t.Job.stage == stage)))
    if search:
        query = query.where(_found(search))
    with store.session() as session:
        ids = list(session.scalars(query.order_by(func.max(t.Job.ended).desc(), t.Run.created.desc()).limit(limit)))
    found = {run.id: run for run in store.runs(limit, ids=ids)}
    return [found[id_] for id_ in ids if id_ in found]


def _ended(group: str) -> Select[str]:
    """Ids of the runs of which no job is open, by what became of them."""

    def count(states: Collection[State]) -> ColumnElement[int]:
        return func.sum(case((t.Job.state.in_(list(states)), 1), else_=0))

    failed, stopped = count([State.FAILED]), count([State.CANCELLED, State.BLOCKED])
    query = select(t.Run.id).join(t.Job).group_by(t.Run.id).having(count(_ENDED) == func.count())
    match group:
        case "failed":
            return query.having(failed > 0)
        case "stopped":
            return query.having(failed == 0, stopped > 0)
        case "done":
            return query.having(count(FINISHED) == func.count())
        case _:
            return query


def _found(search: str) -> ColumnElement[bool]:
    """In a name, a tag or an id of the run or of one of its jobs; `#12` is a number alone."""
    if search.startswith("#") and search[1:].isdecimal() and len(search) < 10:
        return t.Run.number == int(search[1:])
    of_jobs = or_(*(place.icontains(search, autoescape=True) for place in (t.Job.id, t.Job.stage_id)))
    places = (t.Run.name, t.Run.id, t.Run.tags)
    return or_(
        *(place.icontains(search, autoescape=True) for place in places),
        t.Run.id.in_(select(t.Job.run_id).where(of_jobs)),
    )


def old_runs(store: Store, before: datetime) -> list[str]:
    """Ids of the runs whose last job ended before that moment."""
    open_runs = select(t.Job.run_id).where(t.Job.state.not_in(_ENDED))
    query = (
        select(t.Job.run_id)
        .where(t.Job.run_id.not_in(open_runs), t.Job.run_id.not_in(select(t.Run.id).where(t.Run.trashed.is_not(None))))
        .group_by(t.Job.run_id)
        .having(func.max(t.Job.ended) < before)
    )
    with store.session() as session:
        return list(session.scalars(query))


def run_name(store: Store, run_id: str) -> tuple[int, str]:
    """The number and the name of a run, without its jobs; 0 and its id when it has gone."""
    with store.session() as session:
        row = session.execute(select(t.Run.number, t.Run.name).where(t.Run.id == run_id)).first()
        return (row.number, row.name) if row else (0, run_id)


def run_of_job(store: Store, job_id: str) -> str | None:
    """The id of its run; None when it has gone, or lies in the trash."""
    query = select(t.Job.run_id).join(t.Run).where(t.Job.id == job_id, t.Run.trashed.is_(None))
    with store.session() as session:
        return session.scalar(query)
