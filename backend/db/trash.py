"""Rows of the trash: what was deleted keeps its row and its folder until the trash is emptied."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.core.errors import StudioError
from backend.core.schemas import State
from backend.db import tables as t

_OPEN = [state.value for state in State if not state.ended]


class TrashQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def set_trashed(self, ids: Collection[str], at: datetime | None) -> None:
        """Put runs and artifacts into the trash, or back with None."""
        with self.session() as session:
            for table in (t.Run, t.Artifact):
                session.execute(update(table).where(table.id.in_(ids)).values(trashed=at))

    def trash_project(self, project_id: str, at: datetime, spared: Collection[str]) -> None:
        """Put a project into the trash with all of it that is not there yet; the artifacts `spared` go to the oldest other
        project. Raises StudioError for the last project, and while a run of it is open."""
        mine = t.Project.id == project_id
        with self.session() as session:
            # First of all, so that nobody adds a run in between (`add_run` takes the same lock).
            session.execute(update(t.Project).where(mine).values(trashed=at))
            others = select(t.Project.id).where(t.Project.trashed.is_(None)).order_by(t.Project.created, t.Project.id)
            heir = session.scalar(others.limit(1))
            if heir is None:
                raise StudioError("core.project_last")
            at_work = select(t.Run.id).join(t.Job).where(t.Run.project_id == project_id, t.Job.state.in_(_OPEN))
            if (run := session.scalar(at_work.limit(1))) is not None:
                raise StudioError("core.run_active", ref=run)
            stay = (t.Artifact.id.in_(spared), t.Artifact.project_id == project_id)
            session.execute(update(t.Artifact).where(*stay).values(project_id=heir))
            for table in (t.Run, t.Artifact):
                its = (table.project_id == project_id, table.trashed.is_(None))
                session.execute(update(table).where(*its).values(trashed=at))

    def restore_projects(self, project_ids: Collection[str]) -> None:
        """Bring projects back from the trash, with what went there together with them."""
        with self.session() as session:
            for project_id in project_ids:
                at = select(t.Project.trashed).where(t.Project.id == project_id).scalar_subquery()
                for table in (t.Run, t.Artifact):
                    its = (table.project_id == project_id, table.trashed == at)
                    session.execute(update(table).where(*its).values(trashed=None))
                session.execute(update(t.Project).where(t.Project.id == project_id).values(trashed=None))

    def open_project(self, session: Session, project_id: str) -> None:
        """Raises StudioError for a project of the trash: nothing new belongs there."""
        held = session.get(t.Project, project_id)
        if held is not None and held.trashed is not None:
            raise StudioError("projects.in_trash", field="project", name=held.name)

    def trashed_artifacts(self) -> frozenset[str]:
        """Ids of the artifacts in the trash."""
        with self.session() as session:
            return frozenset(session.scalars(select(t.Artifact.id).where(t.Artifact.trashed.is_not(None))))

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
