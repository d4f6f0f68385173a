"""Which waiting job starts next, in which order the others will, and how one of them gets another place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.core.schemas import FINISHED, JobView, State
from backend.db import Store
from backend.db import tables as t
from backend.jobs.queue import MAX_DEATHS, SLOTS, Ticket

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


def dispatch_ready(
    store: Store,
    queues: Collection[str],
    worker: str,
    slots: Mapping[str, int] = SLOTS,
    slots_of: Callable[[t.Job], int] = lambda job: 1,
) -> list[Ticket]:
    """Set `queued` the jobs that may start now (earlier stages succeeded, queue not paused, as many slots free as it takes):
    lowest priority number first, then oldest, then position. One that waits for several slots is not overtaken. The caller
    hands each ticket to a worker.

    The last try of a job that died before runs alone, so that no job is blamed for what its neighbour does."""
    with store.session() as session:
        active = session.scalars(
            select(t.Job).where(t.Job.state.in_([State.WAITING, State.QUEUED, State.RUNNING, State.CANCELLING]))
        ).all()
        waiting = [job for job in active if job.state == State.WAITING and job.queue in queues]
        if not waiting:
            return []
        paused = set(session.scalars(select(t.QueueState.name).where(t.QueueState.paused)))
        states = _states(session, {job.run_id for job in waiting})
    mine = [job for job in active if job.state != State.WAITING and job.worker in (None, worker)]
    free = {name: slots[name] - sum(slots_of(job) for job in mine if job.queue == name) for name in queues}
    alone = any(_last_try(job) for job in mine)
    tickets: list[Ticket] = []
    for job in sorted(waiting, key=lambda job: (job.priority, job.created, job.position)):
        ready = all(states.get((job.run_id, need)) in FINISHED for need in job.needs)
        if not ready or free[job.queue] <= 0 or job.queue in paused:
            continue
        if alone or (_last_try(job) and (mine or tickets)):
            break
        if (takes := slots_of(job)) > free[job.queue]:
            free[job.queue] = 0
            continue
        ticket = Ticket(job.id, job.dispatch + 1, job.queue)
        if store.update_job(job.id, only=[State.WAITING], state=State.QUEUED, dispatch=ticket.dispatch, worker=None):
            free[job.queue] -= takes
            tickets.append(ticket)
            alone = _last_try(job)
    return tickets


def _last_try(job: t.Job) -> bool:
    return job.deaths == MAX_DEATHS - 1


def _states(session: Session, runs: set[str]) -> dict[tuple[str, str], str]:
    rows = session.execute(select(t.Job.run_id, t.Job.stage_id, t.Job.state).where(t.Job.run_id.in_(runs)))
    return {(run, stage_id): state for run, stage_id, state in rows}
