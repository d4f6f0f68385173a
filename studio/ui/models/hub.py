"""Models of a hub on the page Models: a short list to begin with, a search, and a button that downloads. The network is asked
after a press only, in the background; a download is a job."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.core.schemas import RunView
from studio.nav import JOBS
from studio.ui.models.labels import short_count
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, format_size
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.tasks import background, drop, failure, task

SEARCH, WANTED, STARTED = "hub_search", "hub_wanted", "hub_started"


def hub_box() -> None:
    """Folded away until somebody opens it."""
    box = st.expander(_("Models on the hub"), key="models_hub", icon=":material/cloud_download:", on_change="rerun")
    if not box.open:
        return
    with box:
        if api_cache.studio().hub_forbidden():
            st.info(_("The hub is switched off: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set."))
            return
        st.caption(
            _(
                "Models from huggingface.co, or the mirror in HF_ENDPOINT. Nothing is requested until you press a button."
            )
        )
        _search_form()
        _results()
        _started()


def _search_form() -> None:
    with st.form("hub_form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(_("Search the hub"), key="hub_text", placeholder="Qwen3", max_chars=100, width=320)
            st.form_submit_button(_("Search"), icon=":material/search:", on_click=_search)


def _search() -> None:
    text = str(st.session_state.hub_text).strip()
    st.session_state[WANTED] = text
    if text:
        key, studio = _search_key(), api_cache.studio()
        drop(key)
        background(key, lambda: studio.hub_search(text))


def _results() -> None:
    """What the search found, else the short list."""
    going = task(_search_key()) if st.session_state.get(WANTED) else None
    if going is None:
        st.markdown(f"**{_('Suggested models')}**")
        for one in api_cache.studio().hub_catalogue():
            role = _("Student") if one.role == "student" else _("Teacher")
            _row(one.repo, [role, short_count(one.parameters), one.license], one.gated)
    elif not going.done:
        st.markdown(f":shimmer[{_('Searching…')}]")
    elif said := failure(going):
        st.error(escape_markdown(said), icon=":material/error:")
    elif not going.result:
        st.markdown(_("No text model with safetensors matches that name."))
    else:
        for found in going.result:
            size = [format_size(found.bytes)] if found.bytes else []
            count = [short_count(found.parameters)] if found.parameters else []
            _row(found.repo, [*count, *size, found.license or _("license unknown")], found.gated)


def _row(repo: str, facts: Sequence[str], gated: bool) -> None:
    key = _download_key(repo)
    going = task(key)
    with st.container(border=True, key=f"hub_{repo}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{escape_markdown(repo)}**")
                st.caption(
                    " · ".join(escape_markdown(fact) for fact in [*facts, *([_("access on request")] if gated else [])])
                )
            if going and not going.done:
                st.markdown(f":shimmer[{_('Querying the hub…')}]", width="content")
            else:
                st.button(_("Download"), key=key, icon=":material/download:", on_click=_download, args=(repo,))
        if said := failure(going):
            st.error(escape_markdown(said), icon=":material/error:")


def _download(repo: str) -> None:
    key, studio, mine = _download_key(repo), api_cache.studio(), project().name
    drop(key)
    st.session_state.setdefault(STARTED, {})[repo] = key
    background(key, lambda: studio.start_download(repo, mine))


def _started() -> None:
    """What this session has begun, with the way to its progress."""
    for repo, key in st.session_state.get(STARTED, {}).items():
        going = task(key)
        if going and going.done and isinstance(going.result, RunView):
            st.success(
                _("The download of {name} has started.").format(name=escape_markdown(repo)), icon=":material/check:"
            )
            page_link(JOBS.path, label=_("View progress"), icon=JOBS.icon)


def keys() -> list[str]:
    """Of what goes on in the background here."""
    return [_search_key(), *st.session_state.get(STARTED, {}).values()]


def _search_key() -> str:
    return f"{SEARCH}:{st.session_state.get(WANTED, '')}"


def _download_key(repo: str) -> str:
    return f"hub_download:{repo}"
