"""Jobs on graphics cards: one at a time on each, jobs of the processor beside them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.schemas import JobView, Quote, RunView, State
from backend.core.settings import Settings
from backend.jobs import queue
from backend.jobs.card_pool import CardPool
from backend.jobs.service import NewJob
from tests.fake_cards import install, row
from tests.jobs.harness import WorkerHarness

pytestmark = pytest.mark.proc
ON_CARD = Quote(seconds=1, memory_bytes=1, disk_bytes=1, vram={"weights": 1})


def job(harness: WorkerHarness, name: str, release: Path, quote: Quote | None = ON_CARD) -> NewJob:
    return harness.job("on_cards", name, folder=str(release)).model_copy(update={"quote": quote})


def test_two_cards_run_two_jobs_and_one_of_the_processor_beside_them(
    harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, tmp_path / "bin", row(0), row(1))
    release = tmp_path / "release"
    run = harness.submit(*(job(harness, name, release) for name in ("a", "b", "c")), job(harness, "p", release, None))
    assert [each.queue for each in run.jobs] == ["gpu", "gpu", "gpu", "cpu"]
    harness.start(program="tests.jobs.fake_card_worker")
    harness.until(lambda: all(harness.starts(name) for name in ("a", "b", "p")))
    assert sorted([*harness.starts("a"), *harness.starts("b")]) == ["start@GPU-00", "start@GPU-11"]
    assert harness.starts("p") == ["start@"], "a job of the processor sees no card"
    assert harness.job_of(run, "c").state is State.WAITING and not harness.starts("c")
    release.touch()
    assert harness.finish(run).state is State.SUCCEEDED
    assert harness.starts("c")[0] in ("start@GPU-00", "start@GPU-11")


def test_a_worker_without_cards_leaves_their_jobs_to_others(harness: WorkerHarness, tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.touch()
    run = harness.submit(job(harness, "a", release), job(harness, "p", release, None))
    harness.start()
    assert harness.reach(run, "p", State.SUCCEEDED) and harness.job_of(run, "a").state is State.WAITING


@pytest.mark.parametrize(("asked", "processes"), [("1", 1), ("2", 2), ("9", 3), ("auto", 3)])
def test_a_job_takes_as_many_cards_as_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, processes: int
) -> None:
    install(monkeypatch, tmp_path, row(0), row(1), row(2))
    monkeypatch.setenv("SLMOPS_PROCESSES", asked)
    pool = CardPool(Settings())
    assert (pool.processes, pool.slots) == (processes, 3)
    with (
        pool.environment("gpu", processes) as taken,
        pool.environment("gpu", 3) as none,
        pool.environment("cpu") as cpu,
    ):
        assert taken and taken["CUDA_VISIBLE_DEVICES"].count("GPU-") == processes
        assert none is None, "it has to wait"
        assert cpu == {"CUDA_VISIBLE_DEVICES": ""}
    with pool.environment("gpu", 3) as again:
        assert again and again["CUDA_VISIBLE_DEVICES"].count("GPU-") == 3, "cards come back"


def test_cards_that_pytorch_can_not_use_are_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0), cuda=False)
    assert queue.served_queues() == ["light", "cpu"] and CardPool(Settings()).slots == 1
    monkeypatch.setattr("backend.core.cards.torch_has_cuda", lambda: True)
    assert queue.served_queues() == ["light", "cpu", "gpu"]


def test_without_cards_processes_share_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_PROCESSES", "2")
    pool = CardPool(Settings())
    for name in ("cpu", "gpu"):
        with pool.environment(name, 2) as said:
            assert (pool.processes, pool.slots, said) == (2, 1, {})


def ranks_of(harness: WorkerHarness, name: str) -> dict[str, int]:
    """Rank, processes and cards -> process, as those of a job said."""
    said = [(event, pid) for _, event, who, pid in harness.trace() if who == name]
    return {event.partition("@")[2]: pid for event, pid in said if event.startswith("rank@")}


def test_ranks_have_a_card_each_and_are_not_overtaken(
    harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`b` takes both cards, so it waits for `a` and is done before `c`, which came later and would fit."""
    install(monkeypatch, tmp_path / "bin", row(0), row(1))
    monkeypatch.setenv("SLMOPS_PROCESSES", "2")
    first, then = tmp_path / "first", tmp_path / "then"
    shared = harness.job("shared", "b", folder=str(then)).model_copy(update={"quote": ON_CARD})
    run = harness.submit(job(harness, "a", first), shared, job(harness, "c", then))
    harness.start(program="tests.jobs.fake_card_worker")
    harness.until(lambda: harness.starts("a"))
    assert harness.job_of(run, "b").state is State.WAITING and harness.job_of(run, "c").state is State.WAITING
    first.touch()
    harness.until(lambda: len(ranks_of(harness, "b")) == 2)
    assert {said[:3] for said in ranks_of(harness, "b")} == {"0/2", "1/2"}
    assert {said[4:] for said in ranks_of(harness, "b")} == {"GPU-00", "GPU-11"}
    assert harness.job_of(run, "c").state is State.WAITING
    then.touch()
    assert harness.finish(run).state is State.SUCCEEDED


def test_ranks_of_one_job_end_together(harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_PROCESSES", "2")
    harness.start()

    def ended(how: str, end: Callable[[RunView, Path], object]) -> JobView:
        run = harness.submit(harness.job("shared", how, folder=str(tmp_path / how)), key=how)
        harness.until(lambda: set(ranks_of(harness, how)) == {"0/2/", "1/2/"})
        end(run, tmp_path / how)
        done = harness.finish(run).jobs[0]
        harness.until(lambda: not harness.children())
        return done

    assert ended("well", lambda _, release: release.touch()).state is State.SUCCEEDED
    assert ended("cancelled", lambda run, _: harness.service.cancel(run.jobs[0].id)).state is State.CANCELLED
    failed = ended("failed", lambda _, release: release.write_text("failed"))
    assert failed.error and (failed.error.code, failed.error.args["reason"]) == ("core.value", "rank 1")
    killed = ended("killed", lambda *_: os.kill(ranks_of(harness, "killed")["1/2/"], signal.SIGKILL))
    assert killed.error and (killed.error.code, killed.error.args["signal"]) == ("train.rank_died", "SIGKILL")
    harness.submit(harness.job("shared", "orphaned", folder=str(tmp_path / "none")))
    harness.until(lambda: len(ranks_of(harness, "orphaned")) == 2)
    harness.kill()
    harness.until(lambda: not harness.children())
