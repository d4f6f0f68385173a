"""The page of one dataset: what it is, and its tabs Rows, Checks, Tokens and Reading."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.api.datasets import FORMATS
from backend.core.schemas import ArtifactView
from studio import nav
from studio.ui.data.checks import checks_tab
from studio.ui.data.facts import dataset_facts, dataset_origin, dataset_warnings
from studio.ui.data.onward import tune_button
from studio.ui.data.reading import reading_card
from studio.ui.data.rows import rows_tab
from studio.ui.data.tokens import tokens_tab
from studio.ui.shared import address, api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown, option_label
from studio.ui.shared.hub_push import push_popover
from studio.ui.shared.i18n import _
from studio.ui.shared.upload import download_link


def dataset_page(ref: str) -> None:
    """`?tab=checks` opens that tab."""
    view = api_cache.studio().dataset(ref)
    page_link(nav.DATA.path, label=_("All datasets"), icon=":material/arrow_back:")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(escape_markdown(view.name), anchor=False, width="content")
        with st.container(horizontal=True, gap="small", width="content"):
            _exports(view)
            push_popover(view)
            tune_button(view)
    st.caption(" · ".join(dataset_facts(view)))
    dataset_origin(view)
    _versions(view)
    tabs: dict[str, tuple[str, Callable[[ArtifactView], None]]] = {
        "rows": (_("Rows"), rows_tab),
        "checks": (_("Checks"), checks_tab),
        "tokens": (_("Tokens"), tokens_tab),
        "reading": (_("Interpretation"), reading_card),
    }
    chosen = st.segmented_control(
        _("Show"),
        list(tabs),
        format_func=lambda each: tabs[each][0],
        required=True,
        label_visibility="collapsed",
        wrap=True,
        **address.bound("tab", "rows", tabs, key=f"tab_{view.id}"),
    )
    if chosen in ("rows", "reading"):  # Checks says it again, with its rows and its remedies
        dataset_warnings(view)
    with api_cache.show_errors():
        tabs[str(chosen or "rows")][1](view)


def _versions(view: ArtifactView) -> None:
    """Where the dataset comes from and what became of it, a click away."""
    before, after = api_cache.studio().versions(view.id)
    if not before and not after:
        return
    with st.container(horizontal=True, gap="small"):
        if before:
            words = _("Created from {name}").format(name=escape_markdown(before.name))
            page_link(nav.DATA.path, label=words, icon=":material/history:", query_params={"data": before.id})
        for child in after[:3]:
            words = _("Newer: {name}").format(name=escape_markdown(child.name))
            page_link(
                nav.DATA.path,
                label=words,
                icon=":material/update:",
                query_params={"data": child.id, "tab": st.query_params.get("tab", "rows")},
            )


def _exports(view: ArtifactView) -> None:
    with st.popover(_("Export"), icon=":material/download:", key=f"export_{view.id}"):
        st.caption(_("All rows with their split; can be imported again."))
        with st.container(horizontal=True, gap="small"):
            for each in FORMATS.values():
                if not each.by_split:
                    download_link(view, each.title, each.name)
        st.caption(_("For other tools, one file per split."))
        rows = view.facts.get("rows", {})
        splits = [split for split in ("train", "validation", "test") if rows.get(split)] or ["train"]
        split = st.selectbox(
            _("Split"),
            splits,
            format_func=lambda name: option_label("evaluate", "split", name),
            key=f"export_split_{view.id}",
            filter_mode=None,
        )
        with st.container(horizontal=True, gap="small"):
            for each in FORMATS.values():
                if each.by_split:
                    download_link(view, each.title, each.name, split=str(split or splits[0]))
