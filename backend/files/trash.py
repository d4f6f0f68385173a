"""The trash: what was deleted stays on the disk, with its row, until its time is over or the trash is emptied.

Nothing outside the trash was ever made from something inside: deleting takes along what hangs on it, and restoring brings
back what it was made from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from backend.core.artifacts import folder_bytes
from backend.core.errors import StudioError
from backend.core.schemas import Kind, RunView, TrashView
from backend.core.settings import Settings
from backend.db import Store
from backend.files import disk

DAYS_SETTING = "trash.days"
DEFAULT_DAYS = 30
MAX_DAYS = 3650
_MEASUREMENTS = (Kind.EVALUATION, Kind.REPORT)
"""What says something of an artifact, and nothing without it."""
PROJECT, RUN = "project", "run"
"""The kinds of projects and runs among what the trash holds."""


def keep_days(store: Store) -> int:
    """How long the trash keeps what was deleted."""
    return int(store.setting(DAYS_SETTING) or DEFAULT_DAYS)


def set_keep_days(store: Store, days: int) -> None:
    """Raises StudioError for a number of days out of bounds."""
    if not 1 <= days <= MAX_DAYS:
        raise StudioError("trash.days", field="days", most=MAX_DAYS)
    store.set_setting(DAYS_SETTING, str(days))


def discard(store: Store, ref: str, with_descendants: bool = False) -> list[str]:
    """Move an artifact to the trash; returns the ids that went. Raises StudioError when something was made from it or a job
    uses it."""
    doomed = [view.id for view in disk.deletable(store, ref, with_descendants)]
    store.set_trashed(doomed, datetime.now(UTC))
    return doomed


def discard_all(store: Store, ids: Iterable[str]) -> list[str]:
    """Move several runs and artifacts to the trash, or none of them, with the measurements of them; returns the ids that
    went. Raises StudioError when something else was made from one or a job uses it, and for a run at work."""
    wanted = list(dict.fromkeys(ids))
    along: dict[str, None] = {}
    runs = {run.id: run for run in store.runs(len(wanted), ids=wanted)}
    for run in runs.values():
        if any(not job.state.ended for job in run.jobs):
            raise StudioError("core.run_active", ref=run.id)
    for id_ in wanted:
        if id_ not in runs:
            others = [view for view in disk.deletable(store, id_, True) if view.id not in wanted]
            made = [view for view in others if view.kind not in _MEASUREMENTS]
            if made:
                names = ", ".join(view.name for view in made[:5])
                raise StudioError("core.artifact_used", ref=store.artifact(id_).name, count=len(made), names=names)
            along |= {view.id: None for view in others}
    gone = [*wanted, *along]
    store.set_trashed(gone, datetime.now(UTC))
    return gone


def discard_run(store: Store, run_id: str) -> None:
    """Move a run to the trash; what it made stays. Raises StudioError while it is at work."""
    run = store.run(run_id)
    if any(not job.state.ended for job in run.jobs):
        raise StudioError("core.run_active", ref=run_id)
    store.set_trashed([run_id], datetime.now(UTC))


def discard_project(store: Store, project_id: str, everybodys: Collection[str]) -> None:
    """Move a project to the trash with its runs and all that they made. The artifacts `everybodys` stay, in another project.
    Raises StudioError while a run is at work, when something of another project was made from it or a job there uses it, and
    for the last project."""
    mine = {view.id: view for view in store.artifacts(project=project_id) if view.id not in everybodys}
    others = {view.id: view for id_ in mine for view in disk.descendants(store, id_) if view.project != project_id}
    if others:
        raise StudioError("core.project_shared", names=", ".join(view.name for view in others.values()))
    busy = disk.references_in_use(store)
    for view in mine.values():
        if (job := busy.get(view.id) or busy.get(view.name)) and store.job(job).project != project_id:
            raise StudioError("core.artifact_busy", ref=view.name, job=job)
    store.trash_project(project_id, datetime.now(UTC), everybodys)


def restore(store: Store, ids: Iterable[str]) -> list[str]:
    """Bring projects, runs and artifacts back by id or name, with what those were made from and, as a whole, the projects
    that they lie in; returns the ids. Raises StudioError for what isn't in the trash."""
    held = {view.id: view for view in store.artifacts(trashed=True)}
    projects = {each.id: each for each in store.projects(trashed=True)}
    names = {view.name: view.id for view in reversed(held.values())}
    names |= {each.name: id_ for id_, each in projects.items()}
    runs = {run.id: run for run in store.runs(limit=100_000, ids=store.trashed_runs())}
    back: dict[str, None] = {}
    for ref in ids:
        ahead = [ref if ref in held or ref in runs or ref in projects else names.get(ref, "")]
        if not ahead[0]:
            raise StudioError("trash.unknown", ref=ref)
        while ahead:
            id_ = ahead.pop()
            if id_ in projects:
                back[id_] = None
            elif within := held.get(id_) or runs.get(id_):
                back[id_] = None
                ahead += [each for each in (*store.parent_ids(id_), within.project) if each not in back]
    store.restore_projects(set(back) & set(projects))
    store.set_trashed(list(back), None)
    return list(back)


