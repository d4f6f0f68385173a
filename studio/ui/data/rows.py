"""The tab Rows: search, filter, sort, pages from disk; what is selected can be deleted or tagged."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import streamlit as st

from backend.api.datasets import RowFilter, RowPage, Sort
from backend.core.schemas import ArtifactView
from studio.ui.data import row_editor
from studio.ui.data.bulk import bulk_bar, tag_dialog
from studio.ui.data.changes import changes_bar
from studio.ui.data.filters import filter_bar, finding_chip, first_page, wanted
from studio.ui.data.row_table import row_table
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.tasks import background, drop, failure, task

ROWS = 25
ALL_ROWS_SECONDS = 120.0


def rows_tab(view: ArtifactView) -> None:
    changes_bar(view)
    split = filter_bar(view)
    if not _ready(view, split):
        return
    finding_chip(view)
    where = wanted(view)
    sort, descending = st.session_state.get(f"sort_{view.id}", ("", False))
    page = int(st.session_state.get(_page_key(view), 1))
    seconds = {"seconds": ALL_ROWS_SECONDS} if st.session_state.get(f"whole_{view.id}") == where else {}
    found = api_cache.studio().dataset_page(view.id, split, page, ROWS, where, sort, descending, **seconds)
    _count(view, split, where, found)
    if found.added:
        st.markdown(f"**{_('New rows')}**")
        row_table(
            f"new_{view.id}", [row_editor.new_row(row) for row in found.added], None, False, partial(_told, view, split)
        )
    if found.rows:
        row_table(f"rows_{view.id}_{split}", found.rows, sort, descending, partial(_told, view, split))
    pages = max(1, -(-found.total // ROWS))
    if pages > 1:
        st.pagination(pages, key=_page_key(view))
    bulk_bar(view, split, where, found)
    tag_dialog(view)
    row_editor.row_dialog(view)


def _page_key(view: ArtifactView) -> str:
    return f"page_{view.id}"


def _count(view: ArtifactView, split: str, where: RowFilter, found: RowPage) -> None:
    if not found.whole:
        with st.container(horizontal=True, vertical_alignment="center"):
            words = _("{n} rows found so far; search incomplete.")
            st.caption(words.format(n=number(found.total)), width="content")
            st.button(_("Search all rows"), key=f"search_all_{view.id}", on_click=_whole, args=(view, where))
        return
    lengths = api_cache.studio().input_lengths(view.id, split)
    parts = [ngettext("{n} row", "{n} rows", found.total)]
    if lengths and where.empty:
        words = _("Input length in characters: median {half}, 95th percentile {most}, longest {all}")
        half, most = (min(each, lengths.all) for each in (lengths.half, lengths.most))
        parts.append(words.format(half=number(half), most=number(most), all=number(lengths.all)))
    st.caption(" · ".join(parts) if found.total else _("No matching rows."))


def _whole(view: ArtifactView, where: RowFilter) -> None:
    st.session_state[f"whole_{view.id}"] = where


def _told(view: ArtifactView, split: str, name: str, value: Any) -> None:
    """What was clicked in the table; anything may come from a browser."""
    if name == "open":
        row_editor.open_row(view, split, str(value))
    elif name == "sort" and value in get_args(Sort):
        now, descending = st.session_state.get(f"sort_{view.id}", ("", False))
        st.session_state[f"sort_{view.id}"] = (value, not descending if value == now else False)
        first_page(view)
    elif name == "delete" and isinstance(value, list):
        ids = [str(each) for each in value]
        api_cache.run_action(lambda: api_cache.studio().edits.change_rows(view.id, split, "delete", ids))
    elif name == "tag" and isinstance(value, list):
        st.session_state["tag_rows"] = (view.id, split, [str(each) for each in value])


def _ready(view: ArtifactView, split: str) -> bool:
    """Large files are read through once, in the background."""
    key = f"table:{view.id}:{split}"
    if api_cache.studio().table_ready(view.id, split):
        drop(key)
        return True
    work = task(key) or background(key, lambda: api_cache.studio().prepare_table(view.id, split))

    def look() -> bool:
        if not work.done:
            st.markdown(f":shimmer[{_('Preparing the table…')}]")
        return not work.done

    api_cache.auto_refresh(look, busy=not work.done)
    if wrong := failure(work):
        st.error(wrong, icon=":material/error:")
    return False
