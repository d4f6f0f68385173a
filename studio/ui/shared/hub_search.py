"""A search of the hub on a page: asked after a press only, in the background. The pages Models and Data draw what it found."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.api.hub import HubEntry, RepoType
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import background, drop, failure, task

_PREFIX: dict[RepoType, str] = {"model": "hub", "dataset": "hub_data"}


def hub_expander(kind: RepoType, title: str, about: str, draw: Callable[[], None]) -> None:
    """Folded away until somebody opens it; `draw` fills it where the hub is allowed."""
    box = st.expander(title, key=f"{kind}s_hub", icon=":material/cloud_download:", on_change="rerun")
    if not box.open:
        return
    with box:
        if api_cache.studio().hub_forbidden():
            st.info(_("The hub is switched off: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set."))
            return
        st.caption(about)
        draw()


def search_form(kind: RepoType, example: str) -> None:
    prefix = _PREFIX[kind]
    with st.form(f"{prefix}_form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(_("Search the hub"), key=f"{prefix}_text", placeholder=example, max_chars=100, width=320)
            st.form_submit_button(_("Search"), icon=":material/search:", on_click=_search, args=(kind,))


def _search(kind: RepoType) -> None:
    prefix = _PREFIX[kind]
    text = str(st.session_state[f"{prefix}_text"]).strip()
    st.session_state[f"{prefix}_wanted"] = text
    if text:
        key, studio = search_key(kind), api_cache.studio()
        drop(key)
        background(key, lambda: studio.hub_search(text, kind))


def found(kind: RepoType, nothing: str) -> list[HubEntry] | None:
    """What the search found; None before the first. Says that it goes on, why it failed, or `nothing`."""
    going = task(search_key(kind)) if st.session_state.get(f"{_PREFIX[kind]}_wanted") else None
    if going is None:
        return None
    if not going.done:
        st.markdown(f":shimmer[{_('Searching…')}]")
    elif said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")
    elif not going.result:
        st.markdown(nothing)
    else:
        entries: list[HubEntry] = going.result
        return entries
    return []


def search_key(kind: RepoType) -> str:
    """Of the search in the background."""
    prefix = _PREFIX[kind]
    return f"{prefix}_search:{st.session_state.get(f'{prefix}_wanted', '')}"
