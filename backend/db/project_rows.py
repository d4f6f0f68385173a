"""The rows of one project as plain data, out of the database and, checked value by value, into another."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Table, select
from sqlalchemy.orm import Session

from backend.core.schemas import Kind, State
from backend.db import tables as t
from backend.db.projects import take_name

Plain = dict[str, Any]
_KEPT_BACK = {
    "run": {"project_id"},
    "job": {"worker", "pid", "dispatch"},
    "metric_point": {"id"},
    "log_line": {"id"},
    "artifact": {"project_id", "path"},
}
"""Columns that mean something in their own studio only."""
_TEXT = 1_000_000
"""Longest text of a column without a limit of its own."""
_BATCH = 500


class ProjectRows:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def rows_of(self, table: str, runs: list[str], artifacts: list[str]) -> Iterator[Plain]:
        """The rows of one table that belong to these runs and artifacts, times in ISO 8601."""
        place = t.Base.metadata.tables[table]
        jobs = select(t.Job.id).where(t.Job.run_id.in_(runs))
        mine = {
            "run": t.Run.id.in_(runs),
            "job": t.Job.run_id.in_(runs),
            "metric_point": t.MetricPoint.job_id.in_(jobs),
            "log_line": t.LogLine.job_id.in_(jobs),
            "artifact": t.Artifact.id.in_(artifacts),
            "artifact_parent": t.Parent.child.in_(artifacts),
            "review": t.Review.dataset.in_(artifacts),
        }[table]
        with self.session() as session:
            for row in session.execute(select(*_columns(place)).where(mine)).yield_per(_BATCH).mappings():
                yield {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}

    def restore_project(self, project_id: str, name: str, rows: Iterable[tuple[str, Plain]]) -> None:
        """A project with these rows (table, columns), all of it or nothing. Raises ValueError for a value that a column can't
        hold, IntegrityError for what refers to nothing."""
        with self.session() as session:
            take_name(session, name)
            session.add(t.Project(id=project_id, name=name))
            session.flush()
            held: list[Plain] = []
            last = ""
            for table, plain in rows:
                if held and (table != last or len(held) >= _BATCH):
                    session.execute(t.Base.metadata.tables[last].insert(), held)
                    held = []
                last = table
                held.append(
                    row_values(table, plain) | ({"project_id": project_id} if table in ("run", "artifact") else {})
                )
            if held:
                session.execute(t.Base.metadata.tables[last].insert(), held)


def _columns(place: Table) -> list[Column[Any]]:
    return [column for column in place.columns if column.name not in _KEPT_BACK.get(place.name, set())]


def row_values(table: str, plain: Plain) -> Plain:
    """Plain data as values of columns. Raises ValueError for an unknown column, a wrong type or a text that is too long."""
    place = t.Base.metadata.tables[table]
    known = {column.name: column for column in place.columns if column.name not in _KEPT_BACK.get(table, set())}
    extra = {"path": plain["path"]} if table == "artifact" else {}
    if unknown := plain.keys() - known.keys() - extra.keys():
        raise ValueError(f"{table} has no {', '.join(sorted(unknown))}")
    values = {name: _typed(known[name], value) for name, value in plain.items() if name in known}
    if table == "job":
        state = State(values["state"])
        if not state.ended:
            raise ValueError("a job that has not ended")
        values |= {"dispatch": 0}
    if table == "artifact":
        values["kind"] = Kind(values["kind"]).value
    for column in known.values():
        if column.name not in values and not column.nullable and column.default is None:
            raise ValueError(f"{table} without {column.name}")
    return values | extra


def _typed(column: Column[Any], value: Any) -> Any:
    if value is None:
        if not column.nullable:
            raise ValueError(f"{column} is empty")
        return None
    if isinstance(column.type, JSON):
        if len(json.dumps(value)) > 16 * _TEXT:
            raise ValueError(f"{column} is too long")
        return value
    if isinstance(column.type, t.Utc):
        return datetime.fromisoformat(value)
    wanted = column.type.python_type
    number = wanted in (int, float) and isinstance(value, (int, float)) and (wanted is float or int(value) == value)
    if not (number or isinstance(value, wanted)):
        raise ValueError(f"{column} is no {wanted.__name__}")
    if isinstance(value, float) and not math.isfinite(value) and column.table.name != "metric_point":
        raise ValueError(f"{column} is not finite")
    if isinstance(value, str) and len(value) > (getattr(column.type, "length", None) or _TEXT):
        raise ValueError(f"{column} is too long")
    return value
