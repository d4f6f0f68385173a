"""Push of a model, an adapter or a dataset to a hub: what will be sent is shown first, and nothing goes before the press."""

from __future__ import annotations

import streamlit as st

from backend.api.hub import Outgoing
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from studio.nav import JOBS
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, format_size, message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project

KINDS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.DATASET)
_STARTED, _FAILED = "push_started", "push_failed"


def push_popover(view: ArtifactView) -> None:
    """Nothing for a kind that is not pushed, and where the hub is switched off."""
    if view.kind not in KINDS or api_cache.studio().hub_forbidden():
        return
    with st.popover(_("Push to hub"), icon=":material/cloud_upload:", key=f"push_{view.id}"):
        _form(view)


def _form(view: ArtifactView) -> None:
    key = f"push_repo_{view.id}"
    repo = st.text_input(_("Repository"), key=key, placeholder=_("owner/name"), max_chars=200)
    private = st.toggle(_("Private"), True, key=f"push_private_{view.id}")
    update = st.toggle(_("Update a repository that has files"), key=f"push_update_{view.id}")
    _sent(view, api_cache.studio().hub_outgoing(view.id))
    st.button(
        _("Push to hub"),
        key=f"push_start_{view.id}",
        type="primary",
        icon=":material/cloud_upload:",
        disabled=not repo.strip(),
        on_click=_start,
        args=(view.id, repo.strip(), private, update),
    )
    if said := st.session_state.pop(f"{_FAILED}_{view.id}", ""):
        st.error(message_markdown(said), icon=":material/error:")
    if st.session_state.get(f"{_STARTED}_{view.id}"):
        page_link(JOBS.path, label=_("View progress"), icon=JOBS.icon)


def _sent(view: ArtifactView, going: Outgoing) -> None:
    """Files, sizes, license and card."""
    count = ngettext("{n} file", "{n} files", len(going.files))
    st.caption(f"{count} · {format_size(going.bytes)} · {escape_markdown(going.license or _('license unknown'))}")
    with st.expander(_("What is sent"), key=f"push_files_{view.id}"):
        st.code("\n".join(f"{format_size(each.bytes):>10}  {each.name}" for each in going.files), language=None)
        st.code(going.card, language=None, wrap_lines=True)


def _start(ref: str, repo: str, private: bool, update: bool) -> None:
    studio = api_cache.studio()
    try:
        studio.start_push(studio.hub_push(ref, repo, private, update), project().name)
    except StudioError as error:
        st.session_state[f"{_FAILED}_{ref}"] = error.text(_)
    else:
        st.session_state[f"{_STARTED}_{ref}"] = True
