"""The page Playground: models and their state, the conversation, the line to type into."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import Problem
from backend.data.dataset import Row, gold_answer
from studio.nav import FINETUNE, MODELS, PLAYGROUND
from studio.ui.playground.answer_form import form_box
from studio.ui.playground.arena import COMPARISON, arena_tools, arena_view
from studio.ui.playground.chats import Chat
from studio.ui.playground.controls import (
    chat_settings,
    conversations_box,
    model_picker,
    restore_settings,
    sampling_box,
    system_box,
)
from studio.ui.playground.lineage import examples
from studio.ui.playground.send_shortcut import send_shortcut
from studio.ui.playground.shared import served
from studio.ui.playground.standings import standings_view
from studio.ui.playground.status import idle_words, status_line
from studio.ui.playground.turns import turn_view
from studio.ui.playground.url_state import UrlState, current_chat, read_url_state
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _

STREAMING = 0.2
_MODE, _CHAT, _ARENA = "mode", "chat", "arena"


def playground_page() -> None:
    with api_cache.show_errors():
        here = read_url_state()
        blind = st.query_params.get(_MODE) == _ARENA
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.title(_(PLAYGROUND.title), anchor=False, width="content")
            if here.models:
                arena_tools(here) if blind else _tools(here)
        if not here.models:
            _no_models()
            return
        _modes(blind)
        ready = _host()
        if blind:
            arena_view(here, ready)
            standings_view()
        else:
            _chat(here, ready)


def _modes(blind: bool) -> None:
    """The choice stands in the address, so a reload and a link keep it."""
    names = {_CHAT: _("Chat"), _ARENA: _("Blind arena")}
    st.session_state["pg_view"] = _ARENA if blind else _CHAT
    st.segmented_control(
        _("Mode"),
        list(names),
        format_func=names.__getitem__,
        key="pg_view",
        required=True,
        label_visibility="collapsed",
        on_change=_go,
    )


def _go() -> None:
    if st.session_state["pg_view"] == _ARENA:
        st.query_params[_MODE] = _ARENA
    else:
        st.query_params.pop(_MODE, None)
        st.query_params.pop(COMPARISON, None)


def _chat(here: UrlState, ready: bool) -> None:
    _heads(here, ready)
    if here.lost:
        st.info(
            _("This conversation is no longer available: the studio was restarted, or newer ones replaced it."),
            icon=":material/info:",
        )
    _conversation(here)
    st.chat_input(
        _("Message both models") if len(here.models) > 1 else _("Message the model"),
        key="pg_input",
        disabled=not ready,
        on_submit=_send,
    )
    send_shortcut("" if here.chat and here.chat.turns else ",".join(here.models))


def _tools(here: UrlState) -> None:
    restore_settings(here)
    with st.container(horizontal=True, width="content", gap="small"):
        sampling_box(here)
        system_box(here)
        form_box()
        conversations_box(here)
        st.button(
            _("Clear"),
            key="pg_clear",
            icon=":material/delete_sweep:",
            disabled=not (here.chat and here.chat.turns),
            on_click=_clear,
        )


def _host() -> bool:
    """Whether models can be loaded; a card says what to do when not, and goes away by itself."""
    ready = served() is not None
    if not ready:
        with st.container(border=True, key="pg_no_host"):
            st.header(_("No model can answer now"), anchor=False)
            st.markdown(Problem(code="serve.no_host").sentence(_))
            st.code("slmops studio", language=None)
        api_cache.auto_refresh(lambda: served() is None, busy=True)
    return ready


def _heads(here: UrlState, ready: bool) -> None:
    for at, column in enumerate(st.columns(2, gap="small")):
        with column:
            model_picker(here, at)
            if ready and at < len(here.models):
                status_line(here.models[at], here.models, here.chat)


def _conversation(here: UrlState) -> None:
    """Older turns stand still; the last one draws itself while it is answered, and new ones of another tab appear."""
    chat = here.chat
    if chat is None or not chat.turns:
        _examples(here)
    if chat is None:
        return
    for at in range(len(chat.turns) - 1):
        turn_view(chat, at)
    drawn = len(chat.turns)

    def draw() -> bool:
        if len(chat.turns) != drawn:
            st.rerun()
        if drawn:
            turn_view(chat, drawn - 1)
        return chat.busy

    api_cache.auto_refresh(draw, busy=chat.busy, fast=STREAMING)
    if drawn:
        _action(chat)


def _action(chat: Chat) -> None:
    """Above the message box, where it does not move while answers grow."""
    with st.bottom, st.container(horizontal=True, horizontal_alignment="center"):
        if chat.busy:
            st.button(_("Stop"), key="pg_stop", icon=":material/stop_circle:", on_click=chat.stop)
        else:
            st.button(
                _("Regenerate"),
                key="pg_regenerate",
                icon=":material/refresh:",
                type="tertiary",
                help=_("Asks again with the next seed. No effect at temperature 0."),
                on_click=_regenerate,
            )


def _examples(here: UrlState) -> None:
    rows = {row.id: row for row in examples(here.models[0])}
    with st.container(key="pg_empty", gap="small"):
        st.header(_("Ask something"), anchor=False)
        said = _("Models run on this machine; nothing is sent elsewhere.")
        st.caption(f"{said} {idle_words()}")
        if rows:
            st.pills(
                _("Try a validation row"),
                list(rows),
                format_func=lambda id_: _short(rows[id_].input) if id_ in rows else id_,
                key="pg_example",
                on_change=_send_example,
                args=(rows,),
            )


def _no_models() -> None:
    with st.container(border=True, key="pg_nothing"):
        st.header(_("No models to chat with yet"), anchor=False)
        st.markdown(_("Prepare the built-in model, import one, or fine-tune one on your own examples."))
        page_link(MODELS.path, label=_("Prepare or import a model"), icon=MODELS.icon)
        page_link(FINETUNE.path, label=_("Fine-tune a model"), icon=FINETUNE.icon)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return escape_markdown(line if len(line) <= 60 else f"{line[:59]}…")


def _send() -> None:
    _say(st.session_state["pg_input"])


def _send_example(rows: dict[str, Row]) -> None:
    row = rows.get(st.session_state["pg_example"])
    if row:
        _say(row.input, gold_answer(row))


def _say(text: str, expected: str | None = None) -> None:
    """The address is read anew: a message that was sent just before may have begun the conversation."""
    if text and text.strip():
        here = read_url_state()
        current_chat(here).say(text, chat_settings(here), expected)


def _regenerate() -> None:
    here = read_url_state()
    if here.chat and here.chat.turns:
        here.chat.regenerate(chat_settings(here))


def _clear() -> None:
    here = read_url_state()
    if here.chat:
        here.chat.clear()
