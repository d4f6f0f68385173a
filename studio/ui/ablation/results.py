"""An ablation's run as it goes on, and what it showed: verdict, chart, table, CSV."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import RunView, State
from backend.planning.ablation.results import Ablation, Arm, is_ablation
from backend.results.answers import table_csv
from studio.ui.ablation.chart import ablation_chart, drawn
from studio.ui.ablation.labels import headline, interval_text, percentage_points, range_text, variant_label, verdicts
from studio.ui.forms.pickers import disambiguate
from studio.ui.shared import api_cache
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import ago, duration, escape_markdown, format_metric, number, option_label, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import job_card
from studio.ui.shared.project import project
from studio.ui.shared.table import Cell, Column, plain_table
from studio.ui.shared.widgets import run_link, state_badge, worker_hint

RUN = "ablation_run"


def results() -> None:
    """Of the chosen run of this project, the newest at first; nothing when there is none."""
    mine = project().id
    runs = [run for run in api_cache.project_runs(mine) if is_ablation(run)]
    if not runs:
        st.info(_("No ablation in this project yet."), icon=":material/info:")
        return
    run_id = _chosen(runs)

    def draw() -> bool:
        run = api_cache.one_run(run_id)
        _progress(run)
        _shown(ablation_of(run_id, ",".join(job.state for job in run.jobs)))
        for job in run.jobs:
            if job.state is State.FAILED:
                job_card(job, run=False)
        return not run.state.ended

    api_cache.auto_refresh(draw, busy=not api_cache.one_run(run_id).state.ended)
    st.header(_("New ablation"), anchor=False)


@st.cache_resource(ttl="60s", max_entries=16, show_spinner=False)
def ablation_of(run_id: str, states: str) -> Ablation:
    """Read anew when the state of a job changes, which `states` tells."""
    return api_cache.studio().ablation(run_id)


def _chosen(runs: list[RunView]) -> str:
    names = disambiguate({run.id: f"{run.name} · {ago(run.created)}" for run in runs})
    if st.session_state.get(RUN) not in names:
        st.session_state[RUN] = runs[0].id
    if len(runs) > 1:
        st.selectbox(
            _("Ablation"), list(names), format_func=lambda id_: names.get(id_, id_), key=RUN, persist_state="session"
        )
    return str(st.session_state[RUN])


def _progress(run: RunView) -> None:
    done = sum(job.state.finished for job in run.jobs)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        state_badge(run.state)
        run_link(run.id)
        st.caption(_("{done} of {total} steps done").format(done=done, total=len(run.jobs)), width="content")
    if not run.state.ended:
        shares = [min(job.done / job.total, 1.0) for job in run.jobs if job.state is State.RUNNING and job.total > 0]
        st.progress((done + sum(shares)) / len(run.jobs))
        worker_hint()


def _shown(found: Ablation) -> None:
    if not found.arms:
        if found.run.state.ended:
            st.info(_("No measurements in this run."), icon=":material/info:")
        return
    _verdict(found)
    title = format_metric(found.metric, 0.0)[0]
    st.plotly_chart(
        ablation_chart(found),
        key="ablation_chart",
        config=chart_config("ablation"),
        alt=_("{metric} by variant, one dot per seed, with 95% intervals").format(metric=title),
    )
    hidden = [arm for arm in found.arms if arm not in drawn(found.arms)]
    for arm in hidden:
        words = _("{variant}: {score} (below the chart)")
        st.caption(words.format(variant=variant_label(arm.variant, arm.precision), score=percent(arm.mean)))
    plain_table(
        "ablation_table", _("Variants"), _columns(title), [_cells(found, arm) for arm in found.arms], stack=True
    )
    st.caption(_measured(found))
    st.download_button(
        _("Table (CSV)"),
        lambda: ablation_csv(found),
        f"{found.run.name}.csv",
        "text/csv",
        key="ablation_csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _verdict(found: Ablation) -> None:
    kind, words = headline(found)
    lines = "\n".join(f"- {escape_markdown(each)}" for each in verdicts(found))
    draw = {"success": st.success, "warning": st.warning, "info": st.info}[kind]
    icons = {"success": ":material/trending_up:", "warning": ":material/trending_down:", "info": ":material/balance:"}
    if not found.run.state.finished:
        words = _("So far: {verdict}").format(verdict=words)
    draw(f"**{words}**" + (f"\n\n{lines}" if lines else ""), icon=icons[kind])


def _measured(found: Ablation) -> str:
    split = option_label("evaluate", "split", found.split)
    words = _(
        "{rows} rows of {split}. Intervals: 95%, from 10,000 bootstrap samples of rows and "
        "seeds. Costs are means per seed; the teacher's time covers all answers, plus the "
        "capture for logit."
    )
    return words.format(rows=number(found.n), split=split)


def _columns(title: str) -> list[Column]:
    figures = [
        title,
        _("Compared with labelled rows"),
        _("Steps"),
        _("Training"),
        _("Training tokens"),
        _("Teacher time"),
    ]
    columns: list[Column] = [{"title": _("Variant"), "kind": "name"}]
    columns += [{"title": each, "kind": "figure"} for each in figures]
    return columns


def _cells(found: Ablation, arm: Arm) -> list[Cell]:
    spread = "" if arm.spread is None else " · " + _("seeds ± {points}").format(points=percentage_points(arm.spread))
    score: Cell = {"text": percent(arm.mean), "sub": interval_text(arm) + spread}
    difference = found.difference(arm.variant, "gold", arm.precision)
    against: Cell = {"text": "–"}
    if difference:
        sign = "+" if difference.mean > 0 else ""
        against = {
            "text": sign + percentage_points(difference.mean),
            "sub": range_text(difference.low, difference.high),
        }
    return [
        {"text": variant_label(arm.variant, arm.precision)},
        score,
        against,
        {"text": "–" if arm.steps is None else number(arm.steps)},
        {"text": "–" if arm.seconds is None else duration(arm.seconds)},
        {"text": "–" if arm.tokens is None else number(arm.tokens)},
        {"text": "–" if not arm.teacher_seconds else duration(arm.teacher_seconds)},
    ]


def ablation_csv(found: Ablation) -> str:
    """One line for each variant, precision and seed; values are raw: shares of 1, seconds."""
    header = ["variant", "precision", "seed", "metric", "score", "mean", "low", "high"]
    header += ["against_gold", "against_gold_low", "against_gold_high", "against_gold_p"]
    header += ["rows", "split", "steps", "training_seconds", "training_tokens", "teacher_seconds"]
    lines = []
    for arm in found.arms:
        gold = found.difference(arm.variant, "gold", arm.precision)
        against = [gold.mean, gold.low, gold.high, gold.p] if gold else [None] * 4
        costs = [found.n, found.split, arm.steps, arm.seconds, arm.tokens, arm.teacher_seconds]
        for seed, score in arm.scores.items():
            about = [arm.variant, arm.precision, seed or None, found.metric, score, arm.mean, arm.low, arm.high]
            lines.append([*about, *against, *costs])
    return table_csv(header, lines)
