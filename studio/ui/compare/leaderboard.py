"""The leaderboard, and what one model gains against another."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from backend.api.metrics import costs, higher_is_better, qualities
from backend.results.evaluations import (
    MIN_QUALITY_KEPT,
    EvaluationView,
    measured_qualities,
    metric_ratio,
    pareto_front,
)
from studio.ui.compare.baseline import baseline_cells, comparison
from studio.ui.compare.charts import colour
from studio.ui.compare.controls import Selection, model_choice
from studio.ui.compare.labels import gain_text, model_kind_label, origin_texts, quality_text
from studio.ui.shared.charts import SHARES
from studio.ui.shared.formatting import escape_markdown, format_metric
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, Tag, plain_table

OTHERS = 3
"""Qualities that the leaderboard shows next to the chosen one; the rest is folded."""
GAINS = ("latency_ms_p50", "size_bytes", "peak_memory_bytes")


def gains(choice: Selection) -> Selection:
    """The card beside the chart; returns the choice with the two models that were picked there."""
    st.markdown(f"**{_('Compared with baseline')}**")
    picked = model_choice(_("Model"), choice, "picked", choice.picked)
    several = len(choice.group) > 1
    against = model_choice(_("Compared with"), choice, "against", choice.against) if several else picked
    with st.grid(2, min_column_width=120, gap="small"):
        for metric in (choice.quality, *GAINS):
            if metric in picked.metrics:
                _tile(picked, against, metric)
    if choice.quality in picked.metrics:
        st.caption(f"{format_metric(choice.quality, 0.0)[0]}: {quality_text(picked, choice.quality)}")
    if said := comparison(picked):
        st.caption(f":material/speed: {escape_markdown(said)}")
    for said in origin_texts(picked):
        st.caption(f":material/subdirectory_arrow_right: {escape_markdown(said)}")
    if not several:
        st.caption(_("Evaluate a second model on the same rows to compare."))
    return replace(choice, picked=picked, against=against)


def _tile(picked: EvaluationView, against: EvaluationView, metric: str) -> None:
    ratio = None if picked.id == against.id else metric_ratio(picked, against, metric)
    label, value = format_metric(metric, picked.metrics[metric])
    said = None if ratio is None else gain_text(metric, ratio)
    good = ratio is not None and (ratio >= MIN_QUALITY_KEPT if metric in qualities() else ratio <= 1.0)
    st.metric(label, value, said, delta_color="green" if good else "orange", delta_arrow="off")


def leaderboard(choice: Selection) -> None:
    """All models of the benchmark, sorted in the browser."""
    columns, rows = leaderboard_table(choice)
    st.markdown(f"**{_('Leaderboard')}**")
    plain_table("cmp_board", _("Leaderboard"), columns, rows, sort=(1, higher_is_better(choice.quality)))
    other_qualities(choice)


def other_qualities(choice: Selection) -> None:
    """What the leaderboard leaves out, folded."""
    names = [name for name in measured_qualities(choice.group) if name != choice.quality][OTHERS:]
    if not names:
        return
    columns: list[Column] = [{"title": _("Model"), "kind": "name"}]
    columns += [
        {"title": format_metric(name, 0.0)[0], "kind": "figure", "high": higher_is_better(name)} for name in names
    ]
    rows = [
        [_name_cell(one, choice, False), *(_cell(one, name, choice.quality) for name in names)] for one in choice.group
    ]
    with st.expander(_("More metrics"), key="cmp_more"):
        plain_table("cmp_more_board", _("More metrics"), columns, rows)


def leaderboard_table(choice: Selection) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and rows, the chosen measure of quality first and the quick baseline last; also what a report shows."""
    others = [name for name in measured_qualities(choice.group) if name != choice.quality][:OTHERS]
    metrics = [
        choice.quality,
        *others,
        *(name for name in (*costs(), "model_memory_bytes") if any(name in one.metrics for one in choice.group)),
    ]
    columns: list[Column] = [{"title": _("Model"), "kind": "name"}]
    for metric in metrics:
        columns.append(
            {"title": format_metric(metric, 0.0)[0], "kind": "figure", "high": higher_is_better(metric)},
        )
    best = {one.id for one in pareto_front(choice.group, choice.x, choice.quality)}
    rows = [
        [_name_cell(one, choice, one.id in best), *(_cell(one, metric, choice.quality) for metric in metrics)]
        for one in choice.group
    ]
    plain = baseline_cells(choice, metrics)
    return columns, [*rows, plain] if plain else rows


def _name_cell(one: EvaluationView, choice: Selection, best: bool) -> Cell:
    tags: list[Tag] = [{"text": _("Pareto front"), "tone": "accent"}] if best else []
    if one.id == choice.against.id and len(choice.group) > 1:
        tags.append({"text": _("Baseline"), "tone": ""})
    return {"text": choice.names[one.id], "sub": model_kind_label(one), "tags": tags}


def _cell(one: EvaluationView, metric: str, quality: str) -> Cell:
    if metric not in one.metrics:
        return {"text": "–", "value": ""}
    value = one.metrics[metric]
    cell: Cell = {"text": format_metric(metric, value)[1], "value": value}
    interval = one.interval(metric)
    if metric == quality and metric in SHARES:
        cell |= {"share": value, "colour": colour(one)}
        if interval:
            cell["range"] = interval
    if interval:
        cell["sub"] = f"{format_metric(metric, interval[0])[1]} – {format_metric(metric, interval[1])[1]}"
    if metric == "latency_ms_p50" and "latency_ms_p95" in one.metrics:
        cell["sub"] = f"p95 {format_metric(metric, one.metrics['latency_ms_p95'])[1]}"
    return cell
