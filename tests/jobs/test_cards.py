"""Jobs on graphics cards: one at a time on each, jobs of the processor beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.schemas import Quote, State
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


def test_each_card_is_given_once_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0), row(1))
    pool = CardPool()
    assert pool.slots == 2
    with pool.environment("gpu") as first, pool.environment("gpu") as second, pool.environment("cpu") as none:
        given = [each["CUDA_VISIBLE_DEVICES"] for each in (first, second, none)]
    assert given == ["GPU-00", "GPU-11", ""]
    with pool.environment("gpu") as again:
        assert again["CUDA_VISIBLE_DEVICES"] in given[:2]


def test_cards_that_pytorch_can_not_use_are_no_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0), cuda=False)
    assert queue.served_queues() == ["light", "cpu"] and CardPool().slots == 1
    monkeypatch.setattr("backend.core.cards.torch_has_cuda", lambda: True)
    assert queue.served_queues() == ["light", "cpu", "gpu"]


def test_a_worker_without_cards_that_was_asked_to_runs_their_jobs_on_the_processor() -> None:
    pool = CardPool()
    with pool.environment("gpu") as said:
        assert (pool.slots, said) == (1, {})
