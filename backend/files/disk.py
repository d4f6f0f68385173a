"""What lies on the disk, and how it goes: deleting with lineage protection, `gc`, pruning of old runs."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from backend.core import machine, refs
from backend.core.artifacts import folder_bytes
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, State, Storage
from backend.core.settings import Settings
from backend.db import Store
from backend.files.checkpoints import superfluous

_MIN_AGE_SECONDS = 3600
"""A folder without a row that is younger than this may be one that a job is just registering."""


def storage(store: Store, settings: Settings) -> Storage:
    """Bytes and numbers by kind, what `gc` would free, and what the disk has left."""
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for artifact in store.artifacts():
        sizes[artifact.kind] += artifact.size_bytes
        counts[artifact.kind] += 1
    sizes["trash"] = sum(artifact.size_bytes for artifact in store.artifacts(trashed=True))
    sizes["checkpoints"] = folder_bytes(settings.jobs)
    sizes["cache"] = folder_bytes(settings.cache)
    sizes["logs"] = folder_bytes(settings.logs)
    sizes["uploads"] = folder_bytes(settings.uploads)
    return Storage(
        by_kind=dict(sizes),
        counts=dict(counts),
        reclaimable=sum(map(_bytes, garbage(store, settings))),
        free=machine.free_disk_bytes(settings.home),
    )


def descendants(store: Store, artifact_id: str) -> list[ArtifactView]:
    """Everything that was made from it, directly or not; those that nothing else was made from come first."""
    found: dict[str, ArtifactView] = {}

    def visit(current: str) -> None:
        for child in store.children(current):
            visit(child.id)
            found.setdefault(child.id, child)

    visit(artifact_id)
    return list(found.values())


def deletable(store: Store, ref: str, with_descendants: bool = False) -> list[ArtifactView]:
    """What goes when an artifact does, those first that nothing else was made from. Raises StudioError when something was
    made from it or a job uses it."""
    artifact = store.artifact(ref)
    children = descendants(store, artifact.id)
    if children and not with_descendants:
        names = ", ".join(child.name for child in children[:5])
        raise StudioError("core.artifact_used", ref=artifact.name, count=len(children), names=names)
    doomed = [*children, artifact]
    busy = references_in_use(store)
    for view in doomed:
        if view.id in busy or view.name in busy:
            raise StudioError("core.artifact_busy", ref=view.name, job=busy.get(view.id) or busy[view.name])
    return doomed


def purge(store: Store, artifact_id: str) -> int:
    """Delete an artifact of the trash for good, after what was made from it; returns the bytes freed."""
    freed = sum(purge(store, child) for child in store.child_ids(artifact_id))
    held = {view.id: view for view in store.artifacts(trashed=True)}
    if artifact_id not in held or store.child_ids(artifact_id):
        return freed
    _remove(store, held[artifact_id])
    return freed + held[artifact_id].size_bytes


def _remove(store: Store, view: ArtifactView) -> None:
    """The folder goes out of the way first, so that no row without one is left behind."""
    gone = view.path.with_name(f".{view.path.name}.deleted")
    if view.path.exists():
        view.path.rename(gone)
    store.delete_artifact(view.id)
    shutil.rmtree(gone, ignore_errors=True)


def purge_project(store: Store, settings: Settings, project_id: str) -> int:
    """Delete a project of the trash for good, with its runs and all that they made; returns the bytes freed. What another
    project of the trash was made from it goes, too."""
    freed = sum(purge(store, view.id) for view in store.artifacts(project=project_id, trashed=True))
    for run in store.runs(limit=100_000, ids=store.trashed_runs(project_id)):
        delete_run(store, settings, run.id)
    if not store.artifacts(project=project_id, trashed=True):  # one that something still rests on keeps its project
        store.delete_project(project_id)
    return freed


def delete_run(store: Store, settings: Settings, run_id: str) -> None:
    """Delete a run's jobs, logs, metrics and checkpoints; what it made stays. Raises StudioError while it is at work."""
    run = store.run(run_id)
    if any(not job.state.ended for job in run.jobs):
        raise StudioError("core.run_active", ref=run_id)
    for job in run.jobs:
        shutil.rmtree(settings.jobs / job.id, ignore_errors=True)
        (settings.logs / f"{job.id}.log").unlink(missing_ok=True)
        shutil.rmtree(settings.tensorboard / job.id, ignore_errors=True)
    store.delete_run(run_id)


