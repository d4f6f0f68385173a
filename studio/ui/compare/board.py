"""The leaderboard, and what one model gains against another."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from backend.results.evaluations import HIGHER_IS_BETTER, KEPT, QUALITIES, EvaluationView, front, gain, qualities
from studio.ui.compare.controls import Choice, model_choice
from studio.ui.compare.figures import colour
from studio.ui.compare.words import gain_words, kind_words, origins_words, quality_words
from studio.ui.shared.charts import SHARES
from studio.ui.shared.formatting import escaped, metric_words
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, Tag, plain_table

GAINS = ("latency_ms_p50", "size_bytes", "peak_memory_bytes")
COSTS = ("latency_ms_p50", "decode_tokens_per_s", "size_bytes", "peak_memory_bytes", "model_memory_bytes")


def gains(choice: Choice) -> Choice:
    """The card beside the chart; returns the choice with the two models that were picked there."""
    st.markdown(f"**{_('What is gained')}**")
    picked = model_choice(_("Model"), choice, "picked", choice.picked)
    several = len(choice.group) > 1
    against = model_choice(_("Compared with"), choice, "against", choice.against) if several else picked
    with st.grid(2, min_column_width=120, gap="small"):
        for metric in (choice.quality, *GAINS):
            if metric in picked.metrics:
                _tile(picked, against, metric)
    if choice.quality in picked.metrics:
        st.caption(f"{metric_words(choice.quality, 0.0)[0]}: {quality_words(picked, choice.quality)}")
    for said in origins_words(picked):
        st.caption(f":material/subdirectory_arrow_right: {escaped(said)}")
    if not several:
        st.caption(_("Measure a second model on the same rows to compare."))
    return replace(choice, picked=picked, against=against)


def _tile(picked: EvaluationView, against: EvaluationView, metric: str) -> None:
    ratio = None if picked.id == against.id else gain(picked, against, metric)
    label, value = metric_words(metric, picked.metrics[metric])
    said = None if ratio is None else gain_words(metric, ratio)
    good = ratio is not None and (ratio >= KEPT if metric in QUALITIES else ratio <= 1.0)
    st.metric(label, value, said, delta_color="green" if good else "orange", delta_arrow="off")


def leaderboard(choice: Choice) -> None:
    """All models of the benchmark, sorted in the browser."""
    columns, rows = board(choice)
    st.markdown(f"**{_('Leaderboard')}**")
    plain_table("cmp_board", _("Leaderboard"), columns, rows, sort=(1, choice.quality in HIGHER_IS_BETTER))


def board(choice: Choice) -> tuple[list[Column], list[list[Cell]]]:
    """Columns and rows, the chosen measure of quality first; also what a report shows."""
    others = [name for name in qualities(choice.group) if name != choice.quality]
    metrics = [choice.quality, *others, *(name for name in COSTS if any(name in one.metrics for one in choice.group))]
    columns: list[Column] = [{"title": _("Model"), "kind": "name"}]
    for metric in metrics:
        columns.append(
            {"title": metric_words(metric, 0.0)[0], "kind": "figure", "high": metric in HIGHER_IS_BETTER},
        )
    best = {one.id for one in front(choice.group, choice.x, choice.quality)}
    return columns, [
        [_name_cell(one, choice, one.id in best), *(_cell(one, metric, choice.quality) for metric in metrics)]
        for one in choice.group
    ]


def _name_cell(one: EvaluationView, choice: Choice, best: bool) -> Cell:
    tags: list[Tag] = [{"text": _("Pareto front"), "tone": "accent"}] if best else []
    if one.id == choice.against.id and len(choice.group) > 1:
        tags.append({"text": _("Reference"), "tone": ""})
    return {"text": choice.names[one.id], "sub": kind_words(one), "tags": tags}


def _cell(one: EvaluationView, metric: str, quality: str) -> Cell:
    if metric not in one.metrics:
        return {"text": "–", "value": ""}
    value = one.metrics[metric]
    cell: Cell = {"text": metric_words(metric, value)[1], "value": value}
    interval = one.interval(metric)
    if metric == quality and metric in SHARES:
        cell |= {"share": value, "colour": colour(one)}
        if interval:
            cell["range"] = interval
    if interval:
        cell["sub"] = f"{metric_words(metric, interval[0])[1]} – {metric_words(metric, interval[1])[1]}"
    if metric == "latency_ms_p50" and "latency_ms_p95" in one.metrics:
        cell["sub"] = f"p95 {metric_words(metric, one.metrics['latency_ms_p95'])[1]}"
    return cell
