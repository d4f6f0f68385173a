"""The immediate mode, references and failures, in this process."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from backend.artifacts import Manifest
from backend.errors import StudioError
from backend.jobs.failures import explain, sentence
from backend.jobs.inline import run_inline
from backend.jobs.recorder import Recorder
from backend.schemas import Kind, RunView, State
from backend.store import tables as t
from tests.jobs.fake_stages import find
from tests.jobs.farm import Farm


def inline(farm: Farm, run: RunView) -> RunView:
    return run_inline(farm.store, farm.settings, run.id, find)


def test_a_chain_hands_on_artifacts_with_lineage(farm: Farm) -> None:
    jobs = [farm.job("steps", "a", pause=0.0), farm.job("steps", "b", ["a"], pause=0.0, source="${a}")]
    last = farm.job("steps", "c", ["a", "b"], pause=0.0, sources=["${a}", "${b}"])
    run = inline(farm, farm.submit(*jobs, last))
    assert run.state is State.SUCCEEDED
    made = [job.result["artifact"] for job in run.jobs]
    assert run.jobs[2].params["sources"] == made[:2]
    assert farm.store.artifact(made[2]).parents == sorted(made[:2])
    assert farm.store.artifact(made[1]).job_id == run.jobs[1].id
    assert [point.value for point in farm.service.metrics(run.jobs[0].id, "loss")] == [1, 1 / 2, 1 / 3]
    assert not any(farm.settings.jobs.iterdir())


def test_a_name_is_pinned_to_the_id_that_it_means_now(farm: Farm) -> None:
    project = farm.store.project()
    for number in (1, 2):
        folder = farm.settings.artifacts / f"m{number}"
        folder.mkdir()
        farm.store.add_artifact(Manifest(id=f"m{number}", kind=Kind.MODEL, name="base"), folder, project)
    run = inline(farm, farm.submit(farm.job("steps", "a", pause=0.0, source="base")))
    assert run.jobs[0].params["source"] == "m2"
    assert farm.store.artifact(run.jobs[0].result["artifact"]).parents == ["m2"]


def test_a_reference_that_points_nowhere_fails_the_job_in_words(farm: Farm) -> None:
    run = inline(farm, farm.submit(farm.job("steps", "a", source="nothing"), farm.job("steps", "b", ["a"])))
    assert [job.state for job in run.jobs] == [State.FAILED, State.BLOCKED]
    assert run.jobs[0].error is not None
    assert run.jobs[0].error.code == "core.artifact_unknown"


def test_a_failure_blocks_the_rest_and_a_retry_does_not_repeat_the_start(farm: Farm) -> None:
    jobs = [farm.job("steps", "a", pause=0.0), farm.job("flaky", "b", ["a"], folder=str(farm.settings.home))]
    run = inline(farm, farm.submit(*jobs, farm.job("steps", "c", ["b"], source="${b}")))
    assert run.jobs[1].error is not None
    assert sentence(run.jobs[1].error).startswith("The file ok is missing.")
    (farm.settings.home / "ok").touch()
    farm.service.retry(run.jobs[1].id)
    assert inline(farm, run).state is State.SUCCEEDED
    assert len(farm.starts("a")) == 1
    assert len(farm.starts("b")) == 3  # the failed attempt, and `flaky` and `steps` of the second


def test_a_bug_keeps_its_last_line(farm: Farm) -> None:
    run = inline(farm, farm.submit(farm.job("bug", "a")))
    assert run.jobs[0].error is not None
    assert run.jobs[0].error.args == {"reason": "ZeroDivisionError: nothing to divide by"}


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "core.disk_full"),
        (_caused(RuntimeError("can't save"), OSError(errno.ENOSPC, "x")), "core.disk_full"),
        (_caused(StudioError("core.value", reason="x"), OSError(errno.EDQUOT, "x")), "core.disk_full"),
        (RuntimeError("Error while serializing: IoError(No space left on device (os error 28))"), "core.disk_full"),
        (OperationalError("insert", {}, Exception("database or disk is full")), "core.disk_full"),
        (MemoryError(), "core.memory_out"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "core.memory_out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "core.memory_out"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "core.memory_out"),
        (StudioError("core.memory_low", need="2 GB", have="1 GB"), "core.memory_low"),
        (KeyError("x"), "core.unexpected"),
        (OSError(errno.ENOENT, "No such file"), "core.unexpected"),
    ],
)
def test_failures_are_told_apart(error: Exception, code: str, tmp_path: Path) -> None:
    told = explain(error, tmp_path)
    assert told.code == code
    assert sentence(told)


def test_reports_wait_while_the_database_is_away(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    run = farm.submit(farm.job("steps", "a"))
    with farm.store.session() as session:
        recorder = Recorder(farm.store, session.get_one(t.Job, run.jobs[0].id))
    recorder.take({"event": "log", "level": "info", "text": "hello"})
    recorder.take({"event": "metric", "name": "loss", "step": 1.0, "value": 2.0})

    def away(*_: object) -> None:
        raise OperationalError("insert", {}, Exception("disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(farm.store, "add_logs", away)
        assert recorder.flush() is False
    assert recorder.flush() is True
    assert [line.text for line in farm.service.logs(run.jobs[0].id)] == ["hello"]
    assert len(farm.service.metrics(run.jobs[0].id)) == 1
