"""The jobs of the project: what is at work, what waits for what, and what has ended; in a fold those of others."""

from __future__ import annotations

import streamlit as st

from backend.api.forms import names
from backend.core.schemas import FINISHED, JobView, RunView, State
from studio.nav import JOBS, RUN
from studio.ui.jobs.clear_history import clear_history_dialog
from studio.ui.jobs.import_olive import import_olive_dialog
from studio.ui.jobs.table import run_table
from studio.ui.settings.queues import queues
from studio.ui.shared import address, api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.bulk import bulk_bar
from studio.ui.shared.formatting import stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.job_card.queue_position import start_order_now
from studio.ui.shared.job_card.waiting import waiting_rows
from studio.ui.shared.project import project
from studio.ui.shared.refresh import refresh_on_change
from studio.ui.shared.widgets import open_run, worker_line

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
        refresh_on_change(
            lambda jobs: _open([job for job in scope.split_jobs(jobs)[0] if passes(job) and job.id != in_drawer])
        )
        if group not in ("waiting", "running"):
            _history(group if group in ENDED else "", None if stage == ALL else stage, search)
        elif not any(passes(job) for job in scope.split_jobs(api_cache.open_jobs())[0]):
            st.caption(_("No matching jobs."))
        _others(group if group in ENDED else "", None if stage == ALL else stage, search)
        if job_id := st.query_params.get("job"):
            _drawer(job_id)


def _header() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            st.title(_(JOBS.title), anchor=False)
            st.caption(_("Running, queued and finished jobs of this project."))
        with st.container(horizontal=True, width="content"):
            box = st.popover(_("Queues"), icon=":material/tune:", key="queues", on_change="rerun")
            if box.open:
                with box:
                    queues()
            import_olive_dialog()
            clear_history_dialog()


def _filters() -> tuple[str, str, str]:
    """(group of states, stage, search), as the address says."""
    words = {
        ALL: _("All"),
        "waiting": _("Waiting"),
        "running": _("Running"),
        "done": _("Done"),
        "failed": _("Failed"),
        "stopped": _("Cancelled"),
    }
    stages = [ALL, *names()]
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="job_filters"):
        group = st.segmented_control(
            _("State"),
            list(words),
            format_func=words.__getitem__,
            required=True,
            **address.bound("state", ALL, words),
            wrap=True,
        )
        stage = st.selectbox(
            _("Stage"),
            stages,
            format_func=lambda name: _("All stages") if name == ALL else stage_label(name),
            filter_mode=None,
            width=165,
            **address.bound("stage", ALL, stages),
        )
        search = st.text_input(
            _("Search"),
            placeholder=_("Name, tag or #number"),
            icon=":material/search:",
            width=190,
            **address.bound("search", ""),
        )
    return str(group), str(stage), str(search).strip()


def _open(jobs: list[JobView]) -> None:
    worker_line()
    for job in jobs:
        if job.state in AT_WORK:
            job_card(job)
    waiting_rows({job.id for job in jobs}, start_order_now(), PAGE, hint=False)  # the first line has it


def _history(group: str, stage: str | None, search: str) -> None:
    limit = st.session_state.setdefault("history_shown", PAGE)
    found = api_cache.studio().ended_runs(group, stage, search, limit + 1, project().id)
    st.header(_("History"), anchor=False)
    if not found:
        st.caption(_("No finished jobs yet.") if not (group or stage or search) else _("No matching runs."))
        return
    _table(found[:limit])
    if len(found) > limit:
        st.button(_("Show more"), key="more", on_click=_more)


def _others(group: str, stage: str | None, search: str) -> None:
    """The newest runs of other projects, looked up only when the fold is open."""
    if len(api_cache.projects()) < 2:
        return
    box = st.expander(_("From other projects"), key="others_jobs", icon=":material/folder_shared:", on_change="rerun")
    if not box.open:
        return
    with box:
        found = api_cache.studio().ended_runs(group, stage, search, PAGE, project().id, others=True)
        if found:
            _table(found, "others")
        else:
            st.caption(_("No matching runs."))


def _table(runs: list[RunView], key: str = "history") -> None:
    shown = {run.id: run for run in runs}
    chosen = [id_ for id_ in st.session_state.get(CHOSEN, ()) if id_ in shown]
    names = {id_: f"#{shown[id_].number} {stage_label(shown[id_].name)}" for id_ in chosen}
    bulk_bar(key, names, _choose_none, more=lambda: _compare(chosen))
    clicked = run_table(runs, chosen, key)
    if clicked.chosen is not None:
        kept = [id_ for id_ in st.session_state.get(CHOSEN, ()) if id_ not in shown]
        st.session_state[CHOSEN] = [*kept, *clicked.chosen]
        st.rerun()
    if clicked.run:
        open_run(clicked.run)
    if clicked.job:
        st.query_params["job"] = clicked.job


def _compare(chosen: list[str]) -> None:
    """Of two runs the first in the list is the newer one, which is seen against the other."""
    if len(chosen) == 2:
        query = {"id": chosen[0], "with": chosen[1]}
        page_link(RUN.path, label=_("Compare"), icon=":material/compare_arrows:", query_params=query)


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
