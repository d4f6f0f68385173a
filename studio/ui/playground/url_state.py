"""Where a session is on this page: its models and its conversation, in the address (`?models=<id>,<id>&chat=<id>`).

So a reload, a second tab and a link that somebody sends show the same. The menu leads here without an address: then the
session goes on where it left.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from studio.ui.playground.chats import Chat
from studio.ui.playground.lineage import models, proposed, template_of
from studio.ui.playground.shared import chats, loader
from studio.ui.shared.project import project

_MODELS, _CHAT = "models", "chat"
_LAST_STATE = "pg_left"
_PROJECT = "pg_project"


@dataclass(frozen=True)
class UrlState:
    """One or two artifact ids (none when the studio holds no model), the conversation once something was said, and whether the
    address names one that is gone."""

    models: list[str]
    chat: Chat | None = None
    lost: bool = False


def read_url_state() -> UrlState:
    """Read the address, complete it, and remember it for the way back."""
    mine = project().id
    if st.session_state.get(_PROJECT, mine) != mine:
        _write({})
    st.session_state[_PROJECT] = mine
    left = st.session_state.setdefault(_LAST_STATE, {})
    asked = {key: st.query_params[key] for key in (_MODELS, _CHAT) if key in st.query_params} or left.get(mine, {})
    chat = chats().find(asked.get(_CHAT, ""))
    named = [id_ for id_ in dict.fromkeys(asked.get(_MODELS, "").split(",")) if id_ in models()]
    chosen = chat.models if chat else named[:2] or proposed()
    here = UrlState(chosen, chat, lost=_CHAT in asked and chat is None)
    left[mine] = {_MODELS: ",".join(chosen)} | ({_CHAT: asked[_CHAT]} if _CHAT in asked else {})
    if chosen:
        _write(left[mine])
    return here


def navigate(chosen: list[str], chat: Chat | None = None) -> None:
    """To these models, with that conversation or an empty one. Call it in a callback."""
    _write({_MODELS: ",".join(chosen)} | ({_CHAT: chat.id} if chat else {}))


def current_chat(here: UrlState) -> Chat:
    """The one that goes on, else a new one. Call it in a callback."""
    if here.chat:
        return here.chat
    templates = {model: template_of(model) for model in here.models}
    chat = chats().add(Chat(project().id, templates, loader()))
    navigate(here.models, chat)
    return chat


def _write(wanted: dict[str, str]) -> None:
    for key in (_MODELS, _CHAT):
        if key in wanted:
            if st.query_params.get(key) != wanted[key]:
                st.query_params[key] = wanted[key]
        else:
            st.query_params.pop(key, None)
