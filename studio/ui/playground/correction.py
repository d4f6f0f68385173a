"""“Correct”: what a model should have said becomes a row of the next version of a dataset."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import Kind
from studio.nav import DATA
from studio.ui.forms.pickers import label
from studio.ui.playground.chats import Answer, Turn
from studio.ui.shared import api_cache, scope
from studio.ui.shared.i18n import _


def correction_box(turn: Turn, answer: Answer) -> None:
    """Only for a message that stands alone: a row has no earlier messages. Not for validation rows."""
    alone = sum(message["role"] == "user" for message in answer.messages) == 1
    held = {view.id: label(view) for view in scope.own((Kind.DATASET,)) if view.facts.get("rows", {}).get("train")}
    if not (answer.done and alone and held) or turn.expected is not None:
        return
    key = f"pg_correct_{answer.model}"
    with st.popover(_("Correct"), icon=":material/edit:", key=key, type="tertiary"):
        # In a form, since the box alone would ask for Ctrl+Enter, and in English.
        with st.form(f"{key}_form", border=False, enter_to_submit=False):
            st.selectbox(_("Dataset"), list(held), format_func=lambda id_: held.get(id_, id_), key=f"{key}_data")
            st.text_area(_("Correct answer"), answer.text, key=f"{key}_text_{answer.begun}")
            st.form_submit_button(
                _("Add row"),
                key=f"{key}_add",
                on_click=api_cache.run_action,
                args=(lambda: _add(turn.input, f"{key}_data", f"{key}_text_{answer.begun}"),),
            )


def _add(asked: str, data: str, text: str) -> None:
    api_cache.studio().edits.correct(st.session_state[data], asked, st.session_state[text])
    st.toast(_("Added. The page {page} saves it as the next version.").format(page=_(DATA.title)))
