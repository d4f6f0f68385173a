"""The store: migrations from several processes, lineage, jobs."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from backend.core.artifacts import Manifest, read_manifest, seal, verify
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, State
from backend.core.settings import Settings
from backend.db import Store
from backend.db import tables as t
from backend.files import disk, trash


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings().prepare()


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_url)


def make(store: Store, settings: Settings, kind: Kind, id: str, parents: list[str] | None = None) -> ArtifactView:
    source = settings.jobs / f"build-{id}"
    source.mkdir(parents=True)
    (source / "payload.txt").write_text(f"bytes of {id}")
    target = settings.artifacts / kind.value / id
    manifest = seal(source, target, Manifest(id=id, kind=kind, name=f"name-{id}", parents=parents or []))
    return store.add_artifact(manifest, target, store.project())


def add_job(store: Store, id: str = "j1", state: State = State.SUCCEEDED, **params: str) -> None:
    job = t.Job(
        id=id, run_id=f"r{id}", stage_id="s", stage="dataset", params=params, needs=[], state=state, queue="light"
    )
    store.add_run("run", store.project(), {}, [job], f"r{id}")


def test_six_processes_that_open_a_new_database_at_once_all_succeed(settings: Settings) -> None:
    code = "from backend.core.settings import Settings; from backend.db import Store; Store(Settings().store_url).project()"
    started = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(6)]
    errors = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 6, errors
    with Store(settings.store_url).session() as session:
        assert session.query(t.Project).count() == 1


def test_without_a_name_it_is_the_oldest_project_also_when_it_was_renamed(store: Store) -> None:
    first = store.project()
    assert [project.name for project in store.projects()] == ["default"]
    store.rename_project(first, "Mails")
    other = store.project("Other")
    assert store.project() == first == store.project("Mails") != other
    assert [project.name for project in store.projects()] == ["Mails", "Other"]


def test_runs_keep_their_jobs_apart_and_in_order(store: Store) -> None:
    for run in ("r1", "r2"):
        about: dict[str, Any] = {
            "run_id": run,
            "stage": "dataset",
            "params": {},
            "needs": [],
            "queue": "light",
            "state": State.WAITING,
        }
        jobs = [t.Job(id=f"{run}{at}", stage_id=at, **about) for at in "ba"]
        store.add_run("run", store.project(), {}, jobs, run)
    assert {run.id: [job.id for job in run.jobs] for run in store.runs()} == {
        "r1": ["r1b", "r1a"],
        "r2": ["r2b", "r2a"],
    }
    assert store.job_states() == dict.fromkeys(["r1a", "r1b", "r2a", "r2b"], State.WAITING)


def test_storage_of_many_runs_reads_no_more_than_the_states_of_their_jobs(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_job(store, "j1", State.SUCCEEDED)
    add_job(store, "j2", State.FAILED)
    for name in ("j1", "j2", "gone"):
        (settings.jobs / name).mkdir()
        os.utime(settings.jobs / name, (0, 0))
    monkeypatch.setattr(Store, "runs", None)
    assert disk.garbage(store, settings) == [settings.jobs / "gone", settings.jobs / "j1"]
    disk.storage(store, settings)


def test_the_migrations_give_the_tables_of_the_code(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), t.Base.metadata)
    assert [
        change for change in found if change[0] in ("add_table", "remove_table", "add_column", "remove_column")
    ] == []


def test_sqlite_runs_in_wal_mode(store: Store) -> None:
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_database_url_of_an_unknown_kind_is_refused_without_showing_its_password() -> None:
    with pytest.raises(StudioError) as error:
        _ = Settings(db_url="mysql://me:secret@host/db").store_url
    assert error.value.code == "core.db_url" and "secret" not in str(error.value)


def test_an_artifact_is_found_by_id_and_by_its_newest_name(store: Store, settings: Settings) -> None:
    made = make(store, settings, Kind.MODEL, "model-1")
    assert store.artifact("model-1").digest == made.digest == store.artifact("name-model-1").digest
    with pytest.raises(StudioError) as error:
        store.artifact("nothing")
    assert error.value.code == "core.artifact_unknown"


def test_a_changed_file_is_found_by_verify(store: Store, settings: Settings) -> None:
    made = make(store, settings, Kind.MODEL, "model-1")
    verify(made.path)
    (made.path / "payload.txt").write_text("other")
    with pytest.raises(StudioError, match=r"payload\.txt"):
        verify(made.path)


def test_sealing_twice_ends_in_the_same_state(store: Store, settings: Settings) -> None:
    first = make(store, settings, Kind.MODEL, "model-1")
    second = make(store, settings, Kind.MODEL, "model-1")
    assert first.digest == second.digest and len(store.artifacts()) == 1
    assert read_manifest(second.path).size_bytes == len("bytes of model-1")


def test_what_others_were_made_from_is_protected(store: Store, settings: Settings) -> None:
    make(store, settings, Kind.DATASET, "d")
    make(store, settings, Kind.ADAPTER, "a", parents=["d"])
    make(store, settings, Kind.ONNX, "o", parents=["a"])
    with pytest.raises(StudioError) as error:
        trash.discard(store, "d")
    assert error.value.code == "core.artifact_used" and "name-a" in str(error.value)
    assert trash.discard(store, "d", with_descendants=True) == ["o", "a", "d"]
    trash.empty(store, settings)
    assert store.artifacts() == store.artifacts(trashed=True) == []
    assert not any(path.is_dir() for path in (settings.artifacts / "onnx").iterdir())


def test_what_a_job_is_using_is_protected(store: Store, settings: Settings) -> None:
    make(store, settings, Kind.DATASET, "d")
    add_job(store, state=State.RUNNING, data="d")
    with pytest.raises(StudioError, match="job j1"):
        trash.discard(store, "d")


def test_a_project_of_which_another_uses_something_stays_whole(store: Store, settings: Settings) -> None:
    mine, other = store.project(), store.project("Other")
    for name in ("d1", "d2", "d3"):
        make(store, settings, Kind.DATASET, name)
    add_job(store, state=State.RUNNING, data="d2")
    with store.session() as session:
        session.execute(update(t.Run).values(project_id=other))
    with pytest.raises(StudioError, match="job j1"):
        trash.discard_project(store, mine, ())
    assert len(store.artifacts()) == 3 and len(store.projects()) == 2


def test_a_run_at_work_is_not_deleted_and_an_ended_one_leaves_its_artifacts(store: Store, settings: Settings) -> None:
    add_job(store, "j1", State.RUNNING)
    with pytest.raises(StudioError, match="still running"):
        disk.delete_run(store, settings, "rj1")
    add_job(store, "j2", State.FAILED)
    make(store, settings, Kind.MODEL, "m")
    (settings.jobs / "j2").mkdir()
    disk.delete_run(store, settings, "rj2")
    assert not (settings.jobs / "j2").exists() and store.artifact("m") and len(store.runs()) == 1


def test_gc_frees_half_made_folders_and_keeps_what_is_known_or_young(store: Store, settings: Settings) -> None:
    kept = make(store, settings, Kind.MODEL, "m")
    for name in (".m2.incoming", ".m3.incoming"):
        (settings.artifacts / "model" / name).mkdir()
        (settings.artifacts / "model" / name / "half").write_bytes(b"x" * 1000)
    os.utime(settings.artifacts / "model" / ".m2.incoming", (0, 0))
    assert disk.storage(store, settings).reclaimable == 1000
    assert disk.gc(store, settings) == 1000
    assert kept.path.exists() and (settings.artifacts / "model" / ".m3.incoming").exists()


def test_only_runs_that_ended_long_ago_are_pruned(store: Store, settings: Settings) -> None:
    for id_, state, days in (("j1", State.FAILED, 40), ("j2", State.FAILED, 1), ("j3", State.WAITING, 40)):
        add_job(store, id_, state)
        store.update_job(id_, ended=t.now() - timedelta(days=days))
    (settings.jobs / "j1").mkdir()
    (settings.logs / "j1.log").touch()
    disk.gc(store, settings, older_than_days=30)
    assert {run.id for run in store.runs()} == {"rj2", "rj3"}
    assert not (settings.jobs / "j1").exists() and not (settings.logs / "j1.log").exists()
