"""Ask the model of a run on its result page, in the way of the playground."""

from __future__ import annotations

import streamlit as st

from backend.api.host import Sampling
from backend.core.schemas import RunView
from backend.results.run_result import RunResult
from studio.nav import PLAYGROUND
from studio.ui.playground.chats import Chat, ChatSettings
from studio.ui.playground.lineage import examples, models, template_of
from studio.ui.playground.shared import chats, loader, served
from studio.ui.playground.turns import turn_view
from studio.ui.result.choice import choice_label, choices
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project

STREAMING = 0.3


def try_it(run: RunView, result: RunResult) -> None:
    """A line to type into, rows to try, the last answer. Without a host of models the way to the playground."""
    usable = {view.id: view for view in choices(result) if view.id in models()}
    if not usable:
        return
    st.header(_("Try it"), anchor=False)
    with st.container(border=True, key="result_try", gap="small"):
        if served() is None:
            st.caption(_("No model can answer now: the model server is not running."))
            page_link(PLAYGROUND.path, label=_("Open in the playground"), icon=PLAYGROUND.icon)
            return
        model = next(iter(usable.values()))
        if len(usable) > 1:
            labels = {id_: choice_label(result, view) for id_, view in usable.items()}
            model = usable[
                st.selectbox(_("Model"), list(usable), format_func=labels.__getitem__, key=f"result_of_{run.id}")
            ]
        key = f"result_chat_{run.id}_{model.id}"
        rows = examples(model.id)[:3]
        with st.form(f"result_form_{model.id}", border=False, clear_on_submit=True, enter_to_submit=True):
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                st.text_input(_("Your text"), key="result_ask", width="stretch", max_chars=4000)
                st.form_submit_button(
                    _("Ask"), icon=":material/send:", type="primary", on_click=_ask, args=(key, model.id)
                )
        if rows:
            with st.container(horizontal=True, gap="small"):
                for row in rows:
                    label = " ".join(row.input.split())
                    st.button(
                        label if len(label) <= 48 else f"{label[:47]}…",
                        key=f"result_example_{row.id}",
                        type="tertiary",
                        icon=":material/subdirectory_arrow_right:",
                        on_click=_say,
                        args=(key, model.id, row.input, row.output),
                    )
        _answer(key)


def _ask(key: str, model: str) -> None:
    """Callback."""
    _say(key, model, st.session_state["result_ask"] or "", None)


def _say(key: str, model: str, text: str, expected: str | None) -> None:
    if not text.strip():
        return
    chat = chats().find(st.session_state.get(key, ""))
    if chat is None:
        chat = chats().add(Chat(project().id, {model: template_of(model)}, loader()))
        st.session_state[key] = chat.id
    chat.say(text, ChatSettings(Sampling(max_new_tokens=256), history=False), expected)


def _answer(key: str) -> None:
    chat = chats().find(st.session_state.get(key, ""))
    if chat is None or not chat.turns:
        return

    def draw() -> bool:
        turn_view(chat, len(chat.turns) - 1)
        return chat.busy

    api_cache.auto_refresh(draw, busy=chat.busy, fast=STREAMING)
