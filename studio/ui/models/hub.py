"""Models of a hub on the page Models: a short list to begin with, a search, and a button that downloads. The network is asked
after a press only, in the background; a download is a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from backend.api.hub import HubDetails
from backend.core.schemas import RunView
from studio.nav import JOBS
from studio.ui.models.hub_files import file_choice
from studio.ui.models.labels import short_count
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, format_size, message_markdown
from studio.ui.shared.hub_search import found, hub_expander, search_form, search_key
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.tasks import background, drop, failure, task

STARTED = "hub_started"


def hub_box() -> None:
    """Folded away until somebody opens it."""
    about = _(
        "Models from huggingface.co, or the mirror in HF_ENDPOINT. Nothing is requested until you press a button."
    )
    hub_expander("model", _("Models on the hub"), about, _box)


def _box() -> None:
    search_form("model", "Qwen3")
    _results()
    _started()


def _results() -> None:
    """What the search found, else the short list."""
    entries = found("model", _("No text model with safetensors or GGUF files matches that name."))
    if entries is None:
        st.markdown(f"**{_('Suggested models')}**")
        for one in api_cache.studio().hub_catalogue():
            role = _("Student") if one.role == "student" else _("Teacher")
            _row(one.repo, [role, short_count(one.parameters), one.license], one.gated)
    for each in entries or []:
        size = [format_size(each.bytes)] if each.bytes else []
        count = [short_count(each.parameters)] if each.parameters else []
        _row(each.repo, [*count, *size, each.license or _("license unknown")], each.gated)


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
            st.error(message_markdown(said), icon=":material/error:")
        elif going and going.done and isinstance(going.result, HubDetails):
            file_choice(going.result, _take)


def _download(repo: str) -> None:
    """Starts at once where there is nothing to choose."""
    studio, mine = api_cache.studio(), project().name

    def look() -> HubDetails | RunView:
        known = studio.hub_details(repo)
        return known if known.gguf else studio.start_download(repo, mine, known.commit)

    _begin(repo, look)


def _take(known: HubDetails, file: str, accepted: bool) -> None:
    studio, mine = api_cache.studio(), project().name
    _begin(known.repo, lambda: studio.start_download(known.repo, mine, known.commit, file, accepted))


def _begin(repo: str, work: Callable[[], HubDetails | RunView]) -> None:
    key = _download_key(repo)
    drop(key)
    st.session_state.setdefault(STARTED, {})[repo] = key
    background(key, work)


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
    return [search_key("model"), *st.session_state.get(STARTED, {}).values()]


def _download_key(repo: str) -> str:
    return f"hub_download:{repo}"
