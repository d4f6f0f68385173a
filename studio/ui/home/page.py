"""Home: where the session's project stands, what comes next, what runs, and what was reached."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import JobView, RunView, Storage
from studio.nav import COMPARE, DATA, HOME, JOBS
from studio.ui.compare.page import measured
from studio.ui.guide.chain import begun as guide_begun
from studio.ui.guide.panel import guide_panel
from studio.ui.guide.state import chosen
from studio.ui.home.demo import demo_button, demo_card
from studio.ui.home.last_result import last_result
from studio.ui.shared import api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import (
    ago,
    duration,
    escape_markdown,
    format_metric,
    format_size,
    kind_label,
    run_seconds,
    stage_label,
)
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.job_card.queue_position import start_order_now, why_waiting
from studio.ui.shared.project import project, project_label
from studio.ui.shared.project_progress import next_link, project_stepper, session_stages
from studio.ui.shared.refresh import refresh_on_change
from studio.ui.shared.tour import tour_card
from studio.ui.shared.widgets import run_link, state_badge, worker_hint

RECENT = 8
MAX_UPCOMING = 3


def home_page() -> None:
    with api_cache.show_errors():
        runs = api_cache.project_runs(project().id)[:RECENT]
        begun = bool(runs or session_stages())
        _header(begun)
        tour_card()
        demo_card()
        if not begun:
            guide_panel()
            _demo()
            refresh_on_change(_now)
            return
        last_result(runs)
        project_stepper(HOME)
        next_link(HOME)
        _another()
        _best()
        refresh_on_change(_now)
        _recent(runs)


def _header(started: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap=None, width="content"):
            st.title(escape_markdown(project_label(project())), anchor=False)
            st.caption(_("Turn a file of examples into a small language model on your own hardware."))
        if started:
            demo_button(primary=False)


def _another() -> None:
    """The guided way once more; open while somebody is on it."""
    open_ = bool(chosen()["source"]) or guide_begun()
    with st.expander(_("Train another model"), icon=":material/add_circle:", expanded=open_, key="another"):
        guide_panel(framed=False)


def _demo() -> None:
    with st.container(border=True, key="nothing", gap="small"):
        st.markdown(
            f"**{_('No file at hand?')}** "
            + _(
                "The demo maps smart home commands to intents: it fine-tunes a teacher, distills it "
                "into a small student, quantizes it and evaluates every step."
            )
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            demo_button(primary=False)
            page_link(DATA.path, label=_("Go step by step instead"), icon=":material/arrow_forward:")
            st.caption(_("From a terminal: {command}").format(command="`slmops run quickstart`"), width="content")


def _best() -> None:
    """The best figures that the project has reached."""
    found = measured(project().id)
    if not found:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="no_figures"):
            st.markdown(_("Accuracy, size and speed appear here after the first evaluation."), width="stretch")
            page_link(COMPARE.path, label=_("Evaluate a model"), icon=COMPARE.icon)
        return
    tiles = (
        (_("Best accuracy"), ":material/verified:", "accuracy", max),
        (_("Smallest model"), ":material/compress:", "size_bytes", min),
        (_("Fastest, tokens per second"), ":material/speed:", "decode_tokens_per_s", max),
    )
    with st.grid(3, min_column_width=150, gap="small"):
        for label, icon, metric, pick in tiles:
            having = [one for one in found if metric in one.metrics]
            if having:
                best = pick(having, key=lambda one: one.metrics[metric])
                _tile(label, icon, format_metric(metric, best.metrics[metric])[1], escape_markdown(best.model_name))


def _now(jobs: list[JobView]) -> None:
    """The machine and what is at work, drawn again and again."""
    _machine(jobs)
    mine, others = scope.split_jobs(jobs)
    at_work = [job for job in mine if job.state in AT_WORK]
    if at_work:
        st.header(_("Running now"), anchor=False)
    for job in at_work:
        job_card(job, log=False)
    order = start_order_now()
    waiting = scope.split_jobs(order)[0]
    if waiting:
        st.header(_("Next in the queue"), anchor=False)
        with st.container(border=True, key="soon", gap="xsmall"):
            for job in waiting[:MAX_UPCOMING]:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.markdown(f"**{stage_label(job.stage)}**", width="content")
                    run_link(job.run_id)
                    st.caption(why_waiting(job, order), width="content")
            if len(waiting) > MAX_UPCOMING:
                page_link(JOBS.path, label=ngettext("and {n} more", "and {n} more", len(waiting) - MAX_UPCOMING))
    if others:
        said = ngettext(
            "{n} job from another project queued or running.",
            "{n} jobs from other projects queued or running.",
            len(others),
        )
        st.caption(f":material/folder_shared: {said}")


def _machine(jobs: list[JobView]) -> None:
    kept, workers = api_cache.storage(), api_cache.workers()
    at_work = sum(job.state in AT_WORK for job in jobs)
    waiting = ngettext("{n} queued", "{n} queued", len(jobs) - at_work)
    used = format_size(sum(kept.by_kind.values()))
    free = _("{size} free").format(size=format_size(kept.free))
    ready = (_("Ready"), escape_markdown(workers[0].host)) if workers else (_("None"), _("jobs wait"))
    with st.grid(3, min_column_width=150, gap="small"):
        _tile(_("Running jobs"), ":material/pending_actions:", str(at_work), waiting)
        _tile(_("Worker"), ":material/memory:", *ready)
        _tile(_("On disk"), ":material/hard_drive:", used, free, _kinds(kept))
    worker_hint()


def _tile(label: str, icon: str, value: str, below: str, help: str | None = None) -> None:
    st.metric(label, value, below, delta_color="off", delta_arrow="off", icon=icon, border=True, help=help)


def _kinds(kept: Storage) -> str | None:
    lines = [f"- {kind_label(kind)}: {format_size(used)}" for kind, used in sorted(kept.by_kind.items()) if used]
    return "\n".join(lines) or None


def _recent(runs: list[RunView]) -> None:
    if not runs:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.header(_("Recent runs"), anchor=False, width="content")
        page_link(JOBS.path, label=_("All jobs"), icon=":material/chevron_right:", icon_position="right")
    with st.container(border=True, key="recent", gap="xsmall"):
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                run_link(run.id)
                state_badge(run.state)
                st.space("stretch")
                st.caption(_facts(run), width="content")


def _facts(run: RunView) -> str:
    done = sum(job.state.finished for job in run.jobs)
    stages = ngettext("{n} stage", "{n} stages", len(run.jobs))
    parts = [stages if done == len(run.jobs) else _("{done} of {stages}").format(done=done, stages=stages)]
    seconds = run_seconds(run)
    if seconds is not None:
        parts.append(duration(seconds))
    return " · ".join([*parts, ago(run.created)])
