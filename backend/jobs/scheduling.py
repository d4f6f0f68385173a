"""In which order waiting jobs will start, and how one of them gets another place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from backend.core.schemas import JobView, State
from backend.jobs.queue import SLOTS

WAITING_STATES = (State.WAITING, State.QUEUED)


def start_order(open_jobs: Sequence[JobView]) -> list[JobView]:
    """The jobs that wait among all that have not ended, in the order in which they will start if all take equally long:
    lowest priority number first, then oldest, none before the stages that it needs, as many at once as a queue has slots.
    Jobs of one run have to be in the order of their run."""
    left = sorted(
        (job for job in open_jobs if job.state in WAITING_STATES), key=lambda job: (job.priority, job.created)
    )
    at_work = [job for job in open_jobs if job.state not in WAITING_STATES]
    order: list[JobView] = []
    while left:
        undone = {(job.run_id, job.stage_id) for job in (*left, *at_work)}
        busy = Counter(job.queue for job in at_work)
        started = []
        for job in left:
            ready = not any((job.run_id, need) in undone for need in job.needs)
            if ready and busy[job.queue] < SLOTS.get(job.queue, 1):
                busy[job.queue] += 1
                started.append(job)
        if not (started or at_work):
            return [*order, *left]
        left = [job for job in left if job not in started]
        order += started
        at_work = started
    return order


def neighbour(order: Sequence[JobView], job_id: str, step: int) -> JobView | None:
    """The job that it would change places with: the next before it (`step` -1) or after it (1) that waits for the same
    queue. None at the end, and where one of the two needs the other."""
    job = next((job for job in order if job.id == job_id), None)
    if job is None:
        return None
    same = [other for other in order if other.queue == job.queue]
    at = same.index(job) + step
    if not 0 <= at < len(same):
        return None
    first, second = (same[at], job) if step < 0 else (job, same[at])
    return None if first.run_id == second.run_id and first.stage_id in second.needs else same[at]


def swap_priorities(open_jobs: Sequence[JobView], job_id: str, step: int) -> dict[str, int]:
    """The priorities that let a job change places with its neighbour and keep everything else in place, by job id. Only
    numbers at the front get lower, so that what is submitted later still comes last."""
    order = start_order(open_jobs)
    other = neighbour(order, job_id, step)
    if other is None:
        return {}
    same = [job for job in order if job.queue == other.queue]
    ids = [job.id for job in same]
    one, two = ids.index(job_id), ids.index(other.id)
    same[one], same[two] = same[two], same[one]
    age = {job.id: at for at, job in enumerate(sorted(open_jobs, key=lambda job: job.created))}
    priorities = {same[-1].id: same[-1].priority}
    for job, after in reversed(list(pairwise(same))):
        limit = priorities[after.id] - (age[job.id] > age[after.id])
        priorities[job.id] = min(job.priority, limit)
    return {job.id: priorities[job.id] for job in same if priorities[job.id] != job.priority}
