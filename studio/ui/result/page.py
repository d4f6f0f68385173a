"""One page per run: what was gained, in a sentence and in figures, with the model at hand."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import JobView, Kind, RunView, State
from backend.results.run_result import RunResult, run_result
from studio.nav import COMPARE, HOME, JOBS, QUANTIZE, RESULT, RUN
from studio.ui.result.actions import actions
from studio.ui.result.business_case import business_fold
from studio.ui.result.comparison import comparison
from studio.ui.result.mend import mend
from studio.ui.result.simpler import simpler_is_as_good
from studio.ui.result.try_it import try_it
from studio.ui.result.words import bits_words, headline, missing_words, sentences, tiles
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import (
    ago,
    duration,
    escape_markdown,
    message_markdown,
    percent,
    progress_line,
    run_left,
    run_seconds,
    stage_label,
)
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.cancel import cancel_run_button
from studio.ui.shared.job_card.queue_position import start_order_now, why_waiting
from studio.ui.shared.run_findings import run_findings
from studio.ui.shared.widgets import back_link, state_badge, steps_line

AGE = 30.0
"""Seconds after which the age of a run is said anew."""


@api_cache.versioned("artifact", "artifact_parent", "job", "run", entries=16)
def result_of(run_id: str) -> tuple[RunView, RunResult]:
    """Raises StudioError for an unknown run."""
    run = api_cache.studio().run(run_id)
    return run, run_result(run, api_cache.artifacts())


def result_link(run_id: str) -> None:
    """The way to a run's result, or to what repairs its data; nothing for a run that ended without either."""
    run, result = result_of(run_id)
    label = _("Show the result") if result.model or result.best or not run.state.ended else ""
    if not label and result.failed and result.checks and result.failed.stage == "check_data":
        label = _("Fix the data")
    if label:
        page_link(RESULT.path, label=label, icon=RESULT.icon, query_params={"run": run_id})


def result_page(run_id: str) -> None:
    back_link(HOME, _("Home"))
    if not run_id:
        st.info(_("Choose a run on the Jobs page to see its result."), icon=":material/info:")
        page_link(JOBS.path, label=_("All jobs"), icon=JOBS.icon)
        return
    try:
        run, result = result_of(run_id)
    except StudioError as error:
        st.error(message_markdown(error.text(_)), icon=":material/error:")
        page_link(JOBS.path, label=_("All jobs"), icon=JOBS.icon)
        return
    with api_cache.show_errors():
        _head(run)
        _progress(run)
        _gain(run, result)
        run_findings(run, _notes(result))
        simpler_is_as_good(run, result)
        mend(run, result)
        if result.model and (run.state.ended or result.best):
            actions(run, result)
            try_it(run, result)
        comparison(result)
        business_fold(run, result)


def _notes(result: RunResult) -> dict[str, str]:
    """What makes a finding agree with the quality above it."""
    if result.best is None or result.model is None or result.model.kind is not Kind.ONNX:
        return {}
    return {"good.agreement": _("The quality above is measured with the quantized model.")}


def _head(run: RunView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(escape_markdown(stage_label(run.name)), anchor=False, width="content")
        state_badge(run.state)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="result_head"):
        with st.container(width="content"):
            _age(run)
        page_link(RUN.path, label=_("All steps"), icon=RUN.icon, query_params={"id": run.id})
        page_link(COMPARE.path, label=_("Compare all models"), icon=COMPARE.icon)
        if not run.state.ended:
            cancel_run_button(run)


@st.fragment(run_every=AGE)
def _age(run: RunView) -> None:
    """How long it took and how old it is, which goes on while somebody looks."""
    seconds = run_seconds(run)
    parts = [duration(seconds)] if seconds is not None and run.state.ended else []
    st.caption(" · ".join([*parts, ago(run.created)]), width="content")


def _progress(run: RunView) -> None:
    """How far the run is; the whole page anew when a step ends."""
    if run.state.ended:
        return
    seen = [(job.id, job.state) for job in run.jobs]

    def look() -> bool:
        now = api_cache.one_run(run.id)
        if [(job.id, job.state) for job in now.jobs] != seen:
            st.rerun()
        done = sum(job.state.ended for job in now.jobs)
        at_work = next((job for job in now.jobs if job.state is State.RUNNING), None)
        share = (done + (min(at_work.done / at_work.total, 1.0) if at_work and at_work.total else 0.0)) / len(now.jobs)
        with st.container(border=True, key="result_progress", gap="small"):
            title = stage_label(at_work.stage) if at_work else _("Waiting to start")
            st.markdown(f"**{title}**")
            st.progress(share, text=_told(share, at_work, now) if at_work else _reason(now))
            steps_line(now)
            st.caption(_("The result appears here automatically. You can close this page."))
        return not now.state.ended

    api_cache.auto_refresh(look, busy=True)


def _told(share: float, job: JobView, run: RunView) -> str:
    """How far the whole run is, as the bar, then what its step does, and when all is done."""
    return " · ".join(filter(None, [percent(share), progress_line(job, share=False), run_left(run)]))


def _reason(run: RunView) -> str:
    """Why nothing of it is at work."""
    waiting = next((job for job in run.jobs if job.state is State.WAITING), None)
    return why_waiting(waiting, start_order_now()) if waiting else ""


def _bits(result: RunResult) -> None:
    """What INT4 took; where that is much, the way to the page that does it otherwise."""
    said, lost = bits_words(result)
    if not said:
        return
    if not lost or result.tuned is None:
        st.markdown(escape_markdown(said))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="result_bits"):
        st.markdown(f":orange[:material/warning:] {escape_markdown(said)}", width="stretch")
        page_link(QUANTIZE.path, label=_("Go to {page}").format(page=_(QUANTIZE.title)), icon=QUANTIZE.icon)


def _gain(run: RunView, result: RunResult) -> None:
    said = headline(result)
    if not said and not run.state.ended:
        return
    with st.container(border=True, key="result_gain", gap="small"):
        if said:
            st.header(escape_markdown(said), anchor=False)
        for sentence in sentences(result):
            st.markdown(escape_markdown(sentence))
        _bits(result)
        found = tiles(run, result)
        if found:
            with st.grid(len(found), min_column_width=140, gap="small"):
                for tile in found:
                    st.metric(
                        tile.label,
                        tile.value,
                        tile.below or None,
                        delta_color="off",
                        delta_arrow="off",
                        icon=tile.icon,
                        border=True,
                    )
        for words in missing_words(result, run):
            st.markdown(f":orange[:material/warning:] {words}")
