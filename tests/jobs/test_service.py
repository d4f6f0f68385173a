"""The rules of the queue without any process: the worker's part is played by the functions that it calls."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import JobError, RunView, State
from backend.db import tables as t
from backend.jobs import heartbeat, queue
from backend.process.explain import sentence
from tests.jobs.farm import Farm

W = "host:0:me"


def next_ones(farm: Farm, *queues: str) -> list[str]:
    """The stage ids that are released now."""
    tickets = queue.release_ready(farm.store, queues or ("cpu", "light"), W)
    return [farm.service.get(ticket.job_id).stage_id for ticket in tickets]


def run_next(farm: Farm, state: State) -> str:
    """Claim what is released next and end it as `state`; its stage id."""
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    job = queue.claim(farm.store, ticket, W)
    assert job is not None
    error = JobError(code="core.memory_out") if state is State.FAILED else None
    queue.finish(farm.store, job, state, error)
    return job.stage_id


def states(farm: Farm, run: RunView) -> dict[str, str]:
    return {job.stage_id: job.state.value for job in farm.service.run(run.id).jobs}


def test_order_is_priority_then_age_then_position(farm: Farm) -> None:
    farm.submit(farm.job("steps", "old5"), farm.job("steps", "old5b"))
    farm.submit(farm.job("steps", "p9", priority=9), farm.job("steps", "p1", priority=1))
    assert [run_next(farm, State.SUCCEEDED) for _ in range(4)] == ["p1", "old5", "old5b", "p9"]


def test_reprioritize_moves_a_waiting_job_ahead(farm: Farm) -> None:
    farm.submit(farm.job("steps", "a"))
    late = farm.submit(farm.job("steps", "b"))
    assert farm.service.reprioritize(late.jobs[0].id, 1).priority == 1
    assert run_next(farm, State.SUCCEEDED) == "b"


def test_slots_bound_what_is_released_per_queue(farm: Farm) -> None:
    farm.submit(*[farm.job("steps", f"c{i}") for i in range(3)], *[farm.job("steps@light", f"l{i}") for i in range(3)])
    assert sorted(next_ones(farm)) == ["c0", "l0", "l1"]
    assert next_ones(farm) == []


def test_a_stage_waits_for_all_that_it_needs(farm: Farm) -> None:
    farm.submit(farm.job("steps", "a"), farm.job("steps", "b"), farm.job("steps@light", "c", ["a", "b"]))
    assert next_ones(farm, "light") == []
    assert [run_next(farm, State.SUCCEEDED) for _ in range(2)] == ["a", "b"]
    assert next_ones(farm, "light") == ["c"]


def test_a_paused_queue_starts_nothing_until_it_is_resumed(farm: Farm) -> None:
    farm.submit(farm.job("steps", "a"), farm.job("steps@light", "b"))
    farm.service.pause("cpu")
    assert farm.service.paused() == ["cpu"]
    assert next_ones(farm) == ["b"]
    farm.service.resume("cpu")
    assert farm.service.paused() == []
    assert next_ones(farm) == ["a"]


def test_an_unknown_queue_is_refused_in_words(farm: Farm) -> None:
    with pytest.raises(StudioError, match=r"no queue “fast”.*light, cpu, gpu"):
        farm.service.pause("fast")


def test_a_need_must_name_an_earlier_stage(farm: Farm) -> None:
    with pytest.raises(StudioError, match="Stage “a” needs “b”"):
        farm.submit(farm.job("steps", "a", ["b"]), farm.job("steps", "b"))
    assert farm.store.count_jobs() == 0


def test_the_same_key_makes_one_run(farm: Farm) -> None:
    first = farm.submit(farm.job("steps", "a"), key="click-1")
    again = farm.submit(farm.job("steps", "a"), key="click-1")
    other = farm.submit(farm.job("steps", "a"), key="click-2")
    assert again.id == first.id != other.id
    assert farm.store.count_jobs() == 2


def test_a_ticket_is_good_for_one_claim(farm: Farm) -> None:
    farm.submit(farm.job("steps", "a"))
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    held = queue.claim(farm.store, ticket, W)
    assert held is not None and held.attempts == 1
    assert queue.claim(farm.store, ticket, "host:0:other") is None


def test_a_holder_that_lost_its_job_writes_nothing(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    old = queue.claim(farm.store, ticket, W)
    assert old is not None
    queue.take_back(farm.store, {"host:0:other"}, farm.settings.jobs)
    assert queue.claim(farm.store, ticket, "host:0:other") is None
    (again,) = queue.release_ready(farm.store, ["cpu"], "host:0:other")
    new = queue.claim(farm.store, again, "host:0:other")
    assert new is not None and new.deaths == 1
    assert queue.write(farm.store, old, note="from the dead") is False
    queue.finish(farm.store, old, State.SUCCEEDED)
    assert states(farm, run) == {"a": "running"}


def test_cancel_of_a_waiting_job_is_immediate_and_blocks_what_needs_it(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]), farm.job("steps", "c", ["b"]))
    assert farm.service.cancel(run.jobs[1].id).state is State.CANCELLED
    assert states(farm, run) == {"a": "waiting", "b": "cancelled", "c": "blocked"}


def test_cancel_of_a_released_job_makes_its_ticket_void(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    assert farm.service.cancel(run.jobs[0].id).state is State.CANCELLED
    assert queue.claim(farm.store, ticket, W) is None


def test_cancel_of_a_running_job_waits_for_its_live_worker_only(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps@light", "b"))
    tickets = queue.release_ready(farm.store, ["cpu", "light"], W)
    for ticket in tickets:
        queue.claim(farm.store, ticket, W)
    assert farm.service.cancel(run.jobs[0].id).state is State.CANCELLED
    heartbeat.enter(farm.store, W, ["cpu"])
    assert farm.service.cancel(run.jobs[1].id).state is State.CANCELLING
    assert queue.cancelling(farm.store, W) == [run.jobs[1].id]


def test_cancel_leaves_an_ended_job_as_it_is(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    run_next(farm, State.SUCCEEDED)
    assert farm.service.cancel(run.jobs[0].id).state is State.SUCCEEDED


def test_cancel_run_stops_all_that_has_not_ended(farm: Farm) -> None:
    jobs = [farm.job("steps", "a"), farm.job("steps", "b", ["a"]), farm.job("steps", "c", ["b"])]
    run = farm.submit(*jobs)
    run_next(farm, State.SUCCEEDED)
    assert farm.service.cancel_run(run.id).state is State.CANCELLED
    assert states(farm, run) == {"a": "succeeded", "b": "cancelled", "c": "blocked"}


def test_retry_goes_on_from_the_failed_stage(farm: Farm) -> None:
    jobs = [farm.job("steps", "a"), farm.job("steps", "b", ["a"]), farm.job("steps", "c", ["b"])]
    run = farm.submit(*jobs, farm.job("steps", "d", ["c"]))
    run_next(farm, State.SUCCEEDED)
    run_next(farm, State.FAILED)
    assert states(farm, run) == {"a": "succeeded", "b": "failed", "c": "blocked", "d": "blocked"}
    view = farm.service.retry(run.jobs[1].id)
    assert (view.state, view.error, view.ended) == (State.WAITING, None, None)
    assert states(farm, run) == {"a": "succeeded", "b": "waiting", "c": "waiting", "d": "waiting"}


def test_retry_of_a_blocked_stage_brings_back_what_it_needs(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]), farm.job("steps", "c", ["b"]))
    run_next(farm, State.FAILED)
    farm.service.retry(run.jobs[2].id)
    assert set(states(farm, run).values()) == {"waiting"}


def test_retry_is_refused_for_running_and_succeeded_jobs(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    with pytest.raises(StudioError, match="is waiting and can't be retried"):
        farm.service.retry(run.jobs[0].id)
    run_next(farm, State.SUCCEEDED)
    with pytest.raises(StudioError, match="has finished"):
        farm.service.retry(run.jobs[0].id)


def die(farm: Farm, *queues: str) -> list[str]:
    """A worker takes what is ready and dies with it in hand; the stage ids."""
    tickets = queue.release_ready(farm.store, queues or ["cpu"], W)
    held = [queue.claim(farm.store, ticket, W) for ticket in tickets]
    queue.take_back(farm.store, set(), farm.settings.jobs)
    return [job.stage_id for job in held if job]


def test_three_deaths_in_a_row_end_a_job(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]))
    for _ in range(2):
        assert die(farm) == ["a"]
        assert states(farm, run) == {"a": "waiting", "b": "waiting"}
    assert die(farm) == ["a"]
    assert states(farm, run) == {"a": "failed", "b": "blocked"}
    error = farm.service.get(run.jobs[0].id).error
    assert error is not None and sentence(error).startswith("The worker died 3 times in a row")


def test_a_job_is_not_blamed_for_its_neighbour(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "bad"), farm.job("steps@light", "good"), farm.job("steps@light", "late"))
    farm.store.update_job(run.jobs[2].id, priority=9)
    farm.store.update_job(run.jobs[0].id, deaths=2)
    farm.store.update_job(run.jobs[1].id, deaths=2)
    assert die(farm, "cpu", "light") == ["bad"]
    assert next_ones(farm) == ["good"]
    assert next_ones(farm) == []
    assert states(farm, run) == {"bad": "failed", "good": "queued", "late": "waiting"}


def test_a_new_checkpoint_forgives_earlier_deaths(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    folder = farm.settings.jobs / run.jobs[0].id / "checkpoints"
    folder.mkdir(parents=True)
    for _ in range(5):
        (folder / "step").touch()
        os.utime(folder / "step", (time.time() + 1, time.time() + 1))
        assert die(farm) == ["a"]
    assert states(farm, run) == {"a": "waiting"}


def test_giving_back_is_no_death(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"))
    for _ in range(4):
        (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
        job = queue.claim(farm.store, ticket, W)
        assert job is not None and job.deaths == 0
        queue.hand_back(farm.store, job)
    assert states(farm, run) == {"a": "waiting"}


def test_a_cancel_that_was_asked_before_the_worker_died_holds(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]))
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    queue.claim(farm.store, ticket, W)
    farm.store.update_job(run.jobs[0].id, state=State.CANCELLING)
    queue.take_back(farm.store, set(), farm.settings.jobs)
    assert states(farm, run) == {"a": "cancelled", "b": "blocked"}


@pytest.mark.parametrize("deaths", [0, 2])
def test_a_cancel_that_was_asked_before_the_process_died_holds(farm: Farm, deaths: int) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]))
    farm.store.update_job(run.jobs[0].id, deaths=deaths)
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    job = queue.claim(farm.store, ticket, W)
    assert job is not None
    farm.store.update_job(job.id, state=State.CANCELLING)
    queue.count_death(farm.store, job, farm.settings.jobs / job.id, JobError(code="jobs.killed"), seconds=3.0)
    assert states(farm, run) == {"a": "cancelled", "b": "blocked"}
    assert farm.service.get(job.id).seconds == 3.0


def test_a_cancel_that_was_asked_before_the_worker_gave_back_holds(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps", "b", ["a"]))
    (ticket,) = queue.release_ready(farm.store, ["cpu"], W)
    job = queue.claim(farm.store, ticket, W)
    assert job is not None
    farm.store.update_job(job.id, state=State.CANCELLING)
    queue.hand_back(farm.store, job)
    assert states(farm, run) == {"a": "cancelled", "b": "blocked"}


def test_a_released_job_without_workflow_waits_again(farm: Farm) -> None:
    run = farm.submit(farm.job("steps", "a"), farm.job("steps@light", "b"))
    tickets = queue.release_ready(farm.store, ["cpu", "light"], W)
    queue.requeue_lost(farm.store, {tickets[1].workflow})
    kept = farm.service.get(tickets[1].job_id).stage_id
    assert {name for name, state in states(farm, run).items() if state == "queued"} == {kept}


def test_workers_shows_only_live_ones(farm: Farm) -> None:
    heartbeat.enter(farm.store, "host:0:alive", ["cpu"])
    heartbeat.enter(farm.store, "host:0:stale", ["cpu"])
    heartbeat.enter(farm.store, "host:0:gone", ["cpu"])
    with farm.store.session() as session:
        session.get_one(t.Worker, "host:0:stale").beat = t.now() - timedelta(minutes=5)
        session.get_one(t.Worker, "host:0:gone").pid = 2**22 + 1
    assert [worker.id for worker in farm.service.workers()] == ["host:0:alive"]
