"""The counters of changes: who keeps what he read may trust them, whichever process writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.schemas import State
from backend.db import Store
from backend.db import tables as t
from backend.jobs import queue
from tests.jobs.harness import WorkerHarness


@pytest.fixture
def two(tmp_path: Path) -> tuple[Store, Store]:
    """Two stores on one database, as two processes have them."""
    url = f"sqlite:///{tmp_path / 'studio.sqlite'}"
    return Store(url), Store(url)


def raised(store: Store, before: dict[str, int]) -> set[str]:
    return {topic for topic, count in store.changes().items() if count != before.get(topic)}


def test_a_write_raises_the_counter_of_its_table_for_everybody(two: tuple[Store, Store]) -> None:
    reader, writer = two
    before = reader.changes()
    writer.set_setting("a", "1")
    assert raised(reader, before) == {"setting"}
    before = reader.changes()
    writer.setting("a")
    writer.projects()
    assert raised(reader, before) == set(), "reading changes nothing"
    project = writer.project()
    writer.rename_project(project, "mails")
    assert raised(reader, before) == {"project"}
    before = reader.changes()
    writer.delete_project(project)
    assert raised(reader, before) == {"project"}


def test_what_is_rolled_back_counts_not(two: tuple[Store, Store]) -> None:
    reader, writer = two
    before = reader.changes()
    with pytest.raises(RuntimeError), writer.session() as session:
        session.add(t.Setting(key="a", value="1"))
        session.flush()
        raise RuntimeError
    assert raised(reader, before) == set() and reader.setting("a") is None


def test_progress_of_a_job_counts_apart_from_its_state(tmp_path: Path) -> None:
    harness = WorkerHarness(tmp_path / "home")
    harness.submit(harness.job("steps", "a"))
    job = claimed(harness)
    before = harness.store.changes()
    queue.update_claimed(harness.store, job, done=1.0, total=3.0, note="counting", eta_seconds=2.0)
    assert raised(harness.store, before) == {"progress"}
    before = harness.store.changes()
    queue.finish(harness.store, job, State.SUCCEEDED, result={"artifact": ""})
    assert raised(harness.store, before) == {"job"}


def claimed(harness: WorkerHarness) -> t.Job:
    with harness.store.session() as session:
        (row,) = session.query(t.Job)
    harness.store.update_job(row.id, state=State.RUNNING, worker="w")
    with harness.store.session() as session:
        return session.get_one(t.Job, row.id)
