"""The rows of a dataset as a table: a row opens for editing, several can be chosen, headers sort.

A component of our own: Streamlit's data editor sends the whole table at each change, shows one line of a text, and speaks
English in its menus. Cells are text and nothing else, whoever wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from backend.api.datasets import ShownRow, Sort
from backend.api.readings import message_text
from studio.ui.shared.formatting import percent
from studio.ui.shared.i18n import _, ngettext

LONGEST = 600
"""Characters of a text in the table; the row's own window has all of them."""
_EMPTY_LINES = re.compile(r"\n\s*\n")


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_TABLE = st.components.v2.component("slmops_rows", html='<div class="rows"></div>', css=_part(".css"), js=_part(".js"))


def row_table(
    key: str, rows: Sequence[ShownRow], sort: Sort | None, descending: bool, on_event: Callable[[str, Any], None]
) -> None:
    """`on_event(name, value)` in a callback: `open` a row's id; `sort` a column; `delete` or `tag` a list of ids. `sort`
    None: headers don't sort."""

    def told(name: str) -> Callable[[], None]:
        def tell() -> None:
            value = st.session_state[key].get(name)
            if value:
                on_event(name, value)

        return tell

    _TABLE(
        key=key,
        data=table_data(rows, sort, descending),
        on_open_change=told("open"),
        on_sort_change=told("sort"),
        on_delete_change=told("delete"),
        on_tag_change=told("tag"),
    )


def table_data(rows: Sequence[ShownRow], sort: Sort | None, descending: bool) -> dict[str, Any]:
    """What the table shows, all of it in the session's language."""
    sure = any(shown.row.confidence is not None for shown in rows)
    columns = [["id", _("ID")], ["length", _("Input")], ["answer", _("Answer")]]
    columns += [["confidence", _("Confidence")]] if sure else []
    return {
        "columns": columns,
        "sort": sort,
        "descending": descending,
        "rows": [_cells(shown, sure) for shown in rows],
        "words": {
            "label": _("Rows"),
            "edit": _("Edit"),
            "choose": _("Select this row"),
            "all": _("Select all rows on this page"),
            "chosen": _("{n} selected"),
            "delete": _("Delete"),
            "tag": _("Tag"),
            "sort": _("Sort by this column"),
            "states": {"edited": _("Edited"), "deleted": _("Deleted"), "added": _("New")},
        },
    }


def _cells(shown: ShownRow, sure: bool) -> dict[str, Any]:
    row = shown.row
    notes = [ngettext("{n} earlier message", "{n} earlier messages", len(row.context))] if row.context else []
    notes += [ngettext("{n} tool call", "{n} tool calls", len(row.tool_calls))] if row.tool_calls else []
    notes += [_("rejected answer")] if row.rejected is not None else []
    answer = (
        message_text(row.answer_message()) if row.tool_calls else row.output if row.output is not None else row.gold
    )
    asked = row.input or (message_text(row.context[-1]) if row.answers_context else "")
    return {
        "id": row.id,
        "input": _short(asked),
        "answer": _short(answer or ""),
        "none": _("no answer") if answer is None else "",
        "notes": " · ".join(notes),
        "tags": list(row.tags),
        "state": shown.state,
        **({"confidence": "" if row.confidence is None else percent(row.confidence)} if sure else {}),
    }


def _short(text: str) -> str:
    """Its beginning, without empty lines: a cell shows three."""
    text = _EMPTY_LINES.sub("\n", text[: 2 * LONGEST]).strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