def contents(store: Store, settings: Settings) -> list[TrashView]:
    """What the trash holds, the last deleted first; what lies in a project of the trash is part of that."""
    projects = store.projects(trashed=True)
    within: dict[str, list[TrashView]] = {project.id: [] for project in projects}
    alone: list[TrashView] = []
    for each in _each(store, settings):
        within.get(each.project, alone).append(each)
    alone += [
        TrashView(
            id=project.id,
            kind=PROJECT,
            name=project.name,
            project=project.id,
            size_bytes=sum(each.size_bytes for each in within[project.id]),
            trashed=project.trashed or project.created,
        )
        for project in projects
    ]
    return sorted(alone, key=lambda each: each.trashed, reverse=True)


def _each(store: Store, settings: Settings) -> list[TrashView]:
    """Every artifact and run of the trash."""
    found = [
        TrashView(
            id=view.id,
            kind=view.kind.value,
            name=view.name,
            project=view.project,
            size_bytes=view.size_bytes,
            trashed=view.trashed or view.created,
        )
        for view in store.artifacts(trashed=True)
    ]
    return found + [
        TrashView(
            id=run.id,
            kind=RUN,
            name=run.name,
            project=run.project,
            size_bytes=_run_bytes(settings, run),
            trashed=run.trashed or run.created,
        )
        for run in store.runs(limit=100_000, ids=store.trashed_runs())
    ]


def empty(store: Store, settings: Settings, older_than_days: float = 0) -> int:
    """Delete for good what has lain in the trash for so long; returns the bytes freed."""
    limit = datetime.now(UTC) - timedelta(days=older_than_days)
    freed = 0
    for each in _each(store, settings):
        if each.trashed <= limit:
            if each.kind == RUN:
                disk.delete_run(store, settings, each.id)
                freed += each.size_bytes
            else:
                freed += disk.purge(store, each.id)
    for project in store.projects(trashed=True):
        if project.trashed and project.trashed <= limit:
            freed += disk.purge_project(store, settings, project.id)
    return freed


def empty_expired(store: Store, settings: Settings) -> int:
    """Delete for good what the trash has kept for as long as it should; returns the bytes freed."""
    return empty(store, settings, keep_days(store))


def _run_bytes(settings: Settings, run: RunView) -> int:
    """What its jobs left to resume from, their logs and curves."""
    logs = [settings.logs / f"{job.id}.log" for job in run.jobs]
    folders = [folder / job.id for job in run.jobs for folder in (settings.jobs, settings.tensorboard)]
    return sum(map(folder_bytes, folders)) + sum(log.stat().st_size for log in logs if log.is_file())
