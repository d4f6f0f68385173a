"""The page Compare: what was measured in the project, live while more is being measured."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import Problem
from backend.core.schemas import JobView, Kind, State
from backend.results.evaluations import EvaluationView, benchmarks
from studio.nav import COMPARE, HOME
from studio.ui.compare.baseline import baseline_level, beaten_captions
from studio.ui.compare.charts import bars_chart, pareto_chart
from studio.ui.compare.controls import Selection, axis, controls
from studio.ui.compare.details import details
from studio.ui.compare.export import exports
from studio.ui.compare.labels import task_text
from studio.ui.compare.leaderboard import gains, leaderboard
from studio.ui.compare.load_test import load_panel
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.shared import api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import (
    TRUNCATED_SHARE,
    escape_markdown,
    format_metric,
    message_markdown,
    truncation_hint,
)
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import latest_jobs, project_stepper
from studio.ui.shared.widgets import progress

BARS = ("latency_ms_p50", "size_bytes", "peak_memory_bytes")


@api_cache.versioned("artifact", "artifact_parent", entries=16)
def measured(project_id: str) -> list[EvaluationView]:
    """All measurements of a project, newest first."""
    return api_cache.studio().evaluations(project_id)


def compare_page() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            st.title(_(COMPARE.title), anchor=False)
            st.caption(_("Cost and gain of each step, on unseen rows."))
        tools = st.container(width="content")
    with api_cache.show_errors():
        project_stepper(COMPARE)
        found = measured(project().id)
        _live(found)
        if benchmarks(found):
            choice = controls(found)
            if said := task_text(choice.group):
                st.caption(said)
            choice = _overview(choice)
            with tools:
                exports(choice)
            details(choice)
            _measure(choice)
        else:
            _nothing_yet()
        load_panel()


def _overview(choice: Selection) -> Selection:
    left, right = st.columns([3, 2], gap="small")
    with right, st.container(border=True, height="stretch", key="cmp_gains"):
        choice = gains(choice)
    with left, st.container(border=True, height="stretch", key="cmp_front"):
        choice = _front(choice)
    with st.container(border=True, key="cmp_leaderboard"):
        leaderboard(choice)
    beaten_captions(choice)
    for one in choice.group:
        if (share := one.metrics.get("cut_off", 0.0)) >= TRUNCATED_SHARE:
            said = f"{choice.names[one.id]}: {truncation_hint(share)}"
            st.caption(f":material/content_cut: {escape_markdown(said)}")
    with st.grid(2, min_column_width=300, gap="small"):
        for metric in (choice.quality, *BARS):
            if any(metric in one.metrics for one in choice.group):
                _bars(choice, metric)
    return choice


def _front(choice: Selection) -> Selection:
    with st.container(horizontal=True, vertical_alignment="center", key="cmp_front_head"):
        st.markdown(f"**{_('Quality and cost')}**", width="stretch")
        beside = st.container(horizontal=True, width="content")
    choice = axis(choice, beside)
    level = baseline_level(choice)
    st.plotly_chart(
        pareto_chart(choice.drawn, choice.names, choice.x, choice.quality, choice.log, level),
        key="cmp_front_chart",
        config=chart_config("pareto"),
        alt=_(
            "{quality} by {cost}: one point per model, with the Pareto front as a line. See the "
            "leaderboard for figures."
        ).format(quality=format_metric(choice.quality, 0.0)[0], cost=format_metric(choice.x, 0.0)[0]),
    )
    hint = _("No other model is better on both axes than those on the line. Larger circles use more memory.")
    if any(one.interval(choice.quality) for one in choice.drawn):
        hint += " " + _("Error bars: 95% CI.")
    if level:
        hint += " " + _("Dashed: quick baseline, no language model.")
    missing = [one for one in choice.group if not {choice.x, choice.quality} <= one.metrics.keys()]
    if missing:
        hint += " " + ngettext("{n} model without this metric.", "{n} models without this metric.", len(missing))
    st.caption(hint)
    return choice


def _bars(choice: Selection, metric: str) -> None:
    label = format_metric(metric, 0.0)[0]
    with st.container(border=True, height="stretch", key=f"cmp_bars_{metric}"):
        st.markdown(f"**{label}**")
        st.plotly_chart(
            bars_chart(choice.group, metric, baseline_level(choice) if metric == choice.quality else None),
            key=f"cmp_bar_{metric}",
            config=chart_config(metric),
            alt=_("{title} by model, bar chart").format(title=label),
        )


def _jobs() -> list[JobView]:
    return latest_jobs(api_cache.project_runs(project().id), "evaluate")


def _live(found: list[EvaluationView]) -> None:
    """What is being measured right now; the page is drawn again when one is ready."""
    drawn = {one.id for one in found}

    def draw() -> bool:
        if {one.id for one in measured(project().id)} != drawn:
            st.rerun()
        jobs = _jobs()
        waiting = [job for job in jobs if not job.state.ended]
        _waiting(waiting)
        if not waiting and jobs and jobs[0].state is State.FAILED:
            _failed(jobs[0])
        return bool(waiting)

    api_cache.auto_refresh(draw, busy=any(not job.state.ended for job in _jobs()))


def _waiting(jobs: list[JobView]) -> None:
    if not jobs:
        return
    with st.container(border=True, key="cmp_waiting", gap="xsmall"):
        said = ngettext("{n} evaluation running or queued.", "{n} evaluations running or queued.", len(jobs))
        st.markdown(f":material/hourglass_top: {said}")
        for job in jobs:
            if job.state in (State.RUNNING, State.CANCELLING):
                progress(job)


def _failed(job: JobView) -> None:
    why = Problem(code=job.error.code, args=job.error.args).text(_) if job.error else ""
    st.warning(f"{_('The last evaluation failed.')} {message_markdown(why)}", icon=":material/error:")


def _measure(choice: Selection) -> None:
    one = choice.group[0]
    box = st.expander(_("Evaluate another model"), icon=":material/speed:", key="cmp_measure", on_change="rerun")
    with box:
        if box.open:
            stage_panel("evaluate", preset={"data": one.data, "split": one.split})


def _nothing_yet() -> None:
    with st.container(border=True, key="cmp_nothing"):
        st.header(_("No evaluations yet"), anchor=False)
        st.markdown(
            _(
                "Evaluate a model on unseen rows: quality, speed, size and memory. The demo builds "
                "and evaluates four models in one go."
            )
        )
        page_link(HOME.path, label=_("Start the demo on the Home page"), icon=":material/play_arrow:")
    if scope.own((Kind.MODEL, Kind.ADAPTER, Kind.ONNX)) and scope.own((Kind.DATASET,)):
        st.header(_("Evaluate a model"), anchor=False)
        stage_panel("evaluate")
