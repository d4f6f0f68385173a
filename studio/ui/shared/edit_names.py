"""Name and tags of an artifact, changed where they are shown."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import ArtifactView
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _
from studio.ui.shared.tags import tag_field


def edit_popover(view: ArtifactView) -> None:
    """A pencil; its fields are drawn only while it is open."""
    box = st.popover(_("Rename"), icon=":material/edit:", key=f"edit_{view.id}", on_change="rerun")
    if box.open:
        with box:
            name_fields(view)


def name_fields(view: ArtifactView) -> None:
    """The fields with their button."""
    name, tags = f"name_{view.id}", f"tags_{view.id}"
    st.text_input(_("Name"), value=view.name, key=name, max_chars=100)
    tag_field(tags, view.tags)
    st.button(_("Save"), key=f"save_{view.id}", type="primary", on_click=_save, args=(view, name, tags))


def _save(view: ArtifactView, name: str, tags: str) -> None:
    def save() -> None:
        api_cache.studio().rename(view.id, st.session_state[name])
        api_cache.studio().tag(view.id, st.session_state[tags])

    api_cache.run_action(save)
    st.session_state[f"edit_{view.id}"] = False
