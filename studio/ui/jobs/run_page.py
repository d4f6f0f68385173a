"""One run: what it is called, what came out, how its stages hang together, and each stage in one line that opens."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import ArtifactView, RunView, State
from studio.nav import JOBS
from studio.ui.jobs.run_compare import comparison, other_run
from studio.ui.jobs.run_curves import curves
from studio.ui.jobs.run_graph import run_graph
from studio.ui.jobs.run_header import in_trash, run_actions, run_header
from studio.ui.jobs.run_rerun import rerun_dialog
from studio.ui.jobs.run_results import inputs_and_outputs, key_figures
from studio.ui.jobs.run_stages import open_stage, stage_lines
from studio.ui.shared import api_cache
from studio.ui.shared.address import switch_page
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.run_findings import run_findings
from studio.ui.shared.widgets import back_link


def run_details(run_id: str, with_id: str = "") -> None:
    """`with_id`: another run to compare it with."""
    if st.session_state.pop("run_deleted", None) == run_id:
        switch_page(JOBS.path)
    back_link(JOBS, _("All jobs"))
    with api_cache.show_errors():
        if not run_id:
            st.title(_("Run"), anchor=False)
            st.caption(_("Choose a run on the Jobs page."))
            return
        run = api_cache.one_run(run_id)
        known = {view.id: view for view in api_cache.artifacts()}
        if run.trashed:
            in_trash(run)
            return
        _page(run, known, with_id)


def _page(run: RunView, known: dict[str, ArtifactView], with_id: str) -> None:
    run_header(run)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_actions"):
        run_actions(run)
        st.space("stretch")
        other = other_run(run, with_id)
    key_figures(run, known)
    if len(run.jobs) > 1:  # the card of a single job says them itself
        run_findings(run)
    if other:
        comparison(run, other, known)
    _at_work(run)
    if len(run.jobs) > 1:
        open_stage(run_graph(run, known))
    stage_lines(run, known)
    curves([run, other] if other else [run])
    inputs_and_outputs(run, known)
    rerun_dialog(run)


def _at_work(run: RunView) -> None:
    """Those that are at work, again and again; the whole page when the state of a stage changes."""
    seen = _states(run)

    def look() -> bool:
        now = api_cache.one_run(run.id)
        if _states(now) != seen:
            api_cache.clear_caches()
            st.rerun()
        for job in now.jobs:
            if job.state in AT_WORK:
                job_card(job, run=False)
        return not now.state.ended

    api_cache.auto_refresh(look, busy=not run.state.ended)


def _states(run: RunView) -> list[tuple[str, State]]:
    return [(job.id, job.state) for job in run.jobs]
