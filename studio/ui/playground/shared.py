"""What all sessions of the web process share: the way to the models, the conversations, and what the host says now."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from backend.api.host import ServeClient, ServedModel
from backend.core.errors import StudioError
from studio.ui.playground.chats import ChatStore
from studio.ui.playground.comparisons import ComparisonStore
from studio.ui.playground.model_loader import ModelLoader
from studio.ui.shared import api_cache


@st.cache_resource(show_spinner=False)
def loader() -> ModelLoader:
    return ModelLoader(ServeClient(api_cache.studio().settings))


@st.cache_resource(show_spinner=False)
def chats() -> ChatStore:
    return ChatStore()


@st.cache_resource(show_spinner=False)
def comparisons() -> ComparisonStore:
    return ComparisonStore()


@st.cache_resource(ttl="0.4s", max_entries=1, show_spinner=False)
def served() -> dict[str, ServedModel] | None:
    """What the host of models knows, by artifact id; None when there is no host."""
    try:
        return {one.id: one for one in loader().client.models()}
    except StudioError as error:
        if error.code != "serve.no_host":
            raise
        return None


def keep_chosen(models: list[str]) -> None:
    """Say that this session shows these models, so that none of them is unloaded for others. Cheap: call it when drawing."""
    loader().choose(st.session_state.setdefault("pg_page", uuid4().hex), models)
