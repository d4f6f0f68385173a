"""Rows of projects and of the user's settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from itertools import count
from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.core.errors import StudioError
from backend.core.schemas import ProjectView
from backend.db import tables as t

DEFAULT_PROJECT = "default"


def new_id(prefix: str) -> str:
    return f"{prefix}{uuid4().hex[:10]}"


def take_name(session: Session, name: str) -> None:
    """Free a name that only a project of the trash has: that one becomes `Mails (2)`."""
    held = session.scalar(select(t.Project).where(t.Project.name == name, t.Project.trashed.is_not(None)))
    if held is not None:
        alike = t.Project.name.startswith(name, autoescape=True)
        taken = set(session.scalars(select(t.Project.name).where(alike)))
        held.name = next(each for n in count(2) if (each := f"{name} ({n})") not in taken)
        session.flush()


class ProjectQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]
    within: str | None = None
    """The id of the project that this process works in, where it works in one alone: without a name it is meant, and names of
    artifacts are looked up in it first."""

    def project(self, name: str | None = None) -> str:
        """The id of a project by name, without one `within`, else of the oldest; made when there is none. Two that make it at
        once get the same one."""
        if name is None and self.within:
            return self.within
        query = (
            select(t.Project.id).where(t.Project.trashed.is_(None)).order_by(t.Project.created, t.Project.id).limit(1)
        )
        if name is not None:
            query = query.where(t.Project.name == name)
        with self.session() as session:
            found = session.scalar(query)
        if found is not None:
            return found
        name = DEFAULT_PROJECT if name is None else name
        with suppress(IntegrityError), self.session() as session:  # another process may be faster
            take_name(session, name)
            session.add(t.Project(id=new_id("p"), name=name))
        with self.session() as session:
            return session.scalars(query).one()

    def projects(self, trashed: bool = False) -> list[ProjectView]:
        """Oldest first; `trashed`: those in the trash instead."""
        held = t.Project.trashed.is_not(None) if trashed else t.Project.trashed.is_(None)
        with self.session() as session:
            rows = session.scalars(select(t.Project).where(held).order_by(t.Project.created, t.Project.id)).all()
            return [ProjectView(id=row.id, name=row.name, created=row.created, trashed=row.trashed) for row in rows]

    def rename_project(self, project_id: str, name: str) -> None:
        """Raises StudioError when another project has that name."""
        try:
            with self.session() as session:
                take_name(session, name)
                session.execute(update(t.Project).where(t.Project.id == project_id).values(name=name))
        except IntegrityError:
            raise StudioError("core.project_taken", name=name) from None

    def delete_project(self, project_id: str) -> None:
        """Remove the row; the caller has removed its runs and artifacts."""
        with self.session() as session:
            session.execute(delete(t.Project).where(t.Project.id == project_id))

    # settings

    def setting(self, key: str) -> str | None:
        with self.session() as session:
            row = session.get(t.Setting, key)
            return row.value if row else None

    def set_setting(self, key: str, value: str) -> None:
        with self.session() as session:
            session.merge(t.Setting(key=key, value=value))
