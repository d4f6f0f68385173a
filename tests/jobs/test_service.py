"""The rules of the queue without any process: the worker's part is played by the functions that it calls."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import JobError, RunView, State
from backend.db import tables as t
from backend.jobs import heartbeat, queue, scheduling
from backend.process.explain import sentence
from tests.jobs.harness import WorkerHarness

W = "host:0:me"


def next_ones(harness: WorkerHarness, *queues: str) -> list[str]:
    """The stage ids that are released now."""
    tickets = scheduling.dispatch_ready(harness.store, queues or ("cpu", "light"), W)
    return [harness.service.get(ticket.job_id).stage_id for ticket in tickets]


def run_next(harness: WorkerHarness, state: State) -> str:
    """Claim what is released next and end it as `state`; its stage id."""
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    job = queue.claim(harness.store, ticket, W)
    assert job is not None
    error = JobError(code="core.memory_out") if state is State.FAILED else None
    queue.finish(harness.store, job, state, error)
    return job.stage_id


def states(harness: WorkerHarness, run: RunView) -> dict[str, str]:
    return {job.stage_id: job.state.value for job in harness.service.run(run.id).jobs}


def test_order_is_priority_then_age_then_position(harness: WorkerHarness) -> None:
    harness.submit(harness.job("steps", "old5"), harness.job("steps", "old5b"))
    harness.submit(harness.job("steps", "p9", priority=9), harness.job("steps", "p1", priority=1))
    assert [run_next(harness, State.SUCCEEDED) for _ in range(4)] == ["p1", "old5", "old5b", "p9"]


def test_reprioritize_moves_a_waiting_job_ahead(harness: WorkerHarness) -> None:
    harness.submit(harness.job("steps", "a"))
    late = harness.submit(harness.job("steps", "b"))
    assert harness.service.reprioritize(late.jobs[0].id, 1).priority == 1
    assert run_next(harness, State.SUCCEEDED) == "b"


def test_slots_bound_what_is_released_per_queue(harness: WorkerHarness) -> None:
    harness.submit(
        *[harness.job("steps", f"c{i}") for i in range(3)], *[harness.job("steps@light", f"l{i}") for i in range(3)]
    )
    assert sorted(next_ones(harness)) == ["c0", "l0", "l1"]
    assert next_ones(harness) == []


def test_a_stage_waits_for_all_that_it_needs(harness: WorkerHarness) -> None:
    harness.submit(harness.job("steps", "a"), harness.job("steps", "b"), harness.job("steps@light", "c", ["a", "b"]))
    assert next_ones(harness, "light") == []
    assert [run_next(harness, State.SUCCEEDED) for _ in range(2)] == ["a", "b"]
    assert next_ones(harness, "light") == ["c"]


def test_a_paused_queue_starts_nothing_until_it_is_resumed(harness: WorkerHarness) -> None:
    harness.submit(harness.job("steps", "a"), harness.job("steps@light", "b"))
    harness.service.pause("cpu")
    assert harness.service.paused() == ["cpu"]
    assert next_ones(harness) == ["b"]
    harness.service.resume("cpu")
    assert harness.service.paused() == []
    assert next_ones(harness) == ["a"]


def test_an_unknown_queue_is_refused_in_words(harness: WorkerHarness) -> None:
    with pytest.raises(StudioError, match=r"no queue “fast”.*light, cpu, gpu"):
        harness.service.pause("fast")


def test_a_need_must_name_an_earlier_stage(harness: WorkerHarness) -> None:
    with pytest.raises(StudioError, match="Stage “a” needs “b”"):
        harness.submit(harness.job("steps", "a", ["b"]), harness.job("steps", "b"))
    assert harness.store.count_jobs() == 0


def test_the_same_key_makes_one_run(harness: WorkerHarness) -> None:
    first = harness.submit(harness.job("steps", "a"), key="click-1")
    again = harness.submit(harness.job("steps", "a"), key="click-1")
    other = harness.submit(harness.job("steps", "a"), key="click-2")
    assert again.id == first.id != other.id
    assert harness.store.count_jobs() == 2


def test_a_ticket_is_good_for_one_claim(harness: WorkerHarness) -> None:
    harness.submit(harness.job("steps", "a"))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    held = queue.claim(harness.store, ticket, W)
    assert held is not None and held.attempts == 1
    assert queue.claim(harness.store, ticket, "host:0:other") is None


def test_a_holder_that_lost_its_job_writes_nothing(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    old = queue.claim(harness.store, ticket, W)
    assert old is not None
    queue.recover_orphaned(harness.store, {"host:0:other"}, harness.settings.jobs)
    assert queue.claim(harness.store, ticket, "host:0:other") is None
    (again,) = scheduling.dispatch_ready(harness.store, ["cpu"], "host:0:other")
    new = queue.claim(harness.store, again, "host:0:other")
    assert new is not None and new.deaths == 1
    assert queue.update_claimed(harness.store, old, note="from the dead") is False
    queue.finish(harness.store, old, State.SUCCEEDED)
    assert states(harness, run) == {"a": "running"}


def test_cancel_of_a_waiting_job_is_immediate_and_blocks_what_needs_it(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]), harness.job("steps", "c", ["b"]))
    assert harness.service.cancel(run.jobs[1].id).state is State.CANCELLED
    assert states(harness, run) == {"a": "waiting", "b": "cancelled", "c": "blocked"}


def test_cancel_of_a_released_job_makes_its_ticket_void(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    assert harness.service.cancel(run.jobs[0].id).state is State.CANCELLED
    assert queue.claim(harness.store, ticket, W) is None


def test_cancel_of_a_running_job_waits_for_its_live_worker_only(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps@light", "b"))
    tickets = scheduling.dispatch_ready(harness.store, ["cpu", "light"], W)
    for ticket in tickets:
        queue.claim(harness.store, ticket, W)
    assert harness.service.cancel(run.jobs[0].id).state is State.CANCELLED
    heartbeat.register(harness.store, W, ["cpu"])
    assert harness.service.cancel(run.jobs[1].id).state is State.CANCELLING
    assert queue.jobs_to_cancel(harness.store, W) == [run.jobs[1].id]


def test_cancel_leaves_an_ended_job_as_it_is(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    run_next(harness, State.SUCCEEDED)
    assert harness.service.cancel(run.jobs[0].id).state is State.SUCCEEDED


def test_cancel_run_stops_all_that_has_not_ended(harness: WorkerHarness) -> None:
    jobs = [harness.job("steps", "a"), harness.job("steps", "b", ["a"]), harness.job("steps", "c", ["b"])]
    run = harness.submit(*jobs)
    run_next(harness, State.SUCCEEDED)
    assert harness.service.cancel_run(run.id).state is State.CANCELLED
    assert states(harness, run) == {"a": "succeeded", "b": "cancelled", "c": "blocked"}


def test_retry_goes_on_from_the_failed_stage(harness: WorkerHarness) -> None:
    jobs = [harness.job("steps", "a"), harness.job("steps", "b", ["a"]), harness.job("steps", "c", ["b"])]
    run = harness.submit(*jobs, harness.job("steps", "d", ["c"]))
    run_next(harness, State.SUCCEEDED)
    run_next(harness, State.FAILED)
    assert states(harness, run) == {"a": "succeeded", "b": "failed", "c": "blocked", "d": "blocked"}
    view = harness.service.retry(run.jobs[1].id)
    assert (view.state, view.error, view.ended) == (State.WAITING, None, None)
    assert states(harness, run) == {"a": "succeeded", "b": "waiting", "c": "waiting", "d": "waiting"}


def test_retry_of_a_blocked_stage_brings_back_what_it_needs(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]), harness.job("steps", "c", ["b"]))
    run_next(harness, State.FAILED)
    harness.service.retry(run.jobs[2].id)
    assert set(states(harness, run).values()) == {"waiting"}


def test_retry_is_refused_for_running_and_succeeded_jobs(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    with pytest.raises(StudioError, match="is waiting and can't be retried"):
        harness.service.retry(run.jobs[0].id)
    run_next(harness, State.SUCCEEDED)
    with pytest.raises(StudioError, match="has finished"):
        harness.service.retry(run.jobs[0].id)


def die(harness: WorkerHarness, *queues: str) -> list[str]:
    """A worker takes what is ready and dies with it in hand; the stage ids."""
    tickets = scheduling.dispatch_ready(harness.store, queues or ["cpu"], W)
    held = [queue.claim(harness.store, ticket, W) for ticket in tickets]
    queue.recover_orphaned(harness.store, set(), harness.settings.jobs)
    return [job.stage_id for job in held if job]


def test_three_deaths_in_a_row_end_a_job(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]))
    for _ in range(2):
        assert die(harness) == ["a"]
        assert states(harness, run) == {"a": "waiting", "b": "waiting"}
    assert die(harness) == ["a"]
    assert states(harness, run) == {"a": "failed", "b": "blocked"}
    error = harness.service.get(run.jobs[0].id).error
    assert error is not None and sentence(error).startswith("The worker crashed 3 times in a row")


def test_a_job_is_not_blamed_for_its_neighbour(harness: WorkerHarness) -> None:
    run = harness.submit(
        harness.job("steps", "bad"), harness.job("steps@light", "good"), harness.job("steps@light", "late")
    )
    harness.store.update_job(run.jobs[2].id, priority=9)
    harness.store.update_job(run.jobs[0].id, deaths=2)
    harness.store.update_job(run.jobs[1].id, deaths=2)
    assert die(harness, "cpu", "light") == ["bad"]
    assert next_ones(harness) == ["good"]
    assert next_ones(harness) == []
    assert states(harness, run) == {"bad": "failed", "good": "queued", "late": "waiting"}


def test_a_new_checkpoint_forgives_earlier_deaths(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    folder = harness.settings.jobs / run.jobs[0].id / "checkpoints"
    folder.mkdir(parents=True)
    for _ in range(5):
        (folder / "step").touch()
        os.utime(folder / "step", (time.time() + 1, time.time() + 1))
        assert die(harness) == ["a"]
    assert states(harness, run) == {"a": "waiting"}


def test_giving_back_is_no_death(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"))
    for _ in range(4):
        (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
        job = queue.claim(harness.store, ticket, W)
        assert job is not None and job.deaths == 0
        queue.requeue(harness.store, job)
    assert states(harness, run) == {"a": "waiting"}


def test_a_cancel_that_was_asked_before_the_worker_died_holds(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    queue.claim(harness.store, ticket, W)
    harness.store.update_job(run.jobs[0].id, state=State.CANCELLING)
    queue.recover_orphaned(harness.store, set(), harness.settings.jobs)
    assert states(harness, run) == {"a": "cancelled", "b": "blocked"}


@pytest.mark.parametrize("deaths", [0, 2])
def test_a_cancel_that_was_asked_before_the_process_died_holds(harness: WorkerHarness, deaths: int) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]))
    harness.store.update_job(run.jobs[0].id, deaths=deaths)
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    job = queue.claim(harness.store, ticket, W)
    assert job is not None
    harness.store.update_job(job.id, state=State.CANCELLING)
    queue.count_death(harness.store, job, harness.settings.jobs / job.id, JobError(code="jobs.killed"), seconds=3.0)
    assert states(harness, run) == {"a": "cancelled", "b": "blocked"}
    assert harness.service.get(job.id).seconds == 3.0


def test_a_cancel_that_was_asked_before_the_worker_gave_back_holds(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    job = queue.claim(harness.store, ticket, W)
    assert job is not None
    harness.store.update_job(job.id, state=State.CANCELLING)
    queue.requeue(harness.store, job)
    assert states(harness, run) == {"a": "cancelled", "b": "blocked"}


def test_a_released_job_without_workflow_waits_again(harness: WorkerHarness) -> None:
    run = harness.submit(harness.job("steps", "a"), harness.job("steps@light", "b"))
    tickets = scheduling.dispatch_ready(harness.store, ["cpu", "light"], W)
    queue.requeue_lost(harness.store, {tickets[1].workflow})
    kept = harness.service.get(tickets[1].job_id).stage_id
    assert {name for name, state in states(harness, run).items() if state == "queued"} == {kept}


def test_workers_shows_only_live_ones(harness: WorkerHarness) -> None:
    heartbeat.register(harness.store, "host:0:alive", ["cpu"])
    heartbeat.register(harness.store, "host:0:stale", ["cpu"])
    heartbeat.register(harness.store, "host:0:gone", ["cpu"])
    with harness.store.session() as session:
        session.get_one(t.Worker, "host:0:stale").beat = t.now() - timedelta(minutes=5)
        session.get_one(t.Worker, "host:0:gone").pid = 2**22 + 1
    assert [worker.id for worker in harness.service.workers()] == ["host:0:alive"]


def test_a_cancel_of_a_waiting_job_is_taken_back_to_its_place(harness: WorkerHarness) -> None:
    first = harness.submit(harness.job("steps", "a"), harness.job("steps", "b", ["a"]))
    harness.submit(harness.job("steps", "c"))
    harness.service.cancel(first.jobs[0].id)
    assert states(harness, first) == {"a": "cancelled", "b": "blocked"}
    harness.service.undo_cancel(first.jobs[0].id)
    assert states(harness, first) == {"a": "waiting", "b": "waiting"}
    assert next_ones(harness) == ["a"], "it is still the oldest"


def test_a_cancel_that_has_not_arrived_yet_is_taken_back_and_one_that_has_ended_otherwise_is_left(
    harness: WorkerHarness,
) -> None:
    run = harness.submit(harness.job("steps", "a"))
    (ticket,) = scheduling.dispatch_ready(harness.store, ["cpu"], W)
    heartbeat.register(harness.store, W, ["cpu"])
    job = queue.claim(harness.store, ticket, W)
    assert job is not None
    assert harness.service.cancel(job.id).state is State.CANCELLING
    assert harness.service.undo_cancel(job.id).state is State.RUNNING
    queue.requeue(harness.store, job)  # its process had heard of the cancel all the same
    assert states(harness, run) == {"a": "waiting"}
    run_next(harness, State.SUCCEEDED)
    assert harness.service.undo_cancel(job.id).state is State.SUCCEEDED
