"""What stopped a run, and the way on: repairs of its data in one click, or the same steps again."""

from __future__ import annotations

import streamlit as st

from backend.api.data_checks import FIX_TITLES, read_check
from backend.api.guide import again_with, can_repair
from backend.core.errors import Problem
from backend.core.schemas import RunView, State
from backend.results.run_result import RunResult
from studio.nav import DATA, RESULT, RUN
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.formatting import message_markdown, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project

NEEDS_ROWS = "drop_rows"
_GO = "result_go"


def mend(run: RunView, result: RunResult) -> None:
    if made := st.session_state.pop(_GO, None):
        switch_page(RESULT.path, query_params={"run": made})
    job = result.failed
    if job is None:
        if run.state is State.CANCELLED:
            st.warning(_("The run was cancelled before its last step."), icon=":material/block:")
        return
    with st.container(border=True, key="result_failed", gap="small"):
        st.markdown(f":red[:material/error:] **{_('{stage} failed').format(stage=stage_label(job.stage))}**")
        if job.stage == "check_data" and result.checks:
            _data_not_ready(run, result.checks.id)
            return
        if job.error:
            st.markdown(message_markdown(Problem(code=job.error.code, args=job.error.args).text(_)))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                _("Retry"),
                key="result_retry",
                icon=":material/refresh:",
                on_click=api_cache.run_action,
                args=(lambda: api_cache.studio().retry(job.id),),
            )
            page_link(RUN.path, label=_("Show the log"), icon=RUN.icon, query_params={"id": run.id})


def _data_not_ready(run: RunView, report: str) -> None:
    """Its findings, each with what takes it away; nothing was trained."""
    found = read_check(api_cache.studio(), report)
    errors = [each for each in found.card.findings if each.severity == "error" and not each.accepted]
    st.markdown(_("The data is not ready, so nothing was trained:"))
    for finding in errors:
        st.markdown(f"- {message_markdown(finding.problem.fact(_))}")
    fixes = [each.fix for each in errors if each.fix and each.fix != NEEDS_ROWS]
    possible = can_repair(api_cache.studio(), run.id)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if possible and fixes and len(fixes) == len(errors):
            label = _("{fixes} and train").format(fixes=", ".join(_(FIX_TITLES[fix]) for fix in fixes))
            st.button(
                label,
                key="result_repair",
                icon=":material/build:",
                type="primary",
                on_click=_again,
                args=(run.id, tuple(fixes), ()),
            )
        if possible:
            with st.popover(_("Train anyway"), icon=":material/done:", key="result_accept_box"):
                reason = st.text_input(_("Reason to accept"), key="result_reason", max_chars=300)
                accepted = tuple({"gate": each.gate, "reason": (reason or "").strip()} for each in errors)
                st.button(
                    _("Accept with this reason"),
                    key="result_accept",
                    type="primary",
                    disabled=not (reason or "").strip(),
                    on_click=_again,
                    args=(run.id, (), accepted),
                )
        page_link(DATA.path, label=_("View rows"), icon=DATA.icon, query_params={"data": found.data})


def _again(run_id: str, fixes: tuple[str, ...], accepted: tuple[dict[str, str], ...]) -> None:
    """Callback: the same recipe, repaired, as a new run whose page opens."""

    def start() -> None:
        made = again_with(api_cache.studio(), run_id, fixes, accepted, project().name)
        st.session_state[_GO] = made.id

    api_cache.run_action(start)
