"""The order in which waiting jobs start, and changing it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.core.schemas import JobView, State
from backend.jobs.scheduling import neighbour, start_order, swap_priorities

W, R = State.WAITING, State.RUNNING


def job(name: str, state: State = W, minute: int = 0, *needs: str, queue: str = "cpu", priority: int = 5) -> JobView:
    """`name` is run and stage id: "a1" is stage 1 of run a."""
    created = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    known = {"id": name, "run_id": name[0], "stage_id": name[1:], "needs": list(needs), "state": state}
    return JobView.model_validate(
        {**known, "stage": "finetune", "params": {}, "project": "p", "queue": queue, "priority": priority}
        | {"attempts": 0, "created": created}
    )


def names(jobs: list[JobView]) -> str:
    return " ".join(job.id for job in jobs)


def test_older_runs_first_but_nothing_before_what_it_needs() -> None:
    assert names(start_order([job("b1", minute=1), job("a2", W, 0, "1"), job("a1")])) == "a1 a2 b1"


def test_what_can_start_now_comes_before_what_waits_for_a_running_stage() -> None:
    jobs = [job("a1", R), job("a2", W, 0, "1"), job("b1", W, 1, queue="light"), job("b2", W, 1, "1")]
    assert names(start_order(jobs)) == "b1 a2 b2"


def test_lower_priority_numbers_go_first() -> None:
    assert names(start_order([job("a1"), job("b1", minute=1, priority=4)])) == "b1 a1"


def test_jobs_that_can_never_start_end_the_list() -> None:
    assert names(start_order([job("a1", W, 0, "1"), job("b1", minute=1)])) == "b1 a1"


def after(jobs: list[JobView], job_id: str, step: int) -> str:
    found = swap_priorities(jobs, job_id, step)
    moved = [each.model_copy(update={"priority": found.get(each.id, each.priority)}) for each in jobs]
    later = job("z1", minute=99)
    return names(start_order([later, *moved]))


@pytest.mark.parametrize(
    ("job_id", "step", "expected"),
    [
        ("d1", -1, "a1 b1 d1 c1 z1"),
        ("b1", -1, "b1 a1 c1 d1 z1"),
        ("a1", 1, "b1 a1 c1 d1 z1"),
        ("d1", 1, "a1 b1 c1 d1 z1"),
        ("a1", -1, "a1 b1 c1 d1 z1"),
    ],
)
def test_neighbours_change_places_and_all_else_stays(job_id: str, step: int, expected: str) -> None:
    jobs = [job("a1"), job("b1", minute=1), job("c1", minute=2), job("d1", minute=3)]
    assert after(jobs, job_id, step) == expected


def test_only_jobs_of_the_same_queue_that_do_not_need_each_other_change_places() -> None:
    jobs = [job("a1"), job("a2", W, 0, "1"), job("b1", minute=1, queue="light"), job("c1", minute=2)]
    order = start_order(jobs)
    assert neighbour(order, "a2", -1) is None
    assert neighbour(order, "b1", -1) is None and neighbour(order, "b1", 1) is None
    found = neighbour(order, "a2", 1)
    assert found and found.id == "c1"
    assert after(jobs, "c1", -1) == "a1 b1 c1 a2 z1"


def test_a_queue_that_is_unknown_here_starts_one_at_a_time() -> None:
    jobs = [job("a1", queue="tpu"), job("b1", W, 1, queue="tpu"), job("c1", W, 2)]
    assert names(start_order(jobs)) == "a1 c1 b1"
