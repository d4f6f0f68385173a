"""All that the run measured, side by side, with absolute values."""

from __future__ import annotations

import streamlit as st

from backend.results.run_result import RunResult
from studio.ui.result.words import COSTS, quality_cell, roles
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, plain_table


def comparison_rows(result: RunResult) -> tuple[list[str], list[list[str]]]:
    """Header and rows as plain text: role and name, quality with interval, costs; the quick baseline last."""
    header = [_("Model"), format_metric(result.quality, 0.0)[0], *(format_metric(cost, 0.0)[0] for cost in COSTS)]
    rows = [
        [f"{role}\n{one.model_name}", quality_cell(one, result.quality)]
        + [format_metric(cost, one.metrics[cost])[1] if cost in one.metrics else "–" for cost in COSTS]
        for role, one in roles(result)
    ]
    if result.baseline and result.quality in result.baseline.figures:
        figures = result.baseline.figures
        value = format_metric(result.quality, figures[result.quality])[1]
        name = f"{_('Quick baseline')}\n{_(result.baseline.words)}"
        rows.append([name, value, *("–" for _cost in COSTS)])
    return header, rows


def comparison(result: RunResult) -> None:
    if result.best is None:
        return
    header, rows = comparison_rows(result)
    columns: list[Column] = [{"title": header[0], "kind": "name"}]
    columns += [{"title": title, "kind": "words"} for title in header[1:]]
    cells: list[list[Cell]] = []
    for first, *rest in rows:
        role, _newline, name = first.partition("\n")
        line: list[Cell] = [{"text": role, "sub": name}]
        cells.append([*line, *(Cell(text=text) for text in rest)])
    st.header(_("Comparison"), anchor=False)
    plain_table("result_comparison", _("All measurements on the same rows"), columns, cells, stack=True)
