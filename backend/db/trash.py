"""Rows of the trash: what was deleted keeps its row and its folder until the trash is emptied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.db import tables as t


class TrashQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def set_trashed(self, ids: Collection[str], at: datetime | None) -> None:
        """Put runs and artifacts into the trash, or back with None."""
        with self.session() as session:
            for table in (t.Run, t.Artifact):
                session.execute(update(table).where(table.id.in_(ids)).values(trashed=at))

    def trashed_runs(self, project: str | None = None) -> list[str]:
        """Ids of the runs in the trash."""
        query = select(t.Run.id).where(t.Run.trashed.is_not(None))
        if project is not None:
            query = query.where(t.Run.project_id == project)
        with self.session() as session:
            return list(session.scalars(query))

    def parent_ids(self, artifact_id: str) -> list[str]:
        with self.session() as session:
            return list(session.scalars(select(t.Parent.parent).where(t.Parent.child == artifact_id)))

    def child_ids(self, artifact_id: str) -> list[str]:
        """Of those in the trash, too."""
        with self.session() as session:
            return list(session.scalars(select(t.Parent.child).where(t.Parent.parent == artifact_id)))