def delete_checkpoints(store: Store, settings: Settings, job_id: str) -> int:
    """Delete the checkpoints of a job, kept ones and those that it would resume from; returns the bytes freed. Raises
    StudioError while it is at work."""
    job = store.job(job_id)
    if job.state.active:
        raise StudioError("core.run_active", ref=job.run_id)
    freed = folder_bytes(settings.jobs / job.id)
    shutil.rmtree(settings.jobs / job.id, ignore_errors=True)
    return freed


def garbage(store: Store, settings: Settings) -> list[Path]:
    """Files and folders that nothing refers to: half-made artifacts, work of jobs that succeeded (but for the checkpoints that
    they keep) or are gone."""
    held = [*store.artifacts(), *store.artifacts(trashed=True)]
    known = {str(artifact.path) for artifact in held}
    jobs = store.job_states()
    found = []
    for kind in Kind:
        folder = settings.artifacts / kind.value
        if folder.is_dir():
            found += [
                path
                for path in folder.iterdir()
                if str(path) not in known and _old(path) and jobs.get(path.name.removeprefix(f"{kind.value}-")) is None
            ]
    if settings.jobs.is_dir():
        for work in settings.jobs.iterdir():
            left = superfluous(work) if work.name in jobs else [work]
            found += [path for path in left if jobs.get(work.name, State.SUCCEEDED).finished and _old(path)]
    said = [path for folder in (settings.reviews, settings.edits) if folder.is_dir() for path in folder.iterdir()]
    ids = {artifact.id for artifact in held}
    found += [path for path in said if path.name not in ids and _old(path)]
    return sorted([*found, *filter(_abandoned, _partial_folders(settings))])


def gc(store: Store, settings: Settings, older_than_days: float = 30, cache: bool = False) -> int:
    """Remove garbage, runs that ended long ago (their artifacts stay), and the cache if asked; returns the bytes freed."""
    freed = 0
    limit = datetime.now(UTC) - timedelta(days=older_than_days)
    for run in store.runs(limit=100_000):
        if all(job.state.ended and (job.ended or run.created) < limit for job in run.jobs):
            freed += sum(folder_bytes(settings.jobs / job.id) for job in run.jobs)
            delete_run(store, settings, run.id)
    doomed = garbage(store, settings)
    if cache and settings.cache.is_dir():
        if any(not job.state.ended for job in store.jobs(limit=10_000)):
            raise StudioError("core.cache_busy")
        under_way = {*_partial_folders(settings), settings.cache / "import.lock"}
        doomed += [path for path in settings.cache.iterdir() if path not in under_way]
    for path in doomed:
        freed += _bytes(path)
    remove_all(doomed)
    return freed


def remove_all(paths: Iterable[Path]) -> None:
    """Files and folders, as far as they can be removed."""
    for path in paths:
        if path.is_file():
            with suppress(OSError):
                path.unlink()
        else:
            shutil.rmtree(path, ignore_errors=True)


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else folder_bytes(path)


def references_in_use(store: Store) -> dict[str, str]:
    """What open jobs refer to, directly or through an earlier stage: id, name or path -> job."""
    found: dict[str, str] = {}
    for run in store.runs(limit=10_000):
        made = {job.stage_id: job.result.get("artifact") for job in run.jobs}
        for job in run.jobs:
            if not job.state.ended:
                for value in refs.leaves(job.params):
                    ref = made.get(refs.reference_id(value) or "") or value
                    found |= {ref: job.id} if isinstance(ref, str) else {}
    return found


def _partial_folders(settings: Settings) -> list[Path]:
    """Folders of uploads and models that are coming in, or that broke off with their process."""
    return [*settings.uploads.glob(".*/"), *settings.cache.glob("import-*/"), *settings.cache.glob("unpack-*/")]


def _abandoned(folder: Path) -> bool:
    """Nothing in it has grown for long."""
    try:
        return all(map(_old, (folder, *folder.rglob("*"))))
    except FileNotFoundError:  # finished a moment ago
        return False


def _old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > _MIN_AGE_SECONDS
