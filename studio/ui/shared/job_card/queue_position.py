"""Why a job waits, and its place in the queue."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.api.queue import neighbour, start_order
from backend.core.schemas import JobView, State
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.step_names import step_names


def start_order_now() -> list[JobView]:
    """The jobs that wait, as they will start."""
    return start_order(api_cache.open_jobs())


def why_waiting(job: JobView, order: Sequence[JobView]) -> str:
    """`Waits for Fine-tune`, `Number 2 in the queue`, or what keeps the whole queue, in a few words. `order`: all that is
    `upcoming`, worked out once for all that is drawn."""
    ahead = {other.stage_id: other for other in api_cache.open_jobs() if other.run_id == job.run_id}
    needed = next((ahead[need] for need in job.needs if need in ahead), None)
    if needed:
        return _("Waiting for {stage}").format(stage=job_label(needed))
    workers = api_cache.workers()
    if not workers:
        return _("No worker is running")
    if not any(job.queue in worker.queues for worker in workers):
        return _("No worker for queue {queue}").format(queue=job.queue)
    if job.queue in api_cache.paused():
        return _("Queue {queue} is paused").format(queue=job.queue)
    if job.state is State.QUEUED:
        return _("Starting now")
    ids = [other.id for other in order if other.queue == job.queue]
    place = ids.index(job.id) + 1 if job.id in ids else 1
    return _("Next in the queue") if place == 1 else _("No. {n} in queue").format(n=place)


def job_label(job: JobView) -> str:
    """Its stage, with what it works on where its run has several of them; escaped."""
    return escape_markdown(step_names(api_cache.one_run(job.run_id).jobs).get(job.stage_id, stage_label(job.stage)))


def move_buttons(job: JobView, order: Sequence[JobView]) -> None:
    """Earlier and later, for a job that waits. `order`: as in `why_waiting`."""
    for step, icon, label in (
        (-1, ":material/arrow_upward:", _("Move up")),
        (1, ":material/arrow_downward:", _("Move down")),
    ):
        st.button(
            label,
            key=f"move_{step}_{job.id}",
            icon=icon,
            help=label,
            type="tertiary",
            disabled=neighbour(order, job.id, step) is None,
            on_click=api_cache.run_action,
            args=(lambda step=step: api_cache.studio().jobs.move(job.id, step),),
        )
