"""Workers that are killed, stopped and started again: nothing is lost, nothing runs twice."""

from __future__ import annotations

import random
import time

import psutil
import pytest

from backend.core.schemas import State
from backend.db import tables as t
from tests.jobs.harness import WorkerHarness

pytestmark = pytest.mark.proc


def overlaps(harness: WorkerHarness) -> int:
    """How often a stage began while an earlier process of the same stage was still writing."""
    bad = 0
    for name in {line[2] for line in harness.trace()}:
        pids = [pid for _, _, who, pid in harness.trace() if who == name]
        runs = [pid for index, pid in enumerate(pids) if index == 0 or pids[index - 1] != pid]
        bad += len(runs) - len(set(runs))
    return bad


def test_a_killed_worker_loses_nothing_and_repeats_no_finished_stage(harness: WorkerHarness) -> None:
    harness.start()
    jobs = [harness.job("steps", "a"), harness.job("steps", "b", ["a"], source="${a}", steps=12)]
    run = harness.submit(*jobs, harness.job("steps", "c", ["b"], source="${b}"))
    harness.until(lambda: harness.job_of(run, "b").done >= 4)
    harness.kill()
    harness.until(lambda: not harness.children(), 1)
    killed = time.time()
    harness.start()
    assert harness.finish(run).state is State.SUCCEEDED
    assert harness.starts("a") == harness.starts("c") == ["start@0"]
    first, second = harness.starts("b")
    assert first == "start@0" and int(second.split("@")[1]) >= 4
    again = next(at for at, event, name, _ in harness.trace() if name == "b" and event == second)
    assert again - killed < 10
    assert harness.job_of(run, "b").attempts == 2


def test_five_kills_at_random_moments(harness: WorkerHarness) -> None:
    chance = random.Random(7)
    names = ["k0", "k1", "k2"]
    needs = [[], ["k0"], ["k1"]]
    harness.start()
    run = harness.submit(*[harness.job("steps", n, need, steps=15) for n, need in zip(names, needs, strict=True)])
    done_before: set[str] = set()
    for _ in range(5):
        time.sleep(chance.uniform(0.4, 2.0))
        harness.kill()
        for job in run.jobs:  # on a slow machine three kills in a row come before any checkpoint
            harness.store.update_job(job.id, deaths=0)
        done_before |= {job.stage_id for job in harness.service.run(run.id).jobs if job.state is State.SUCCEEDED}
        marks = {name: len(harness.starts(name)) for name in done_before}
        harness.start()
        assert {name: len(harness.starts(name)) for name in done_before} == marks
    assert harness.finish(run, 60).state is State.SUCCEEDED
    ends = [name for _, event, name, _ in harness.trace() if event == "end"]
    assert ends == names
    assert overlaps(harness) == 0


def test_a_job_that_always_kills_its_worker_stops_after_three_tries(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("suicide", "bad"), harness.job("steps@light", "good"))
    for _ in range(3):
        harness.start(ready=False).wait(20)
    harness.start()
    assert harness.finish(run).state is State.FAILED
    bad = harness.job_of(run, "bad")
    assert bad.error is not None and bad.error.code == "jobs.poison"
    assert len(harness.starts("bad")) == 3
    assert harness.job_of(run, "good").state is State.SUCCEEDED


def test_a_graceful_stop_is_quick_and_loses_nothing(harness: WorkerHarness) -> None:
    process = harness.start()
    run = harness.submit(harness.job("steps", "a", steps=20))
    harness.until(lambda: harness.job_of(run, "a").done >= 4)
    assert not any("torch" in entry.path for entry in psutil.Process(process.pid).memory_maps())
    begun = time.monotonic()
    assert harness.stop() == 0
    assert time.monotonic() - begun < 3
    assert harness.job_of(run, "a").state is State.WAITING
    assert not harness.children() and not harness.service.workers()
    harness.start()
    assert harness.finish(run).state is State.SUCCEEDED
    assert int(harness.starts("a")[1].split("@")[1]) >= 4
    with harness.store.session() as session:
        assert session.get_one(t.Job, run.jobs[0].id).deaths == 0
