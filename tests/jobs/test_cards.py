"""Jobs on graphics cards: one at a time on each, jobs of the processor beside them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from backend.core.schemas import Quote, State
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


@pytest.mark.parametrize(("asked", "each", "slots"), [("1", 1, 3), ("2", 2, 1), ("9", 3, 1), ("auto", 3, 1)])
def test_several_processes_take_several_cards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, each: int, slots: int
) -> None:
    install(monkeypatch, tmp_path, row(0), row(1), row(2))
    monkeypatch.setenv("SLMOPS_PROCESSES", asked)
    pool = CardPool(Settings())
    assert (pool.each, pool.slots) == (each, slots)
    with pool.environment("gpu", each) as taken, pool.environment("cpu") as none:
        assert taken["CUDA_VISIBLE_DEVICES"].count("GPU-") == each and none == {"CUDA_VISIBLE_DEVICES": ""}
    with pool.environment("gpu", 3) as again:
        assert again["CUDA_VISIBLE_DEVICES"].count("GPU-") == 3, "cards come back"


def test_cards_that_pytorch_can_not_use_are_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0), cuda=False)
    assert queue.served_queues() == ["light", "cpu"] and CardPool(Settings()).slots == 1
    monkeypatch.setattr("backend.core.cards.torch_has_cuda", lambda: True)
    assert queue.served_queues() == ["light", "cpu", "gpu"]


def test_without_cards_processes_share_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLMOPS_PROCESSES", "2")
    pool = CardPool(Settings())
    with pool.environment("cpu") as said:
        assert (pool.each, pool.slots, said) == (2, 1, {})


def ranks_of(harness: WorkerHarness) -> dict[str, int]:
    """Rank -> process, as they said."""
    return {event.partition("@")[2]: pid for _, event, _, pid in harness.trace() if event.startswith("rank@")}


@pytest.mark.parametrize("end", ["well", "killed", "cancelled"])
def test_ranks_of_one_job_end_together(
    harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setenv("SLMOPS_PROCESSES", "2")
    release = tmp_path / "release"
    run = harness.submit(harness.job("shared", "a", folder=str(release)))
    harness.start()
    harness.until(lambda: set(ranks_of(harness)) == {"0/2", "1/2"})
    if end == "well":
        release.touch()
    elif end == "killed":
        os.kill(ranks_of(harness)["1/2"], signal.SIGKILL)
    else:
        harness.service.cancel(run.jobs[0].id)
    done = harness.finish(run).jobs[0]
    ended = {"well": State.SUCCEEDED, "killed": State.FAILED, "cancelled": State.CANCELLED}
    assert done.state is ended[end]
    if end == "killed":
        assert done.error and (done.error.code, done.error.args["signal"]) == ("train.rank_died", "SIGKILL")
    harness.until(lambda: not harness.children())
