"""What the host of models says of its servers, for all sessions of the web process. Draws nothing."""

from __future__ import annotations

import streamlit as st

from backend.api.serving import ServeOptions, ServerView
from backend.core.errors import StudioError
from studio.ui.playground.shared import loader

KEY = "models_serve"
"""Of the session: the model whose drawer is open."""


@st.cache_resource(ttl="0.4s", max_entries=1, show_spinner=False)
def servers() -> dict[str, ServerView] | None:
    """By artifact id; None when there is no host."""
    try:
        return {one.id: one for one in loader().client.servers()}
    except StudioError as error:
        if error.code != "serve.no_host":
            raise
        return None


def start(options: ServeOptions) -> None:
    """Raises StudioError when it can't be begun."""
    loader().client.start_server(options)
    servers.clear()


def stop(artifact_id: str) -> None:
    loader().client.stop_server(artifact_id)
    servers.clear()
