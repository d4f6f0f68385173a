"""The question before something goes to the trash: what else hangs on it, and how large it is."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, format_size, kind_word, message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.undo import offer_undo

KEY = "models_delete"
_FAILED = "models_delete_failed"
_MOST = 12


def open_dialog(artifact_id: str) -> None:
    """Callback: the dialog opens in the run that follows."""
    st.session_state[KEY] = artifact_id
    st.session_state.pop(_FAILED, None)


def delete_dialog(view: ArtifactView) -> None:
    st.dialog(_("Delete"), on_dismiss=_end, icon=":material/delete:")(_confirm)(view)


def _end() -> None:
    st.session_state.pop(KEY, None)


def _confirm(view: ArtifactView) -> None:
    if st.session_state.get(KEY) != view.id:  # done or cancelled within the dialog
        st.rerun()
    hanging = api_cache.studio().descendants(view.id)
    st.markdown(_("Move **{name}** to the trash?").format(name=escape_markdown(view.name)))
    together = False
    if hanging:
        st.markdown(ngettext("{n} artifact depends on it:", "{n} artifacts depend on it:", len(hanging)))
        names = [
            f"- {escape_markdown(each.name)} · {kind_word(each.kind)} · {format_size(each.size_bytes)}"
            for each in hanging
        ]
        more = [ngettext("- and {n} more", "- and {n} more", len(names) - _MOST)] if len(names) > _MOST else []
        st.markdown("\n".join([*names[:_MOST], *more]))
        together = st.checkbox(_("Delete all"), key="models_delete_together")
    doomed = [view, *hanging] if together else [view]
    st.caption(kept_in_trash(sum(each.size_bytes for each in doomed)))
    if st.session_state.get(_FAILED):
        st.error(message_markdown(st.session_state[_FAILED]), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="models_delete_no", on_click=_end)
        st.button(
            _("Delete"),
            key="models_delete_yes",
            type="primary",
            disabled=bool(hanging) and not together,
            on_click=_delete,
            args=(view.id, together),
        )


def kept_in_trash(size_bytes: int) -> str:
    """For how long, and what emptying it frees."""
    days = api_cache.studio().trash_days
    kept = ngettext("Kept in the trash for {n} day.", "Kept in the trash for {n} days.", days)
    return f"{kept} {_('Emptying the trash frees {size}.').format(size=format_size(size_bytes))}"


def _delete(artifact_id: str, together: bool) -> None:
    try:
        name = api_cache.studio().artifact(artifact_id).name
        gone = api_cache.studio().delete(artifact_id, together)
        offer_undo([name] if len(gone) == 1 else gone, gone)
    except StudioError as error:
        st.session_state[_FAILED] = error.text(_)
        return
    api_cache.clear_caches()
    _end()
