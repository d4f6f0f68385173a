"""One run: its stages in order, each with state, progress, figures, and what went wrong."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import JobView, RunView, State
from studio.nav import JOBS
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.formatting import ago, duration, escape_markdown, quoted_time, run_seconds, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.cancel import cancel_run_button
from studio.ui.shared.job_card.card import job_card
from studio.ui.shared.job_card.queue_position import start_order_now
from studio.ui.shared.project import project_label
from studio.ui.shared.widgets import back_link, state_badge, steps_line

DELETE = "run_delete"


def run_details(run_id: str) -> None:
    if st.session_state.pop("run_deleted", None) == run_id:
        switch_page(JOBS.path)
    back_link(JOBS, _("All jobs"))
    with api_cache.show_errors():
        run = api_cache.one_run(run_id)
        _header(run)
        steps_line(run)
        _open_jobs(run)
        ended = [job for job in run.jobs if job.state.ended]
        for job in sorted(ended, key=lambda job: job.state is not State.FAILED):
            job_card(job, run=False)
        if st.session_state.get(DELETE) == run_id:
            st.dialog(_("Delete the run"), on_dismiss=_end, icon=":material/delete:")(_confirm)(run)


def _open_jobs(run: RunView) -> None:
    """Those that wait or are at work, again and again; the whole page when the state of one changes."""
    seen = _states(run)

    def look() -> bool:
        now = api_cache.one_run(run.id)
        if _states(now) != seen:
            st.rerun()
        active = [job for job in now.jobs if not job.state.ended]
        order = start_order_now()
        for job in sorted(active, key=lambda job: job.state is State.WAITING):
            job_card(job, run=False, order=order)
        return bool(active)

    api_cache.auto_refresh(look, busy=not run.state.ended)


def _states(run: RunView) -> list[tuple[str, State]]:
    return [(job.id, job.state) for job in run.jobs]


def _header(run: RunView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.title(escape_markdown(stage_label(run.name)), anchor=False, width="content")
                state_badge(run.state)
            st.caption(_facts(run))
        with st.container(horizontal=True, gap="small", width="content"):
            _actions(run)


def _facts(run: RunView) -> str:
    """Project, time against the quote, start, id."""
    names = [project_label(each) for each in api_cache.projects() if each.id == run.project]
    quotes = [job.quote for job in run.jobs if job.quote]
    seconds = run_seconds(run)
    times = []
    if run.state.finished and quotes:
        times = [_("{took} (estimated {quoted})").format(took=duration(_took(run.jobs)), quoted=quoted_time(*quotes))]
    elif seconds is not None:
        times = [duration(seconds)]
    elif quotes:
        times = [_("about {time}").format(time=quoted_time(*quotes))]
    return " · ".join([*map(escape_markdown, names), *times, ago(run.created), escape_markdown(run.id)])


def _took(jobs: list[JobView]) -> float:
    """Seconds of work of all stages."""
    return sum(job.seconds or 0.0 for job in jobs)


def _actions(run: RunView) -> None:
    if not run.state.ended:
        cancel_run_button(run)
    st.download_button(
        _("Save as recipe"),
        lambda: api_cache.studio().recipe_of(run.id),
        file_name=f"{run.name}.yaml",
        mime="application/yaml",
        key="recipe",
        icon=":material/download:",
        on_click="ignore",
    )
    if run.state.ended:
        st.button(
            _("Delete the run"),
            key="delete_run",
            icon=":material/delete:",
            on_click=st.session_state.__setitem__,
            args=(DELETE, run.id),
        )


def _end() -> None:
    st.session_state.pop(DELETE, None)


def _confirm(run: RunView) -> None:
    if st.session_state.get(DELETE) != run.id:  # done or cancelled within the dialog
        st.rerun()
    st.markdown(_("Removes the run with its logs and curves. What it made stays."))
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="delete_no", on_click=_end)
        st.button(_("Delete"), key="delete_yes", type="primary", on_click=_delete, args=(run.id,))


def _delete(run_id: str) -> None:
    def delete() -> None:
        api_cache.studio().delete_run(run_id)
        st.session_state["run_deleted"] = run_id

    api_cache.run_action(delete)
    _end()
