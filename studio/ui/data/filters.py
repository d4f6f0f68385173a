"""Which rows the table shows: split, words, label, tag, length, the rows of a finding."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from backend.api.datasets import SPLITS, Finding, RowFilter, Sort
from backend.core.schemas import ArtifactView
from studio.ui.shared import address
from studio.ui.shared.formatting import escape_markdown, number, option_label
from studio.ui.shared.i18n import _, ngettext

_NAMES = ("search", "label", "tag", "least", "most")
NO_ORDER: tuple[Sort, bool] = ("", False)
ORDERS = [NO_ORDER, *((sort, down) for sort in get_args(Sort) if sort for down in (False, True))]
"""What the table can be sorted by, and whether the highest comes first."""


def filter_bar(view: ArtifactView) -> str:
    """Draws the filters; the split that is shown."""
    rows = view.facts.get("rows", {})
    splits = [split for split in SPLITS if rows.get(split)] or ["train"]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="row_filters"):
        split = st.selectbox(
            _("Split"),
            splits,
            format_func=lambda name: f"{option_label('evaluate', 'split', name)} · {number(rows.get(name, 0))}",
            key=f"split_{view.id}",
            on_change=first_page,
            args=(view,),
            filter_mode=None,
            width=170,
        )
        st.text_input(
            _("Search"),
            placeholder=_("Search text"),
            icon=":material/search:",
            width=230,
            max_chars=200,
            **_held(view, "search"),
        )
        if view.facts.get("labels"):
            st.selectbox(
                _("Label"), ["", *view.facts["labels"]], format_func=_any_label, width=190, **_held(view, "label")
            )
        with st.popover(_("More filters"), icon=":material/filter_list:", key=f"more_{view.id}"):
            st.selectbox(
                _("Order"), ORDERS, format_func=_order_words, filter_mode=None, **_held(view, "sort", NO_ORDER)
            )
            st.text_input(_("Tag"), max_chars=100, **_held(view, "tag"))
            st.number_input(_("Minimum input length (characters)"), min_value=0, step=10, **_held(view, "least", 0))
            st.number_input(
                _("Maximum input length (characters)"), min_value=0, value=None, step=10, **_held(view, "most", None)
            )
        if not wanted(view).empty:
            st.button(
                _("Clear filters"),
                key=f"clear_{view.id}",
                type="tertiary",
                icon=":material/close:",
                on_click=clear,
                args=(view,),
            )
    return str(split or splits[0])


def wanted(view: ArtifactView) -> RowFilter:
    """The filter as it is set."""
    held = {name: st.session_state.get(f"{name}_{view.id}") for name in _NAMES}
    given: dict[str, Any] = {name: value for name, value in held.items() if value not in (None, "")}
    given["search"] = str(given.get("search", "")).strip()
    return RowFilter(**given, ids=tuple(st.session_state.get(f"finding_{view.id}", {}).get("rows", ())))


def clear(view: ArtifactView) -> None:
    """Callback: all rows of the split."""
    for name in (*_NAMES, "finding"):
        st.session_state.pop(f"{name}_{view.id}", None)
    first_page(view)


def first_page(view: ArtifactView) -> None:
    """Callback: another filter or order begins at its first page."""
    st.session_state.pop(f"page_{view.id}", None)


def show_finding(view: ArtifactView, finding: Finding) -> None:
    """Callback: the table with the rows of a finding alone, in the split of its first example."""
    clear(view)
    title = finding.problem.sentence(_)
    st.session_state[f"finding_{view.id}"] = {"title": title, "rows": list(finding.rows), "count": finding.count}
    if finding.examples:
        st.session_state[f"split_{view.id}"] = finding.examples[0].split
    address.write("tab", "rows", "rows")


def finding_chip(view: ArtifactView) -> None:
    """Says that only the rows of a finding are shown."""
    held = st.session_state.get(f"finding_{view.id}")
    if held:
        words = ngettext(
            "Showing the {n} row with this finding:", "Showing the {n} rows with this finding:", len(held["rows"])
        )
        if held["count"] > len(held["rows"]):
            words = _("Showing the first {n} rows with this finding:").format(n=number(len(held["rows"])))
        others = _("They may be in several splits.")
        st.info(f"{words} {escape_markdown(held['title'])} {others}", icon=":material/filter_alt:")


def _held(view: ArtifactView, name: str, default: Any = "") -> dict[str, Any]:
    key = f"{name}_{view.id}"
    st.session_state.setdefault(key, default)
    return {"key": key, "on_change": first_page, "args": (view,)}


def _any_label(label: str) -> str:
    return label or _("All labels")


def _order_words(order: tuple[Sort, bool]) -> str:
    names = {"id": _("ID"), "length": _("Input length"), "answer": _("Answer"), "confidence": _("Confidence")}
    return f"{names[order[0]]} {'↓' if order[1] else '↑'}" if order[0] else _("File order")
