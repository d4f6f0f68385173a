"""The question before old runs are removed from the history."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import StudioError
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.undo import offer_undo

OPEN, FAILED, DAYS = "clearing", "clearing_failed", "clearing_days"


def clear_history_dialog() -> None:
    """The button, and the dialog while it is open."""
    st.button(_("Clear history"), key="clear", icon=":material/delete_sweep:", on_click=_begin)
    if st.session_state.get(OPEN):
        st.dialog(_("Clear history"), on_dismiss=_end, icon=":material/delete_sweep:")(_confirm)()


def _begin() -> None:
    st.session_state[OPEN] = True
    st.session_state.pop(FAILED, None)


def _end() -> None:
    st.session_state.pop(OPEN, None)


def _confirm() -> None:
    if not st.session_state.get(OPEN):  # done or cancelled within the dialog
        st.rerun()
    st.markdown(_("Moves runs, logs and curves to the trash. Their results are kept."))
    days = st.number_input(_("Minimum age in days"), 0, 3650, 30, key=DAYS)
    runs = api_cache.studio().jobs.old_runs(days)
    st.caption(ngettext("{n} run will be removed.", "{n} runs will be removed.", len(runs)))
    if st.session_state.get(FAILED):
        st.error(message_markdown(st.session_state[FAILED]), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="clear_no", on_click=_end)
        st.button(_("Remove"), key="clear_yes", type="primary", disabled=not runs, on_click=_clear, args=(runs,))


def _clear(runs: list[str]) -> None:
    try:
        names = [api_cache.run_name(run) for run in runs]
        offer_undo(names, api_cache.studio().delete_all(runs))
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)
        return
    finally:
        api_cache.clear_caches()
    _end()
