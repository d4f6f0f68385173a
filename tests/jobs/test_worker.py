"""A real worker and real child processes, one worker for all tests: cancel, failures, priorities, retries."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import update

from backend.core.artifacts import MANIFEST, Manifest, write_json
from backend.core.errors import StudioError
from backend.core.schemas import JobView, Kind, State
from backend.db import tables as t
from backend.jobs.attempt import GRACE_SECONDS
from backend.jobs.worker import POLL_SECONDS
from backend.process.explain import sentence
from tests.helpers import PATIENCE
from tests.jobs.harness import ROOT, WorkerHarness

pytestmark = pytest.mark.proc


def error_text(job: JobView) -> str:
    assert job.error is not None
    return sentence(job.error)


def test_a_chain_runs_with_lineage_metrics_and_memory(running: WorkerHarness) -> None:
    jobs = [running.job("steps", "a"), running.job("steps@light", "b", ["a"], source="${a}")]
    last = running.job("steps@light", "c", ["a", "b"], sources=["${a}", "${b}"])
    run = running.finish(running.submit(*jobs, last))
    assert run.state is State.SUCCEEDED
    first, second, third = run.jobs
    made = [first.result["artifact"], second.result["artifact"]]
    assert running.store.artifact(made[1]).parents == made[:1]
    assert running.store.artifact(made[1]).job_id == second.id
    assert third.params["sources"] == made
    assert running.store.artifact(third.result["artifact"]).parents == sorted(made)
    assert len(running.service.metrics(first.id, "loss")) == 3
    assert second.peak_memory_bytes is not None and 10e6 < second.peak_memory_bytes < 500e6
    assert second.seconds is not None and 0.3 < second.seconds < 15
    assert not (running.settings.jobs / first.id).exists()


def test_a_bad_result_ends_with_findings_and_later_stages_go_on(running: WorkerHarness) -> None:
    run = running.finish(running.submit(running.job("doubtful", "a"), running.job("steps", "b", ["a"], source="${a}")))
    assert [job.state for job in run.jobs] == [State.FINDINGS, State.SUCCEEDED]
    assert run.state is State.FINDINGS and run.state.ended and not run.state.active
    assert [found.args["reason"] for found in run.jobs[0].findings] == ["half of the answers are empty"]
    assert not (running.settings.jobs / run.jobs[0].id).exists()
    with pytest.raises(StudioError, match="finished"):
        running.service.retry(run.jobs[0].id)


def test_automatic_names_are_numbered_and_given_ones_stay(running: WorkerHarness) -> None:
    job = running.job("steps", "a")
    runs = [running.submit(job.model_copy(update={"params": {**job.params, "name": ""}})) for _ in range(2)]
    names = {running.store.artifact(running.finish(run).jobs[0].result["artifact"]).name for run in runs}
    assert len(names) == 2 and any(name.endswith("-2") for name in names)
    given = [running.finish(running.submit(running.job("steps", "same"))).jobs[0] for _ in range(2)]
    assert len({running.store.artifact(each.result["artifact"]).name for each in given}) == 1


def test_a_name_is_pinned_to_the_id_that_it_means_now(running: WorkerHarness) -> None:
    """Among the kinds that the field takes: a dataset may bear the name too, a second model may not."""
    for number, kind in enumerate((Kind.MODEL, Kind.DATASET, Kind.MODEL), 1):
        folder = running.settings.artifacts / f"a{number}"
        folder.mkdir()
        running.store.add_artifact(Manifest(id=f"a{number}", kind=kind, name="base"), folder, running.store.project())
        if number == 1:
            continue
        run = running.finish(running.submit(running.job("steps", f"pinned{number}", source="base")))
        if number == 2:
            assert run.jobs[0].params["source"] == "a1"
            assert running.store.artifact(run.jobs[0].result["artifact"]).parents == ["a1"]
        else:
            assert run.jobs[0].error is not None and run.jobs[0].error.code == "core.artifact_ambiguous"


def test_a_reference_that_points_nowhere_fails_the_job_in_words(running: WorkerHarness) -> None:
    jobs = [running.job("steps", "lost", source="nothing"), running.job("steps", "lost2", ["lost"])]
    run = running.finish(running.submit(*jobs))
    assert [job.state for job in run.jobs] == [State.FAILED, State.BLOCKED]
    assert run.jobs[0].error is not None
    assert run.jobs[0].error.code == "core.artifact_unknown"


@pytest.mark.parametrize("kept", [True, False])
def test_what_an_earlier_attempt_finished_counts_only_while_its_artifact_is_there(
    running: WorkerHarness, kept: bool
) -> None:
    name = f"done-{kept}"
    running.service.pause("cpu")
    run = running.submit(running.job("steps", name, steps=1))
    job = run.jobs[0].id
    folder, work = running.settings.artifacts / job, running.settings.jobs / job
    for path in (folder, work):
        path.mkdir()
    manifest = Manifest(id=f"model-{job}", kind=Kind.MODEL, name=name).model_dump(mode="json")
    if kept:
        write_json(folder / MANIFEST, manifest)
    artifact = {"event": "artifact", "path": str(folder), "manifest": manifest}
    beside = {**artifact, "manifest": {**manifest, "id": f"report-{job}", "kind": "report"}}
    done = {
        "event": "result",
        "result": {"artifact": f"model-{job}", "metrics": {}},
        "peak": 1,
        "artifacts": [artifact, beside],
    }
    write_json(work / "done.json", done)
    running.service.resume("cpu")
    assert running.finish(run).state is State.SUCCEEDED
    assert running.starts(name) == ([] if kept else ["start@0"])
    assert running.store.artifact(f"model-{job}").path.is_dir()
    assert (running.store.find_artifact(f"report-{job}") is not None) == kept


def test_what_libraries_print_goes_to_the_log_only(running: WorkerHarness) -> None:
    run = running.finish(running.submit(running.job("chatty", "a")))
    assert run.state is State.SUCCEEDED
    log = (running.settings.logs / f"{run.jobs[0].id}.log").read_text()
    for words in ('"event": "error"', "raw bytes", "from a grandchild", "and stderr"):
        assert words in log


@pytest.mark.parametrize("stage", ["steps", "spin"])
def test_cancel_reaches_the_process_within_two_seconds_of_an_idle_machine(running: WorkerHarness, stage: str) -> None:
    name = f"cancel-{stage}"
    run = running.submit(running.job(stage, name, steps=1000), running.job("steps", f"{name}-after", [name]))
    running.until(lambda: running.starts(name))
    pid = running.trace()[-1][3]
    assert POLL_SECONDS + GRACE_SECONDS < 2, "asked at the next look, ended when that is not heard"
    assert running.service.cancel(run.jobs[0].id).state in (State.CANCELLING, State.CANCELLED)
    running.until(lambda: not psutil.pid_exists(pid))
    assert running.reach(run, name, State.CANCELLED).done < 1000
    assert running.reach(run, f"{name}-after", State.BLOCKED).attempts == 0


def test_cancelled_is_said_when_the_process_has_gone_however_old_the_heartbeat_looks(running: WorkerHarness) -> None:
    """As where the clocks of two machines differ, or the database could not be written for a minute."""
    run = running.submit(running.job("steps", "old-beat", steps=1000))
    running.until(lambda: running.job_of(run, "old-beat").done >= 1)
    pid = running.trace()[-1][3]
    with running.store.session() as session:
        session.execute(update(t.Worker).values(beat=t.now() - timedelta(hours=1)))
    said = running.service.cancel(run.jobs[0].id).state
    assert said is State.CANCELLING or not psutil.pid_exists(pid)
    running.reach(run, "old-beat", State.CANCELLED)
    assert not psutil.pid_exists(pid)


def test_a_cancelled_job_goes_on_from_its_checkpoint_when_retried(running: WorkerHarness) -> None:
    run = running.submit(running.job("steps", "again", steps=30))
    running.until(lambda: running.job_of(run, "again").done >= 3)
    running.service.cancel(run.jobs[0].id)
    running.reach(run, "again", State.CANCELLED)
    running.service.retry(run.jobs[0].id)
    assert running.finish(run).state is State.SUCCEEDED
    first, second = running.starts("again")
    assert first == "start@0" and int(second.split("@")[1]) >= 3


def test_retry_after_a_failure_does_not_repeat_finished_stages(running: WorkerHarness, tmp_path: Path) -> None:
    jobs = [running.job("steps", "r1"), running.job("flaky", "r2", ["r1"], folder=str(tmp_path))]
    run = running.finish(running.submit(*jobs, running.job("steps", "r3", ["r2"], source="${r2}")))
    assert [job.state for job in run.jobs] == [State.SUCCEEDED, State.FAILED, State.BLOCKED]
    assert error_text(run.jobs[1]).startswith("The file ok is missing.")
    (tmp_path / "ok").touch()
    running.service.retry(run.jobs[1].id)
    running.reach(run, "r3", State.SUCCEEDED)
    assert len(running.starts("r1")) == 1


def test_the_lowest_number_goes_first_and_a_pause_holds_all(running: WorkerHarness) -> None:
    running.service.pause("cpu")
    runs = [running.submit(running.job("steps", f"p{n}", priority=n, steps=1)) for n in (9, 1, 5)]
    time.sleep(1.5)
    assert not any(name in ("p1", "p5", "p9") for _, _, name, _ in running.trace())
    running.service.resume("cpu")
    for run in runs:
        running.finish(run)
    order = [name for _, event, name, _ in running.trace() if event == "end" and name in ("p1", "p5", "p9")]
    assert order == ["p1", "p5", "p9"]


def test_a_child_that_is_killed_once_goes_on_from_its_checkpoint(running: WorkerHarness) -> None:
    run = running.submit(running.job("steps", "shot", steps=12))
    running.until(lambda: running.job_of(run, "shot").done >= 3)
    os.kill(running.trace()[-1][3], signal.SIGKILL)
    assert running.finish(run).state is State.SUCCEEDED
    assert int(running.starts("shot")[1].split("@")[1]) >= 3
    assert any("SIGKILL" in line.text for line in running.service.logs(run.jobs[0].id))


def test_a_child_that_always_dies_stops_after_three_tries(running: WorkerHarness) -> None:
    run = running.finish(running.submit(running.job("selfkill", "dies")))
    assert run.jobs[0].state is State.FAILED
    assert len(running.starts("dies")) == 3
    assert error_text(run.jobs[0]).startswith("This stage was killed 3 times in a row (SIGKILL)")


def test_out_of_memory_is_said(running: WorkerHarness) -> None:
    run = running.finish(running.submit(running.job("hog", "hog")))
    assert error_text(run.jobs[0]).startswith("The process ran out of memory.")


def test_a_bug_leaves_its_traceback_in_the_logs(running: WorkerHarness) -> None:
    run = running.finish(running.submit(running.job("bug", "bug")))
    assert error_text(run.jobs[0]).startswith("Unexpected error: ZeroDivisionError: nothing to divide by")
    assert any("Traceback" in line.text for line in running.service.logs(run.jobs[0].id))


def test_a_second_worker_is_refused_in_words(running: WorkerHarness) -> None:
    env = {**os.environ, "SLMOPS_HOME": str(running.settings.home)}
    argv = [sys.executable, "-m", "tests.jobs.fake_worker"]
    second = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert second.returncode == 2
    assert second.stderr.startswith("Another worker is running in")
    assert "Traceback" not in second.stderr
    assert len(running.service.workers()) == 1


def test_a_cancel_that_is_taken_back_goes_on_from_its_checkpoint_and_the_load_of_others_is_kept(
    running: WorkerHarness,
) -> None:
    run = running.submit(running.job("steps", "undone", steps=60))
    job_id = run.jobs[0].id
    running.until(lambda: running.service.get(job_id).done >= 5)
    running.service.cancel(job_id)
    running.service.undo_cancel(job_id)
    (job,) = running.finish(running.service.run(run.id)).jobs
    assert job.state is State.SUCCEEDED
    trace = [line.split()[1] for line in running.trace_file.read_text().splitlines() if line.split()[2] == "undone"]
    assert trace.count("step@3") == 1, "no step is done twice"
    assert job.others_share is not None and 0.0 <= job.others_share <= 1.0
