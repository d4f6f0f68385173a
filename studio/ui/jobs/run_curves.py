"""The curves of all stages of a run that train, and of another run, in one chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from backend.api.metrics import metrics
from backend.core.schemas import JobView, MetricPoint, RunView
from studio.ui.shared import api_cache
from studio.ui.shared.curves import Line, line_figure, smoothed, thinned
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import AT_WORK
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES
from studio.ui.shared.step_names import step_names

HEIGHT = 300
LOSSES = ("loss", "eval_loss")
REWARDS = {"reward_margin", "reward_accuracy"}
"""Of preference tuning; a card has the losses alone."""
LOSS = "losses"
"""Training and validation loss in one chart."""


def curves(runs: Sequence[RunView]) -> None:
    """Nothing where no stage of them trained, nor for one alone whose chart stands in its own card."""
    found = {
        job.id: api_cache.metric_points(job.id, at_work=not job.state.ended) for run in runs for job in _trained(run)
    }
    drawn = [id_ for id_, points in found.items() if len(points) > 1]
    alone = [job for job in runs[0].jobs if [job.id] == drawn]
    names = {point.name for points in found.values() for point in points}
    in_card = any(len(runs[0].jobs) == 1 or job.state in AT_WORK for job in alone) and not names & REWARDS
    if not drawn or in_card:
        return
    st.header(_("Curves"), anchor=False)
    metric, log, weight = _controls(names)
    lines = [
        line for run in runs for job in _trained(run) for line in _lines(run, job, found[job.id], metric, len(runs))
    ]
    lines = [Line(each.name, smoothed(each.points, weight), each.dashed) for each in lines]
    title = _("Loss") if metric == LOSS else _(metrics()[metric].title if metric in metrics() else metric)
    st.echarts_chart(
        line_figure(lines, title, log=log), height=HEIGHT, key=f"curves_{runs[0].id}", alt=_alt(title, lines)
    )


def _trained(run: RunView) -> list[JobView]:
    return [job for job in run.jobs if job.stage in TRAINING_STAGES and job.started]


def _controls(names: set[str]) -> tuple[str, bool, float]:
    """(metric, logarithmic, weight of smoothing)."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="curve_controls"):
        others = sorted(names - set(LOSSES))
        metric = LOSS
        if others:
            words = {LOSS: _("Loss")} | {name: format_metric(name, 0.0)[0] for name in others}
            metric = st.selectbox(
                _("Metric"), list(words), format_func=words.__getitem__, key="curve_metric", width=220, filter_mode=None
            )
        weight = st.slider(_("Smoothing"), 0.0, 0.95, 0.0, 0.05, key="curve_smoothing", width=220)
        log = st.toggle(_("Logarithmic"), key="curve_log")
    return metric, log, weight


def _lines(run: RunView, job: JobView, points: list[MetricPoint], metric: str, runs: int) -> list[Line]:
    """Named by step, with the run's number where there are two runs."""
    names = LOSSES if metric == LOSS else (metric,)
    label = step_names(run.jobs)[job.stage_id]
    label = f"#{run.number} {label}" if runs > 1 else label
    words = {"loss": _("Training loss"), "eval_loss": _("Validation loss")}
    found = []
    for name in names:
        line = thinned([(point.step, point.value) for point in points if point.name == name])
        if line:
            found.append(Line(f"{label} · {words[name]}" if name in words else label, line, name == "eval_loss"))
    return found


def _alt(title: str, lines: Sequence[Line]) -> str:
    ends: list[Any] = [f"{line.name}: {format_metric('train_loss', line.points[-1][1])[1]}" for line in lines]
    return " · ".join([_("{metric} by step").format(metric=title), *ends])
