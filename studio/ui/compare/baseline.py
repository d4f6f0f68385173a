"""The quick baseline beside the models: what no language model reaches on the same rows, and who does not beat it."""

from __future__ import annotations

import streamlit as st

from backend.results.evaluations import EvaluationView, quick_baseline
from studio.ui.compare.charts import LEVEL
from studio.ui.compare.controls import Selection, untuned
from studio.ui.shared.charts import SHARES
from studio.ui.shared.formatting import escape_markdown, format_metric
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell


def baseline_level(choice: Selection) -> tuple[float, str] | None:
    """Its figure of the chosen quality and the words for a chart, `Quick baseline: 83.1 %`; None where it was not measured."""
    found = quick_baseline(choice.group)
    if found is None or choice.quality not in found.figures:
        return None
    value = found.figures[choice.quality]
    return value, f"{_('Quick baseline')}: {format_metric(choice.quality, value)[1]}"


def baseline_cells(choice: Selection, metrics: list[str]) -> list[Cell] | None:
    """Its row of the leaderboard, marked as no model; costs are left open."""
    found = quick_baseline(choice.group)
    if found is None:
        return None
    name: Cell = {"text": _("Quick baseline"), "sub": _(found.words), "tags": [{"text": _("No model"), "tone": ""}]}
    return [name, *(_cell(found.figures, metric, choice.quality) for metric in metrics)]


def _cell(figures: dict[str, float], metric: str, quality: str) -> Cell:
    value = figures.get(metric)
    if value is None:
        return {"text": "–", "value": ""}
    cell: Cell = {"text": format_metric(metric, value)[1], "value": value}
    low, high = figures.get(f"{metric}_low"), figures.get(f"{metric}_high")
    if metric == quality and metric in SHARES:
        cell |= {"share": value, "colour": LEVEL}
    if low is not None and high is not None:
        cell["sub"] = f"{format_metric(metric, low)[1]} – {format_metric(metric, high)[1]}"
        if metric == quality:
            cell["range"] = (low, high)
    return cell


def comparison(one: EvaluationView) -> str:
    """Whether this model beats the quick baseline, or why that is not known; "" for an evaluation of before."""
    return one.baseline.comparison.sentence(_) if one.baseline else ""


def beaten_captions(choice: Selection) -> None:
    """A line for each model that does not beat the quick baseline; of one that was never tuned nobody expects it."""
    raw = {one.id for one in untuned(choice.group)}
    for one in choice.group:
        if one.id not in raw and one.baseline and one.baseline.beaten is False:
            st.caption(f":material/warning: {escape_markdown(f'{choice.names[one.id]}: {comparison(one)}')}")
