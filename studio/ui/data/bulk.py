"""What is done to several rows at once: those that were selected, or all that the filter shows."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from backend.api.datasets import RowFilter, RowPage
from backend.core.schemas import ArtifactView
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _, ngettext

KEY = "tag_rows"


def bulk_bar(view: ArtifactView, split: str, where: RowFilter, found: RowPage) -> None:
    """For all rows of the current filter, on whatever page they are."""
    if where.empty or not found.total:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="bulk"):
        with st.popover(
            ngettext("Edit the {n} filtered row", "Edit all {n} filtered rows", found.total),
            icon=":material/select_all:",
            disabled=not found.whole,
            help=None if found.whole else _("Search all rows first."),
        ):
            tag = st.text_input(_("Tag"), key=f"bulk_tag_{view.id}", max_chars=100)
            about = (view.id, split, where, found.total)
            with st.container(horizontal=True, gap="small"):
                st.button(
                    _("Tag all"),
                    key="bulk_tag",
                    disabled=not (tag or "").strip(),
                    on_click=_all,
                    args=(*about, "tag", tag),
                )
                st.button(
                    _("Delete all"),
                    key="bulk_delete",
                    icon=":material/delete:",
                    on_click=_all,
                    args=(*about, "delete", ""),
                )
            st.caption(_("You can undo these changes. Saving creates a new version of the dataset."))


def _all(
    dataset: str, split: str, where: RowFilter, count: int, op: Literal["delete", "tag", "untag"], tag: str
) -> None:
    api_cache.run_action(lambda: api_cache.studio().edits.change_all(dataset, split, op, where, count, tag))


def tag_dialog(view: ArtifactView) -> None:
    """The tag of the selected rows."""
    if st.session_state.get(KEY, ("",))[0] == view.id:
        st.dialog(_("Tag"), on_dismiss=_end, icon=":material/sell:")(_body)(*st.session_state[KEY])


def _end() -> None:
    st.session_state.pop(KEY, None)


def _body(dataset: str, split: str, rows: list[str]) -> None:
    if KEY not in st.session_state:
        st.rerun()
    st.caption(ngettext("{n} row will be tagged.", "{n} rows will be tagged.", len(rows)))
    tag = st.text_input(_("Tag"), key="tag_rows_word", max_chars=100)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="tag_rows_no", on_click=_end)
        st.button(
            _("Tag"),
            key="tag_rows_yes",
            type="primary",
            disabled=not (tag or "").strip(),
            on_click=_tag,
            args=(dataset, split, rows),
        )


def _tag(dataset: str, split: str, rows: list[str]) -> None:
    tag = str(st.session_state.get("tag_rows_word", ""))
    api_cache.run_action(lambda: api_cache.studio().edits.change_rows(dataset, split, "tag", rows, tag))
    _end()
