"""One run: its stages in order, each with state, progress, figures, and what went wrong."""

from __future__ import annotations

import streamlit as st

from backend.errors import Problem
from backend.schemas import JobError, JobView, RunView, State
from studio.ui import source
from studio.ui.i18n import _
from studio.ui.parts import home_link, progress, state_badge
from studio.ui.words import ago, duration, escaped, metric_words, run_seconds, size, stage_words

CURVES = ("loss", "eval_loss")


def run_details(run_id: str) -> None:
    home_link(_("All runs"))
    with source.shown():
        run = source.one_run(run_id)
        source.live(lambda: _draw(run_id), busy=not run.state.ended)
        _recipe(run)


def _draw(run_id: str) -> bool:
    run = source.one_run(run_id)
    _header(run)
    for job in run.jobs:
        _job(job)
    return not run.state.ended


def _header(run: RunView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.title(escaped(run.name), anchor=False, width="content")
                state_badge(run.state)
            seconds = run_seconds(run)
            took = [duration(seconds)] if seconds is not None else []
            st.caption(" · ".join([*took, ago(run.created), run.id]))
        if not run.state.ended:
            st.button(
                _("Cancel the run"),
                key="cancel_run",
                icon=":material/stop_circle:",
                on_click=source.act,
                args=(lambda: source.studio().cancel_run(run.id),),
            )


def _job(job: JobView) -> None:
    with st.container(border=True, key=f"job_{job.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.markdown(f"**{stage_words(job.stage)}**", width="content")
                state_badge(job.state)
                st.caption(f"`{job.stage_id}`", width="content")
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.caption(_cost(job), width="content")
                _action(job)
        if job.state in (State.RUNNING, State.CANCELLING):
            progress(job)
        if job.error:
            _failure(job.error)
        _figures(job)
        _curves(job)
        _log(job)


def _cost(job: JobView) -> str:
    parts = []
    if job.seconds is not None:
        parts.append(duration(job.seconds))
    elif job.quote and not job.state.ended:
        parts.append(_("about {time}").format(time=duration(job.quote.seconds)))
    if job.peak_memory_bytes:
        parts.append(_("{size} memory").format(size=size(job.peak_memory_bytes)))
    if job.attempts > 1:
        parts.append(_("attempt {n}").format(n=job.attempts))
    return " · ".join(parts)


def _action(job: JobView) -> None:
    if job.state in (State.FAILED, State.CANCELLED):
        st.button(
            _("Retry"),
            key=f"retry_{job.id}",
            icon=":material/refresh:",
            on_click=source.act,
            args=(lambda: source.studio().retry(job.id),),
        )


def _failure(error: JobError) -> None:
    words = Problem(code=error.code, args=error.args, field=error.field).text(_)
    st.error(escaped(words), icon=":material/error:")


def _figures(job: JobView) -> None:
    metrics: dict[str, float] = job.result.get("metrics", {})
    if metrics:
        with st.grid("auto", min_column_width=150, gap="small"):
            for name, value in metrics.items():
                st.metric(*metric_words(name, value))


def _curves(job: JobView) -> None:
    """Loss by step while it trains and after: small, drawn in the browser from plain numbers."""
    if job.started is None:
        return
    points = source.curve(job.id, at_work=not job.state.ended)
    drawn = {name: [(p.step, p.value) for p in points if p.name == name] for name in CURVES}
    if not any(len(line) > 1 for line in drawn.values()):
        return
    words = {"loss": _("Training loss"), "eval_loss": _("Validation loss")}
    series = [
        {"name": words[name], "type": "line", "showSymbol": len(line) < 30, "data": line}
        for name, line in drawn.items()
        if line
    ]
    st.echarts_chart(
        {
            "animation": False,
            "grid": {"left": 8, "right": 12, "top": 34, "bottom": 8, "containLabel": True},
            "legend": {"top": 0, "right": 0},
            "tooltip": {"trigger": "axis"},
            "xAxis": {"type": "value", "min": "dataMin", "max": "dataMax", "splitLine": {"show": False}},
            "yAxis": {"type": "value", "scale": True},
            "series": series,
        },
        height=220,
        key=f"curve_{job.id}",
        alt=_("Loss by step"),
    )


def _log(job: JobView) -> None:
    if job.started is None:
        return
    log = st.expander(_("Log"), key=f"log_{job.id}", type="compact", on_change="rerun")
    if log.open:
        lines = [f"{line.at:%H:%M:%S} {line.text}" for line in source.studio().logs(job.id, 200)]
        log.code("\n".join(lines) or _("Nothing was logged."), language=None, height=260)


def _recipe(run: RunView) -> None:
    st.download_button(
        _("Save as recipe"),
        lambda: source.studio().recipe_of(run.id),
        file_name=f"{run.name}.yaml",
        mime="application/yaml",
        key="recipe",
        icon=":material/download:",
        on_click="ignore",
    )
