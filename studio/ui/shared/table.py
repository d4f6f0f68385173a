"""A table whose cells are text and nothing else, whoever wrote them: sortable where asked, with bars, both writing directions.

A component of our own: Streamlit's tables either read Markdown in cells or speak English in their menus.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

import streamlit as st

from studio.ui.shared.i18n import _


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_TABLE = st.components.v2.component(
    "slmops_table",
    html='<div class="scroll" tabindex="0" role="region"></div>',
    css=_part(".css"),
    js=_part(".js"),
)


class Column(TypedDict):
    """`name` is bold, `words` is text of any length, `figure` a number; `high`: the first click puts the highest on top."""

    title: str
    kind: Literal["name", "words", "figure"]
    high: NotRequired[bool]


class Tag(TypedDict):
    text: str
    tone: Literal["", "accent", "green", "orange", "red"]


class Cell(TypedDict):
    """`value` is sorted by ("" is always last); `share` and `range` (0 to 1) draw a bar with a whisker; `mark` with the word
    `said` stands above the text."""

    text: str
    sub: NotRequired[str]
    value: NotRequired[float | str]
    share: NotRequired[float]
    range: NotRequired[tuple[float, float]]
    colour: NotRequired[str]
    tags: NotRequired[list[Tag]]
    mark: NotRequired[Literal["good", "bad"]]
    said: NotRequired[str]


def plain_table(
    key: str,
    label: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    sort: tuple[int, bool] | None = None,
    stack: bool = False,
) -> None:
    """`label` names the table for screen readers; `sort`: (column, descending), which makes headers clickable; `stack`:
    rows become cards on a narrow screen."""
    data = {
        "label": label,
        "hint": _("Sort by this column"),
        "columns": list(columns),
        "rows": [list(row) for row in rows],
        "sort": list(sort) if sort else None,
        "stack": stack,
    }
    _TABLE(key=key, data=data)
