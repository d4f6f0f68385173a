"""A run of several stages again, with changed parameters: the ones that were changed before are at hand, any other is in the
recipe."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import RunView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, escape_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.widgets import open_run

OPEN, FAILED, STARTED, TEXT = "rerun_open", "rerun_failed", "rerun_started", "rerun_recipe"


def begin(run_id: str) -> None:
    """Callback: the dialog opens in the run that follows."""
    st.session_state[OPEN] = run_id
    st.session_state.pop(FAILED, None)
    st.session_state.pop(TEXT, None)


def rerun_dialog(run: RunView) -> None:
    if started := st.session_state.pop(STARTED, None):
        open_run(started)
    if st.session_state.get(OPEN) == run.id:
        st.dialog(_("Edit and rerun"), width="large", on_dismiss=_end, icon=":material/replay:")(_body)(run)


def _end() -> None:
    st.session_state.pop(OPEN, None)


def _body(run: RunView) -> None:
    if st.session_state.get(OPEN) != run.id:  # started or closed within the dialog
        st.rerun()
    st.caption(_("The recipe of this run. Change parameters, add or remove stages, then start it as a new run."))
    st.session_state.setdefault(TEXT, api_cache.studio().recipe_of(run.id))
    st.text_area(_("Recipe"), key=TEXT, height=420, label_visibility="collapsed")
    for line in st.session_state.get(FAILED, "").splitlines():
        st.error(escape_markdown(line), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        st.button(_("Cancel"), key="rerun_no", on_click=_end)
        st.button(
            _("Start"), key="rerun_yes", type="primary", icon=":material/play_arrow:", on_click=_start, args=(run,)
        )


def _start(run: RunView) -> None:
    studio = api_cache.studio()
    try:
        plan = studio.plan_again(run.id, st.session_state[TEXT])
        project = next(each.name for each in api_cache.projects() if each.id == run.project)
        st.session_state[STARTED] = studio.start(plan, project=project).id
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)
        return
    seconds = sum((step.quote.seconds for step in plan.steps if step.quote), 0.0)
    st.toast(_("Started, about {time}.").format(time=duration(seconds)))
    api_cache.clear_caches()
    _end()
