"""Small parts that several components draw."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import JobView, RunView, State
from studio.nav import RUN, NavPage
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.formatting import STATES, escape_markdown, progress_line, stage_label, state_label
from studio.ui.shared.i18n import _
from studio.ui.shared.step_names import step_names


def state_badge(state: State) -> None:
    _word, icon, colour = STATES[state]
    st.badge(state_label(state), icon=icon, color=colour)


def progress(job: JobView) -> None:
    """The bar of a job at work; empty until its stage says how much there is to do."""
    share = min(max(job.done / job.total, 0.0), 1.0) if job.total > 0 else 0.0
    st.progress(share, text=progress_line(job))


def back_link(row: NavPage, label: str) -> None:
    page_link(row.path, label=label, icon=":material/arrow_back:")


def run_link(run_id: str) -> None:
    """A real link: it can be opened in another tab and walked back from."""
    number, name = api_cache.run_title(run_id)
    page_link(
        RUN.path,
        label=f"{f'#{number} ' if number else ''}**{escape_markdown(stage_label(name)).strip()}**",
        icon=":material/chevron_right:",
        icon_position="right",
        query_params={"id": run_id},
    )


def run_label(run: RunView) -> str:
    """`#12 Fine-tune`, ready to be drawn."""
    number = f":gray[#{run.number}] " if run.number else ""
    return number + escape_markdown(stage_label(run.name)).strip()


def open_run(run_id: str) -> None:
    """Go to a run's page; call it while drawing, not in a callback."""
    switch_page(RUN.path, query_params={"id": run_id})


def steps_line(run: RunView) -> None:
    """The stages of a run in order, each with its state."""
    names = step_names(run.jobs)
    steps = []
    for job in run.jobs:
        _word, icon, colour = STATES[job.state]
        steps.append(f":{colour}-badge[{icon} {escape_markdown(names[job.stage_id])}]")
    st.markdown(" ".join(steps))


def worker_line() -> None:
    """Whether anything can start now, and how to change that."""
    workers = api_cache.workers()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not workers:
            st.badge(_("No worker"), icon=":material/warning:", color="orange")
            worker_hint()
        for worker in workers:
            st.badge(_("Worker ready"), icon=":material/check_circle:", color="green")
            st.caption(escape_markdown(worker.host), width="content")
        for name in api_cache.paused():
            st.badge(_("Queue {queue} is paused").format(queue=name), icon=":material/pause:", color="orange")


def worker_hint() -> None:
    """How to start a worker, when there is none."""
    if not api_cache.workers():
        words = _("Start a worker with `slmops studio` or `slmops worker`; jobs wait until then.")
        st.markdown(f":small[{words}]", width="content")
