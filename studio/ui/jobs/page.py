"""All jobs of all projects: what is at work, what waits for what, and what has ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st

from backend.api.forms import names
from backend.core.schemas import FINISHED, JobView, State
from studio.nav import JOBS, RUN
from studio.ui.jobs.clear_history import clear_history_dialog
from studio.ui.jobs.table import run_table
from studio.ui.settings.queues import queues
from studio.ui.shared import api_cache
from studio.ui.shared.bulk import bulk_bar
from studio.ui.shared.formatting import stage_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.job_card.queue_position import move_buttons, start_order_now, why_waiting
from studio.ui.shared.refresh import refresh_on_change
from studio.ui.shared.widgets import open_run, run_link, worker_line

PAGE = 20
"""Jobs of the history that are shown at first, and those that wait."""
ALL = "all"
ENDED = ("done", "failed", "stopped")
CHOSEN = "history_chosen"
"""Ids of the runs that are selected."""
GROUPS: dict[str, tuple[State, ...]] = {
    "waiting": (State.WAITING, State.QUEUED),
    "running": AT_WORK,
    "done": FINISHED,
    "failed": (State.FAILED,),
    "stopped": (State.CANCELLED, State.BLOCKED),
}


def jobs_page() -> None:
    with api_cache.show_errors():
        _header()
        group, stage, search = _filters()

        def passes(job: JobView) -> bool:
            texts = (api_cache.run_name(job.run_id), job.run_id, job.id, job.stage_id)
            found = any(search.casefold() in text.casefold() for text in texts)
            return found and stage in (ALL, job.stage) and (group == ALL or job.state in GROUPS[group])

        in_drawer = st.query_params.get("job")
        refresh_on_change(lambda jobs: _open([job for job in jobs if passes(job) and job.id != in_drawer]))
        if group not in ("waiting", "running"):
            _history(group if group in ENDED else "", None if stage == ALL else stage, search)
        elif not any(passes(job) for job in api_cache.open_jobs()):
            st.caption(_("No such job."))
        if job_id := st.query_params.get("job"):
            _drawer(job_id)


def _header() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            st.title(_(JOBS.title), anchor=False)
            st.caption(_("What runs, what waits and what has ended, in all projects."))
        with st.container(horizontal=True, width="content"):
            box = st.popover(_("Queues"), icon=":material/tune:", key="queues", on_change="rerun")
            if box.open:
                with box:
                    queues()
            clear_history_dialog()


def _filters() -> tuple[str, str, str]:
    """(group of states, stage, search). They stand in the address as codes; Streamlit's own binding would write words of
    one language there."""
    words = {
        ALL: _("All"),
        "waiting": _("Waiting"),
        "running": _("Running"),
        "done": _("Done"),
        "failed": _("Failed"),
        "stopped": _("Cancelled"),
    }
    stages = [ALL, *names()]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="job_filters"):
        group = st.segmented_control(
            _("State"),
            list(words),
            format_func=words.__getitem__,
            required=True,
            **_bound("state", ALL, words),
            wrap=True,
        )
        stage = st.selectbox(
            _("Stage"),
            stages,
            format_func=lambda name: _("All") if name == ALL else stage_label(name),
            filter_mode=None,
            width=165,
            **_bound("stage", ALL, stages),
        )
        search = st.text_input(
            _("Search"),
            placeholder=_("Name, tag or #number"),
            icon=":material/search:",
            width=190,
            **_bound("search", ""),
        )
    return str(group), str(stage), str(search).strip()


def _bound(key: str, default: str, options: Collection[str] | None = None) -> dict[str, Any]:
    """Arguments of a widget whose value is that of the address."""
    value = st.query_params.get(key, default)
    st.session_state[key] = value if options is None or value in options else default

    def write() -> None:
        if st.session_state[key] == default:
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = st.session_state[key]

    return {"key": key, "on_change": write}


def _open(jobs: list[JobView]) -> None:
    worker_line()
    for job in jobs:
        if job.state in AT_WORK:
            job_card(job)
    order = start_order_now()
    shown = {job.id for job in jobs}
    waiting = [job for job in order if job.id in shown]
    if waiting:
        st.subheader(ngettext("{n} job waits", "{n} jobs wait", len(waiting)), anchor=False)
        with st.container(border=True, key="waiting", gap="xsmall"):
            for job in waiting[:PAGE]:
                _waiting(job, order)
            more = len(waiting) - PAGE
            if more > 0:
                st.caption(ngettext("and {n} more", "and {n} more", more))


def _waiting(job: JobView, order: list[JobView]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown(f"**{stage_label(job.stage)}**", width="content")
            run_link(job.run_id)
            st.caption(why_waiting(job, order), width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            move_buttons(job, order)
            st.button(
                _("Cancel"),
                key=f"cancel_{job.id}",
                icon=":material/close:",
                type="tertiary",
                on_click=api_cache.run_action,
                args=(lambda: api_cache.studio().cancel(job.id),),
            )


def _history(group: str, stage: str | None, search: str) -> None:
    limit = st.session_state.setdefault("history_shown", PAGE)
    found = api_cache.studio().ended_runs(group, stage, search, limit + 1)
    st.subheader(_("History"), anchor=False)
    if not found:
        st.caption(_("Nothing has ended yet.") if not (group or stage or search) else _("No such run."))
        return
    shown = {run.id: run for run in found[:limit]}
    chosen = [id_ for id_ in st.session_state.get(CHOSEN, ()) if id_ in shown]
    names = {id_: f"#{shown[id_].number} {stage_label(shown[id_].name)}" for id_ in chosen}
    bulk_bar("history", names, _choose_none, more=lambda: _compare(chosen))
    clicked = run_table(list(shown.values()), chosen)
    if clicked.chosen is not None:
        st.session_state[CHOSEN] = clicked.chosen
        st.rerun()
    if clicked.run:
        open_run(clicked.run)
    if clicked.job:
        st.query_params["job"] = clicked.job
    if len(found) > limit:
        st.button(_("Show more"), key="more", on_click=_more)


def _compare(chosen: list[str]) -> None:
    """Of two runs the first in the list is the newer one, which is seen against the other."""
    if len(chosen) == 2:
        query = {"id": chosen[0], "with": chosen[1]}
        st.page_link(RUN.path, label=_("Compare"), icon=":material/compare_arrows:", query_params=query)


def _choose_none() -> None:
    st.session_state[CHOSEN] = []


def _more() -> None:
    st.session_state["history_shown"] += PAGE


def _drawer(job_id: str) -> None:
    job = api_cache.studio().job(job_id)

    def draw() -> bool:
        now = api_cache.studio().job(job_id)
        job_card(now)
        return not now.state.ended

    def body() -> None:
        api_cache.auto_refresh(draw, busy=not job.state.ended)

    st.dialog(stage_label(job.stage), width="medium", position="right", on_dismiss=_close)(body)()


def _close() -> None:
    st.query_params.pop("job", None)
