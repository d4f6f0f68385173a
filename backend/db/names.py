"""Names, numbers, notes and tags of runs and artifacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.db import tables as t


def tag_list(kept: str) -> list[str]:
    return kept.strip("\n").split("\n") if kept.strip("\n") else []


def next_number(session: Session, project: str) -> int:
    """The number of a new run. The update takes the lock, so that two runs at once get two numbers."""
    mine = t.Project.id == project
    session.execute(update(t.Project).where(mine).values(run_count=t.Project.run_count + 1))
    return session.scalars(select(t.Project.run_count).where(mine)).one()


class NameQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def set_run(
        self, run_id: str, *, name: str | None = None, notes: str | None = None, tags: Iterable[str] | None = None
    ) -> None:
        """What is None stays as it is."""
        self._set(t.Run, run_id, name=name, notes=notes, tags=tags)

    def set_artifact(self, artifact_id: str, *, name: str | None = None, tags: Iterable[str] | None = None) -> None:
        """What is None stays as it is. The manifest keeps the name that it was made under."""
        self._set(t.Artifact, artifact_id, name=name, tags=tags)

    def set_facts(self, artifact_id: str, facts: dict[str, Any]) -> None:
        """All its facts from now on."""
        with self.session() as session:
            session.execute(update(t.Artifact).where(t.Artifact.id == artifact_id).values(facts=facts))

    def tags(self) -> list[str]:
        """All in use, in alphabetical order."""
        with self.session() as session:
            kept = [
                text
                for table in (t.Run, t.Artifact)
                for text in session.scalars(select(table.tags).where(table.tags != "").distinct())
            ]
        return sorted({tag for text in kept for tag in tag_list(text)}, key=str.casefold)

    def free_name(self, kind: str, name: str, artifact_id: str) -> str:
        """`name`, else `name-2`, `name-3` ...: the first that no other artifact of the kind has, the trash included; the one
        that this artifact has already."""
        with self.session() as session:
            held = session.get(t.Artifact, artifact_id)
            alike = t.Artifact.name.startswith(name, autoescape=True)
            taken = set(session.scalars(select(t.Artifact.name).where(t.Artifact.kind == kind, alike)))
        if held is not None:
            return held.name
        number = 2
        found = name
        while found in taken:
            found, number = f"{name}-{number}", number + 1
        return found

    def _set(self, table: type[t.Run | t.Artifact], id_: str, tags: Iterable[str] | None, **values: Any) -> None:
        given = {key: value for key, value in values.items() if value is not None}
        if tags is not None:
            lines = list(tags)
            given["tags"] = "\n" + "\n".join(lines) + "\n" if lines else ""
        if given:
            with self.session() as session:
                session.execute(update(table).where(table.id == id_).values(**given))
