"""Loss by step while a job trains and after: drawn in the browser from plain numbers."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _

TRAINING_STAGES = ("distill", "finetune")
MAX_POINTS = 400
"""Points of a line: more could not be told apart on a screen."""
HEIGHT = 220


def loss_chart(job: JobView) -> None:
    """The chart of a stage that trains, and a line in its place until there is something to draw; nothing for others."""
    if job.stage not in TRAINING_STAGES or job.started is None:
        return
    lines = _lines(job)
    if not any(len(line) > 1 for line in lines.values()):
        if not job.state.ended:
            with st.container(height=HEIGHT, border=False, vertical_alignment="center", horizontal_alignment="center"):
                st.caption(_("The loss curve begins with the first steps."), width="content")
        return
    st.echarts_chart(_figure(job, lines), height=HEIGHT, key=f"curve_{job.id}", alt=_alt(lines))


def _lines(job: JobView) -> dict[str, list[tuple[float, float]]]:
    """Step and value by metric; of the same step the last, since a job that died does some steps again."""
    points = api_cache.metric_points(job.id, at_work=not job.state.ended)
    lines = {}
    for name in ("loss", "eval_loss"):
        found = sorted({point.step: point.value for point in points if point.name == name}.items())
        thin = -(-len(found) // MAX_POINTS) or 1
        lines[name] = found[:-1:thin] + found[-1:]
    return lines


def _words() -> dict[str, str]:
    return {"loss": _("Training loss"), "eval_loss": _("Validation loss")}


def _figure(job: JobView, lines: dict[str, list[tuple[float, float]]]) -> dict[str, Any]:
    last = max((line[-1][0] for line in lines.values() if line), default=1)
    whole = job.total if job.note in ("training", "evaluating") else 0
    series = [
        {
            "name": _words()[name],
            "type": "line",
            "showSymbol": name == "eval_loss" or len(line) == 1,
            "symbolSize": 6,
            "lineStyle": {"width": 2, "type": "dashed" if name == "eval_loss" else "solid"},
            "data": line,
        }
        for name, line in lines.items()
        if line or not job.state.ended
    ]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 34, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "right": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "value", "min": 0, "max": max(whole, last), "splitLine": {"show": False}},
        "yAxis": {"type": "value", "scale": True},
        "series": series,
    }


def _alt(lines: dict[str, list[tuple[float, float]]]) -> str:
    parts = [f"{_words()[name]}: {number(line[-1][1])}" for name, line in lines.items() if line]
    return " · ".join([_("Loss by step"), *parts])
