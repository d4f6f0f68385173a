"""A teacher that is asked by a batch API: half price, one batch however often the job begins, faults that lose nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import Cancelled, StudioError
from backend.core.paths import ROOT
from backend.core.schemas import Kind
from backend.core.stage import CANCEL_FILE
from backend.generation import batch_job
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, check, quote, run
from tests.helpers import PATIENCE, dataset_view, tiny_dataset, until
from tests.providers.fake_batches import FakeBatches
from tests.stages.fake_world import FakeWorld, log_of, made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_job, "FIRST_POLL_SECONDS", 0.01)
    monkeypatch.setattr(batch_job, "LOOK_SECONDS", 0.05)


@pytest.fixture(params=["openai", "anthropic"])
def service(request: pytest.FixtureRequest) -> Iterator[FakeBatches]:
    with FakeBatches(request.param).running() as service:
        yield service


@pytest.fixture
def openai() -> Iterator[FakeBatches]:
    with FakeBatches().running() as service:
        yield service


def saved(service: FakeBatches) -> SavedEndpoint:
    prices = {"input_price": 1000.0, "output_price": 1000.0}
    return SavedEndpoint(name="big", preset=service.protocol, url=service.url, model="m", **prices)


def begin(job: MemoryContext, service: FakeBatches, **change: Any) -> TeacherParams:
    job.order.endpoints["big"] = saved(service)
    settings = {"data": "dataset-d1", "endpoint": "big", "batch": True, "retries": 1, "timeout": 2, "trial_rows": 0}
    return TeacherParams(**{**settings, **change})


def states(job: MemoryContext) -> list[Path]:
    return list(job.checkpoints.glob("batch-*.json"))


def test_one_batch_answers_all_rows_at_half_the_price(service: FakeBatches, job: MemoryContext) -> None:
    result = run(begin(job, service), job)
    assert result.metrics["answered"] == 12 and len(service.made) == 1 and service.sent == 12 and not service.direct
    assert result.metrics["spent_usd"] == pytest.approx(12 * 12 * 1000 / 1e6 / 2)
    assert not states(job) and any("12 of 12 requests done" in line for line in log_of(job))
    notes = {event["note"] for event in job.events if event["event"] == "progress"}
    assert "waiting for the batch" in notes
    again = run(begin(job, service), job)
    assert again.metrics["cached"] == 12 and len(service.made) == 1


def test_trial_rows_are_asked_directly_and_not_again(service: FakeBatches, job: MemoryContext) -> None:
    result = run(begin(job, service, trial_rows=3), job)
    assert len(service.direct) == 3 and service.sent == 9 and result.metrics["answered"] == 12


def test_the_quote_is_half_and_others_have_no_batch() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 1000})
    world.save("big", preset="openai", input_price=2.0, output_price=4.0).save("own", preset="vllm")
    asked = TeacherParams(data="d", endpoint="big")
    halved = asked.model_copy(update={"batch": True})
    assert quote(halved, world).money == pytest.approx(quote(asked, world).money / 2) and quote(asked, world).money > 0
    assert check(halved, world) == []
    for params in (
        {"endpoint": "own"},
        {"endpoint_url": "http://h/v1", "endpoint_model": "x"},
    ):
        found = check(TeacherParams(data="d", batch=True, **params), world)
        assert [problem.code for problem in found] == ["teacher.no_batch"]


def test_expired_and_broken_requests_go_into_another_batch(service: FakeBatches, job: MemoryContext) -> None:
    service.ending = "expired"

    def outcome(body: dict[str, Any]) -> str:
        late = {"thing 1\n": "expired", "thing 2\n": "broken"}
        content = body["messages"][-1]["content"]
        return next((word for text, word in late.items() if text in content and len(service.made) < 2), "ok")

    service.outcome = outcome
    result = run(begin(job, service), job)
    assert [len(batch["lines"]) for batch in service.made.values()] == [12, 2] and result.metrics["answered"] == 12


def test_a_refused_request_is_dropped_with_its_reason(service: FakeBatches, job: MemoryContext) -> None:
    service.outcome = lambda body: "refused" if "thing 1\n" in body["messages"][-1]["content"] else "ok"
    result = run(begin(job, service), job)
    assert result.metrics["answered"] == 11 and result.metrics["dropped_no_answer"] == 1 and len(service.made) == 1
    assert any("not this one" in line for line in log_of(job))


def test_a_result_file_that_breaks_off_is_read_again(service: FakeBatches, job: MemoryContext) -> None:
    service.faults = [("/files/batch" if service.protocol == "openai" else "/batches/batch_0/results", "cut")]
    assert run(begin(job, service), job).metrics["answered"] == 12 and len(service.made) == 1 and not service.faults


def test_one_that_stays_cut_ends_the_job_and_a_retry_reads_the_same_batch(
    service: FakeBatches, job: MemoryContext
) -> None:
    place = "/files/batch" if service.protocol == "openai" else "/batches/batch_0/results"
    service.faults = [(place, "cut")] * 3
    with pytest.raises(StudioError) as caught:
        run(begin(job, service), job)
    assert caught.value.code == "teacher.batch_cut" and "batch_0" in str(caught.value) and states(job)
    assert run(begin(job, service), job).metrics["answered"] == 12 and len(service.made) == 1


def test_lines_that_are_not_there_count_as_cut(openai: FakeBatches, job: MemoryContext) -> None:
    openai.outcome = lambda body: "lost" if "thing 1\n" in body["messages"][-1]["content"] else "ok"
    with pytest.raises(StudioError) as caught:
        run(begin(job, openai), job)
    assert caught.value.code == "teacher.batch_cut" and "11 of 12" in str(caught.value)


def test_a_batch_that_was_made_without_a_word_is_found_and_not_made_again(
    service: FakeBatches, job: MemoryContext
) -> None:
    service.faults = [("/batches" if service.protocol == "openai" else "/messages/batches", "silent")]
    assert run(begin(job, service), job).metrics["answered"] == 12 and len(service.made) == 1
    assert any("was there already" in line for line in log_of(job))


def test_anothers_batch_of_the_same_size_is_not_taken(job: MemoryContext) -> None:
    with FakeBatches("anthropic").running() as service:
        params = begin(job, service)
        body = {"messages": [{"role": "user", "content": "x"}]}
        service.make([{"custom_id": f"theirs-{n}", "params": body} for n in range(12)], {})
        service.faults = [("/messages/batches", "silent")]
        assert run(params, job).metrics["answered"] == 12 and len(service.made) == 2


def test_a_batch_that_was_surely_not_made_is_made_by_a_retry(openai: FakeBatches, job: MemoryContext) -> None:
    openai.faults = [("/batches", "500")]
    with pytest.raises(StudioError) as caught:
        run(begin(job, openai), job)
    assert caught.value.code == "teacher.batch_unsure" and not openai.made
    assert run(begin(job, openai), job).metrics["answered"] == 12 and len(openai.made) == 1


def test_polls_and_uploads_that_fail_are_tried_again(openai: FakeBatches, job: MemoryContext) -> None:
    openai.faults = [("/files", "500"), ("/batches/batch_0", "500")]
    assert run(begin(job, openai), job).metrics["answered"] == 12 and len(openai.made) == 1


def test_a_batch_that_fails_as_a_whole_says_why(openai: FakeBatches, job: MemoryContext) -> None:
    openai.ending, openai.reason = "failed", "The model does not exist"
    with pytest.raises(StudioError) as caught:
        run(begin(job, openai), job)
    assert caught.value.code == "teacher.batch_failed" and "The model does not exist" in str(caught.value)
    assert not states(job)


def test_batches_that_answer_nothing_end_the_job(openai: FakeBatches, job: MemoryContext) -> None:
    openai.outcome = lambda body: "broken"
    with pytest.raises(StudioError) as caught:
        run(begin(job, openai), job)
    assert caught.value.code == "teacher.batch_empty" and len(openai.made) == batch_job.MAX_EMPTY_ROUNDS


def test_a_cancelled_job_cancels_its_batch_and_a_stopped_worker_does_not(
    service: FakeBatches, job: MemoryContext
) -> None:
    service.polls = 10_000

    def stopping(body: dict[str, Any]) -> str:
        job.stop = True
        return "ok"

    for cancelled in (False, True):
        if cancelled:
            (job.dir / CANCEL_FILE).touch()
        service.outcome = stopping
        with pytest.raises(Cancelled):
            run(begin(job, service), job)
        service.outcome, job.stop = lambda body: "ok", False
        assert service.cancelled == (["batch_0"] if cancelled else []) and len(states(job)) == 1
    result = run(begin(job, service), job)  # what it had answered is read
    assert result.metrics["answered"] == 12 and len(service.made) == 1


def test_a_budget_splits_batches_and_ends_the_job(openai: FakeBatches, job: MemoryContext) -> None:
    with pytest.raises(StudioError) as caught:
        run(begin(job, openai, budget=0.1, max_new_tokens=4), job)
    assert caught.value.code == "endpoints.budget_reached" and len(openai.made) >= 1 and openai.sent < 12
    kept = openai.sent
    result = run(begin(job, openai, max_new_tokens=4), job)
    assert result.metrics["answered"] == 12 and result.metrics["cached"] == kept and openai.sent == 12


KILLED = """
import sys
from pathlib import Path
from backend.core.endpoints import SavedEndpoint
from backend.generation import batch_job
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, run
from tests.helpers import dataset_view
batch_job.FIRST_POLL_SECONDS, batch_job.LOOK_SECONDS = 0.05, 0.1
url, preset, job, data = sys.argv[1:]
ctx = MemoryContext(Path(job), [dataset_view(Path(data))])
ctx.order.endpoints["big"] = SavedEndpoint(name="big", preset=preset, url=url, model="m")
run(TeacherParams(data="dataset-d1", endpoint="big", batch=True, trial_rows=0), ctx)
"""


@pytest.mark.proc
@pytest.mark.parametrize("moment", ["waiting", "creating"])
def test_a_killed_job_goes_on_with_the_same_batch(service: FakeBatches, tmp_path: Path, moment: str) -> None:
    data = tiny_dataset(tmp_path / "data")
    service.polls = 10_000
    arguments = [sys.executable, "-c", KILLED, service.url, service.protocol, str(tmp_path / "job"), str(data)]
    child = subprocess.Popen(arguments, cwd=ROOT)
    until(lambda: bool(service.made) and (moment == "creating" or service.made["batch_0"]["polls"] > 1))
    child.kill()
    child.wait()
    service.polls = 2
    assert subprocess.run(arguments, cwd=ROOT, timeout=PATIENCE).returncode == 0
    assert len(service.made) == 1 and service.sent == 12
    job = MemoryContext(tmp_path / "job", [dataset_view(data)])
    params = TeacherParams(**{"data": "dataset-d1", "endpoint": "big", "batch": True, "trial_rows": 0})
    job.order.endpoints["big"] = SavedEndpoint(name="big", preset=service.protocol, url=service.url, model="m")
    run(params, job)
    assert made(job)[1]["facts"]["answered"] == 12 and len(service.made) == 1
