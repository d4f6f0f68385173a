"""The datasets there are: a list, and the rows of one."""

from __future__ import annotations

import streamlit as st

from backend.api.readings import stored_warnings
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import SPLITS
from studio import nav
from studio.ui.data.reading import reading_card
from studio.ui.forms.form import problem_line
from studio.ui.shared import api_cache, delete
from studio.ui.shared.formatting import ago, escape_markdown, format_size, number, option_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.upload import download_link

ROWS = 20
_CELL = 400


def dataset_list() -> None:
    """Those of the project first, each with its splits, its rows, its download and its end."""
    mine = project().id
    found = sorted(api_cache.artifacts((Kind.DATASET,)), key=lambda view: view.project != mine)
    st.subheader(_("Datasets"), anchor=False)
    if not found:
        st.caption(_("There is no dataset yet: the form above makes the first one."))
    for view in found:
        _entry(view)
        if st.session_state.get(delete.KEY) == view.id:
            delete.delete_dialog(view)


def _entry(view: ArtifactView) -> None:
    with st.container(border=True, key=f"dataset_{view.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.page_link(
                nav.DATA.path,
                label=f"**{escape_markdown(view.name)}**",
                icon=":material/chevron_right:",
                icon_position="right",
                query_params={"data": view.id},
            )
            with st.container(horizontal=True, gap="small", width="content"):
                download_link(view, _("Download"))
                st.button(
                    _("Delete"),
                    key=f"delete_{view.id}",
                    icon=":material/delete:",
                    on_click=delete.open_dialog,
                    args=(view.id,),
                )
        st.caption(" · ".join(_facts(view)))
        _warnings(view)


def _warnings(view: ArtifactView) -> None:
    """What was said when it was made, folded."""
    if found := stored_warnings(view.facts):
        title = ngettext("{n} warning", "{n} warnings", len(found))
        with st.expander(title, icon=":material/warning:", key=f"warnings_{view.id}"):
            for problem in found:
                problem_line(problem)


def _facts(view: ArtifactView) -> list[str]:
    rows = {split: count for split in SPLITS if (count := view.facts.get("rows", {}).get(split))}
    parts = [f"{option_label('evaluate', 'split', split)} {number(count)}" for split, count in rows.items()]
    if view.facts.get("labels"):
        parts.append(ngettext("{n} label", "{n} labels", len(view.facts["labels"])))
    return [
        *parts,
        format_size(view.size_bytes),
        escape_markdown(view.license or _("license unknown")),
        ago(view.created),
    ]


def dataset_rows(ref: str) -> None:
    """The rows of one dataset, a page at a time."""
    view = api_cache.studio().dataset(ref)
    st.page_link(nav.DATA.path, label=_("All datasets"), icon=":material/arrow_back:")
    st.subheader(escape_markdown(view.name), anchor=False)
    st.caption(" · ".join(_facts(view)))
    _warnings(view)
    reading_card(view)
    splits = [split for split in SPLITS if view.facts.get("rows", {}).get(split)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            _("Split"),
            splits,
            format_func=lambda name: option_label("evaluate", "split", name),
            key=f"split_{view.id}",
            default=splits[0],
            required=True,
            wrap=True,
        )
        search = st.text_input(_("Search"), key=f"search_{view.id}", placeholder=_("Words in a row"), width=280)
    wanted = (search or "").strip()
    count = api_cache.studio().count_rows(view.id, str(split), wanted) if wanted else view.facts["rows"][split]
    pages = max(1, -(-count // ROWS))
    key = f"page_{view.id}_{split}_{wanted}"
    start = ROWS * (min(st.session_state.get(key, 1), pages) - 1)
    for row in api_cache.studio().rows(view.id, str(split), start, ROWS, wanted):
        with st.container(border=True, key=f"row_{row.id}", gap="xsmall"):
            left, right = st.columns([3, 2])
            left.text(_cut(row.input))
            right.text(_cut(row.output or row.gold or _("no answer")))
    if not count:
        st.caption(_("No row holds these words."))
    if pages > 1:
        st.pagination(pages, key=key)


def _cut(text: str) -> str:
    return text if len(text) <= _CELL else f"{text[:_CELL]}…"
