"""The datasets there are."""

from __future__ import annotations

import streamlit as st

from backend.api.readings import stored_warnings
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.data.facts import dataset_facts
from studio.ui.shared import api_cache, delete, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.edit_names import edit_popover
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.tags import tag_badges
from studio.ui.shared.upload import download_link


def dataset_list() -> None:
    """Those of the project, each with its splits, its rows, its download and its end; those of others in a fold."""
    found, others = scope.split(api_cache.artifacts((Kind.DATASET,)))
    st.header(_("Datasets"), anchor=False)
    if not found:
        st.caption(_("No datasets yet. Create the first one with the form above."))
    _entries(found)
    scope.from_other_projects("datasets", others, lambda: _entries(others))


def _entries(found: list[ArtifactView]) -> None:
    for view in found:
        _entry(view)
        if st.session_state.get(delete.KEY) == view.id:
            delete.delete_dialog(view)


def _entry(view: ArtifactView) -> None:
    with st.container(border=True, key=f"dataset_{view.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            page_link(
                nav.DATA.path,
                label=f"**{escape_markdown(view.name)}**",
                icon=":material/chevron_right:",
                icon_position="right",
                query_params={"data": view.id},
            )
            with st.container(horizontal=True, gap="small", width="content", key=f"actions_{view.id}"):
                edit_popover(view)
                download_link(view, _("Download"))
                st.button(
                    _("Delete"),
                    key=f"delete_{view.id}",
                    icon=":material/delete:",
                    on_click=delete.open_dialog,
                    args=(view.id,),
                )
        warnings = len(stored_warnings(view.facts))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(" · ".join(dataset_facts(view)), width="content")
            tag_badges(view.tags)
            if warnings:
                st.badge(ngettext("{n} warning", "{n} warnings", warnings), color="orange")
