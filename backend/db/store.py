"""Queries: with `backend.jobs` (queue, heartbeat) the only place that writes SQL. Every method is one short transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from backend.core.artifacts import Manifest
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, Kind, LogLine, MetricPoint, RunView, State
from backend.db import tables as t
from backend.db.changes import ChangeQueries, CountedSession
from backend.db.database import migrate, open_engine
from backend.db.endpoints import EndpointQueries
from backend.db.names import NameQueries, next_number, tag_list
from backend.db.notices import NoticeQueries
from backend.db.project_rows import ProjectRows
from backend.db.projects import ProjectQueries
from backend.db.trash import TrashQueries
from backend.db.votes import PeopleQueries

_LISTED = 5
"""So many of one name are listed."""


class Store(
    ProjectQueries, ProjectRows, EndpointQueries, PeopleQueries, ChangeQueries, NoticeQueries, NameQueries, TrashQueries
):
    """`Store(url)` opens and migrates the database."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_engine(url)
        migrate(self.engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with CountedSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    # artifacts

    def add_artifact(self, manifest: Manifest, path: Path, project: str, job_id: str | None = None) -> ArtifactView:
        """Register a sealed folder; the same id again updates its row, and brings it back from the trash. Raises StudioError
        for a project that is in the trash."""
        with self.session() as session:
            self.open_project(session, project)
            session.execute(delete(t.Parent).where(t.Parent.child == manifest.id))
            session.merge(
                t.Artifact(
                    id=manifest.id,
                    kind=manifest.kind,
                    name=manifest.name,
                    project_id=project,
                    job_id=job_id,
                    path=str(path),
                    facts=manifest.facts,
                    digest=manifest.digest,
                    size_bytes=manifest.size_bytes,
                    license=manifest.license,
                    trashed=None,
                    created=t.now(),
                )
            )
            session.flush()
            known = session.scalars(select(t.Artifact.id).where(t.Artifact.id.in_(manifest.parents))).all()
            session.add_all([t.Parent(child=manifest.id, parent=parent) for parent in known])
        return self.artifact(manifest.id)

    def artifact(self, ref: str, kinds: Collection[Kind] = ()) -> ArtifactView:
        """By id, else by a name that one has: of these `kinds` before others, of `within` before others; none of the trash.
        Raises StudioError when there is none, or several."""
        found = self._candidates(ref, kinds)
        if not found:
            raise StudioError("core.artifact_unknown", ref=ref)
        if len(found) > 1:
            listed = ", ".join(
                f"{view.id} ({view.kind.value}, {view.created:%Y-%m-%d %H:%M})" for view in found[:_LISTED]
            )
            raise StudioError("core.artifact_ambiguous", ref=ref, count=len(found), ids=listed)
        return found[0]

    def find_artifact(self, ref: str, kinds: Collection[Kind] = ()) -> ArtifactView | None:
        """The same without an error: None, or the newest of several."""
        return next(iter(self._candidates(ref, kinds)), None)

    def _candidates(self, ref: str, kinds: Collection[Kind]) -> list[ArtifactView]:
        """Newest first."""
        kept = select(t.Artifact).where(t.Artifact.trashed.is_(None))
        with self.session() as session:
            if (row := session.scalar(kept.where(t.Artifact.id == ref))) is not None:
                return self._views(session, [row])
            named = kept.where(t.Artifact.name == ref).order_by(t.Artifact.created.desc(), t.Artifact.id)
            rows = session.scalars(named).all()
            rows = [row for row in rows if row.kind in kinds] or rows
            return self._views(session, [row for row in rows if row.project_id == self.within] or rows)

    def artifacts(
        self, kinds: Iterable[Kind] = (), project: str | None = None, trashed: bool = False
    ) -> list[ArtifactView]:
        """Newest first; `trashed`: those in the trash instead."""
        held = t.Artifact.trashed.is_not(None) if trashed else t.Artifact.trashed.is_(None)
        query = select(t.Artifact).where(held).order_by(t.Artifact.created.desc(), t.Artifact.id)
        if kinds:
            query = query.where(t.Artifact.kind.in_(list(kinds)))
        if project:
            query = query.where(t.Artifact.project_id == project)
        with self.session() as session:
            return self._views(session, session.scalars(query).all())

    def children(self, artifact_id: str) -> list[ArtifactView]:
        """What was made from it directly; nothing of the trash."""
        query = select(t.Artifact).join(t.Parent, t.Parent.child == t.Artifact.id).where(t.Parent.parent == artifact_id)
        query = query.where(t.Artifact.trashed.is_(None))
        with self.session() as session:
            return self._views(session, session.scalars(query).all())

    def delete_artifact(self, artifact_id: str) -> None:
        """Remove the row; the caller removes the folder."""
        with self.session() as session:
            session.execute(delete(t.Parent).where(t.Parent.child == artifact_id))
            session.execute(delete(t.Review).where(t.Review.dataset == artifact_id))
            session.execute(delete(t.Artifact).where(t.Artifact.id == artifact_id))

    def _views(self, session: Session, rows: Iterable[t.Artifact]) -> list[ArtifactView]:
        rows = list(rows)
        parents: dict[str, list[str]] = {row.id: [] for row in rows}
        for link in session.scalars(select(t.Parent).where(t.Parent.child.in_(parents)).order_by(t.Parent.parent)):
            parents[link.child].append(link.parent)
        return [
            ArtifactView(
                id=row.id,
                kind=Kind(row.kind),
                name=row.name,
                project=row.project_id,
                path=Path(row.path),
                facts=row.facts,
                parents=parents[row.id],
                size_bytes=row.size_bytes,
                license=row.license,
                digest=row.digest,
                job_id=row.job_id,
                created=row.created,
                tags=tag_list(row.tags),
                trashed=row.trashed,
            )
            for row in rows
        ]

    # runs and jobs

    def add_run(self, name: str, project: str, recipe: dict[str, Any], jobs: list[t.Job], run_id: str) -> RunView:
        with self.session() as session:
            number = next_number(session, project)
            self.open_project(session, project)
            session.add(t.Run(id=run_id, name=name, project_id=project, recipe=recipe, number=number))
            session.flush()
            for position, job in enumerate(jobs):
                job.position = position
                session.add(job)
        return self.run(run_id)

    def run(self, run_id: str) -> RunView:
        """Also one of the trash. Raises StudioError when there is none."""
        for run in self.runs(ids=[run_id]):
            return run
        raise StudioError("jobs.run_unknown", ref=run_id)

    def runs(self, limit: int = 50, ids: list[str] | None = None, project: str | None = None) -> list[RunView]:
        """Newest first, each with its jobs in order; of the trash only those that `ids` name."""
        query = select(t.Run).order_by(t.Run.created.desc(), t.Run.id).limit(limit)
        if project is not None:
            query = query.where(t.Run.project_id == project)
        if ids is not None:
            query = query.where(t.Run.id.in_(ids))
        else:
            query = query.where(t.Run.trashed.is_(None))
        with self.session() as session:
            rows = session.scalars(query).all()
            projects = {row.id: row.project_id for row in rows}
            jobs: dict[str, list[JobView]] = {row.id: [] for row in rows}
            for job in session.scalars(select(t.Job).where(t.Job.run_id.in_(projects)).order_by(t.Job.position)):
                jobs[job.run_id].append(job_view(job, projects[job.run_id]))
            return [
                RunView(
                    id=row.id,
                    name=row.name,
                    project=row.project_id,
                    created=row.created,
                    jobs=jobs[row.id],
                    number=row.number,
                    notes=row.notes,
                    tags=tag_list(row.tags),
                    trashed=row.trashed,
                )
                for row in rows
            ]

    def recipe(self, run_id: str) -> dict[str, Any]:
        with self.session() as session:
            row = session.get(t.Run, run_id)
            if row is None:
                raise StudioError("jobs.run_unknown", ref=run_id)
            return row.recipe

    def job(self, job_id: str) -> JobView:
        """Raises StudioError when there is none."""
        with self.session() as session:
            row = session.get(t.Job, job_id)
            if row is None:
                raise StudioError("jobs.unknown", ref=job_id)
            run = session.get_one(t.Run, row.run_id)
            return job_view(row, run.project_id)

    def jobs(self, states: Iterable[State] = (), stage: str | None = None, limit: int = 200) -> list[JobView]:
        """Newest first."""
        query = select(t.Job, t.Run.project_id).join(t.Run).order_by(t.Job.created.desc(), t.Job.position).limit(limit)
        if states:
            query = query.where(t.Job.state.in_(list(states)))
        if stage:
            query = query.where(t.Job.stage == stage)
        with self.session() as session:
            return [job_view(job, project) for job, project in session.execute(query)]

    def job_states(self) -> dict[str, State]:
        """Of all jobs, by id."""
        with self.session() as session:
            return {id_: State(state) for id_, state in session.execute(select(t.Job.id, t.Job.state))}

    def update_job(self, job_id: str, *, only: Iterable[State] = (), **values: Any) -> bool:
        """Set columns; with `only`, just when the job is in one of these states. True when a row was changed."""
        query = update(t.Job).where(t.Job.id == job_id).values(**values)
        if only:
            query = query.where(t.Job.state.in_(list(only)))
        with self.session() as session:
            return bool(session.execute(query).rowcount)  # type: ignore[attr-defined]

    def delete_run(self, run_id: str) -> None:
        """Remove a run with its jobs, metrics and logs; artifacts stay."""
        with self.session() as session:
            ids = select(t.Job.id).where(t.Job.run_id == run_id)
            session.execute(delete(t.MetricPoint).where(t.MetricPoint.job_id.in_(ids)))
            session.execute(delete(t.LogLine).where(t.LogLine.job_id.in_(ids)))
            session.execute(delete(t.Notice).where(t.Notice.run_id == run_id))
            session.execute(delete(t.Job).where(t.Job.run_id == run_id))
            session.execute(delete(t.Run).where(t.Run.id == run_id))

    # what a running job reports

    def add_points(self, job_id: str, points: Iterable[tuple[str, float, float]]) -> None:
        """`points`: (name, step, value)."""
        with self.session() as session:
            session.add_all([t.MetricPoint(job_id=job_id, name=n, step=s, value=v) for n, s, v in points])

    def points(self, job_id: str, name: str | None = None) -> list[MetricPoint]:
        query = select(t.MetricPoint).where(t.MetricPoint.job_id == job_id).order_by(t.MetricPoint.id)
        if name:
            query = query.where(t.MetricPoint.name == name)
        with self.session() as session:
            return [MetricPoint(name=p.name, step=p.step, value=p.value, at=p.at) for p in session.scalars(query)]

    def add_logs(self, job_id: str, lines: Iterable[tuple[str, str]]) -> None:
        """`lines`: (level, text)."""
        with self.session() as session:
            session.add_all([t.LogLine(job_id=job_id, level=level, text=text) for level, text in lines])

    def logs(self, job_id: str, last: int = 200) -> list[LogLine]:
        """The last lines, oldest first."""
        query = select(t.LogLine).where(t.LogLine.job_id == job_id).order_by(t.LogLine.id.desc()).limit(last)
        with self.session() as session:
            rows = session.scalars(query).all()
        return [LogLine(at=row.at, level=row.level, text=row.text) for row in reversed(rows)]

    def count_jobs(self) -> int:
        with self.session() as session:
            return session.scalar(select(func.count()).select_from(t.Job)) or 0


def job_view(row: t.Job, project: str) -> JobView:
    """A row as others see it; `project` is an id."""
    return JobView.model_validate(
        {
            "project": project,
            "result": row.result or {},
            **{
                name: getattr(row, name) for name in JobView.model_fields if name not in ("project", "result", "params")
            },
            "params": row.resolved or row.params,
        }
    )
