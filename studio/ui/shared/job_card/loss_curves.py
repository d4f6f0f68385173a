"""Loss by step while a job trains and after: drawn in the browser from plain numbers."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.curves import Line, line_figure, marks, stop_sentence, thinned
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _

TRAINING_STAGES = ("distill", "finetune", "preference", "pretrain")
HEIGHT = 230


def loss_chart(job: JobView, kept: Collection[float] = ()) -> None:
    """The chart of a stage that trains, and a line in its place until there is something to draw; nothing for others. `kept`:
    the steps of checkpoints to mark."""
    if job.stage not in TRAINING_STAGES or job.started is None:
        return
    lines = _lines(job)
    if not any(len(line) > 1 for line in lines.values()):
        if not job.state.ended:
            with st.container(height=HEIGHT, border=False, vertical_alignment="center", horizontal_alignment="center"):
                st.caption(_("The loss curve appears after the first steps."), width="content")
        return
    words = _words()
    drawn = [
        Line(words[name], line, name == "eval_loss") for name, line in lines.items() if line or not job.state.ended
    ]
    result = job.result.get("metrics", {})
    drawn += (
        [Line(_("Checkpoint"), points, dots=True)]
        if (points := [p for p in lines["eval_loss"] if p[0] in kept])
        else []
    )
    drawn += marks(lines["eval_loss"], result)
    whole = job.total if job.note in ("training", "evaluating") else 0
    figure = line_figure(drawn, _("Loss"), last=whole if any(lines.values()) or whole else 1)
    st.echarts_chart(figure, height=HEIGHT, key=f"curve_{job.id}", alt=_alt(lines))
    if told := stop_sentence(result):
        st.caption(told)


def _lines(job: JobView) -> dict[str, list[tuple[float, float]]]:
    """Step and value by metric."""
    points = api_cache.metric_points(job.id, at_work=not job.state.ended)
    return {
        name: thinned([(point.step, point.value) for point in points if point.name == name])
        for name in ("loss", "eval_loss")
    }


def _alt(lines: dict[str, list[tuple[float, float]]]) -> str:
    words = _words()
    parts = [f"{words[name]}: {number(line[-1][1])}" for name, line in lines.items() if line]
    return " · ".join([_("Loss by step"), *parts])


def _words() -> dict[str, str]:
    return {"loss": _("Training loss"), "eval_loss": _("Validation loss")}
