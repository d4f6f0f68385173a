"""One job as a card: where it stands, what it takes, what it gave, what went wrong, and what can be done about it."""

from __future__ import annotations

import streamlit as st

from backend.errors import Problem
from backend.schemas import JobView, Kind, State
from studio import nav
from studio.ui import source
from studio.ui.curves import curves
from studio.ui.i18n import _
from studio.ui.parts import progress, run_link, state_badge
from studio.ui.upload import download_link
from studio.ui.usage import usage
from studio.ui.waiting import move_buttons, why_waiting
from studio.ui.words import duration, escaped, metric_words, size, stage_words

STAGE_PAGES = {
    "dataset": nav.DATA,
    "teacher": nav.TEACHER,
    "distill": nav.DISTILL,
    "finetune": nav.FINETUNE,
    "quantize": nav.QUANTIZE,
    "package": nav.QUANTIZE,
}
WAITS = (State.WAITING, State.QUEUED)
AT_WORK = (State.RUNNING, State.CANCELLING)
LOG_LINES = 200


def job_card(job: JobView, *, log: bool = True, run: bool = True) -> None:
    """Draw it inside a `source.live` fragment while the job is open. `run`: with a link to its run; `log`: with the last
    lines of its log, folded."""
    with st.container(border=True, key=f"job_{job.id}", gap="small"):
        _head(job, run)
        if job.state in WAITS:
            st.caption(why_waiting(job))
        if job.state in AT_WORK:
            progress(job)
            _taking(job)
        if job.error:
            _failure(job)
        _figures(job)
        curves(job)
        if job.state.ended:
            _ways_on(job)
        if log and job.started:
            _log(job)


def _head(job: JobView, run: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown(f"**{stage_words(job.stage)}**", width="content")
            state_badge(job.state)
            st.caption(f"`{job.stage_id}`", width="content")
            if run:
                run_link(source.one_run(job.run_id))
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.caption(_cost(job), width="content")
            _actions(job)


def _cost(job: JobView) -> str:
    """What it took beside what was quoted; before that the quote alone."""
    quote, parts = job.quote, []
    if job.seconds is not None:
        took = duration(job.seconds)
        parts.append(_("{took}, quoted {quoted}").format(took=took, quoted=duration(quote.seconds)) if quote else took)
    elif quote and not job.state.ended:
        parts.append(_("about {time}").format(time=duration(quote.seconds)))
    if job.peak_memory_bytes:
        used = size(job.peak_memory_bytes)
        told = _("{took}, quoted {quoted}").format(took=used, quoted=size(quote.memory_bytes)) if quote else used
        parts.append(_("memory {told}").format(told=told))
    if job.attempts > 1:
        parts.append(_("attempt {n}").format(n=job.attempts))
    return " · ".join(parts)


def _actions(job: JobView) -> None:
    if job.state is State.WAITING:
        move_buttons(job)
    if not job.state.ended:
        st.button(
            _("Cancel"),
            key=f"cancel_{job.id}",
            icon=":material/stop_circle:",
            disabled=job.state is State.CANCELLING,
            on_click=source.act,
            args=(lambda: source.studio().cancel(job.id),),
        )
    elif job.state is not State.SUCCEEDED:
        st.button(
            _("Retry"),
            key=f"retry_{job.id}",
            icon=":material/refresh:",
            on_click=source.act,
            args=(lambda: source.studio().retry(job.id),),
        )


def _taking(job: JobView) -> None:
    """What its process takes now, against the quote."""
    now = usage(job)
    memory = size(now.memory_bytes) if now else "–"
    if job.quote:
        memory = _("{used} of about {quoted}").format(used=memory, quoted=size(job.quote.memory_bytes))
    cores = "–" if now is None or now.cores is None else _("{n} cores").format(n=f"{now.cores:.1f}")
    st.caption(f":material/memory: {_('Memory')} {memory}  ·  :material/speed: {_('CPU')} {cores}")


def _failure(job: JobView) -> None:
    assert job.error
    words = Problem(code=job.error.code, args=job.error.args, field=job.error.field).text(_)
    st.error(escaped(words), icon=":material/error:")


def _figures(job: JobView) -> None:
    metrics: dict[str, float] = job.result.get("metrics", {})
    if metrics and job.state.ended:
        with st.grid("auto", min_column_width=150, gap="small"):
            for name, value in metrics.items():
                st.metric(*metric_words(name, value))


def _ways_on(job: JobView) -> None:
    """Links to what it made, and back to its form."""
    made = next((view for view in source.artifacts() if view.id == job.result.get("artifact")), None)
    row = STAGE_PAGES.get(job.stage)
    with st.container(horizontal=True, gap="small"):
        if made and made.kind in (Kind.MODEL, Kind.ADAPTER, Kind.ONNX):
            st.page_link(nav.PLAYGROUND.path, label=_("Try it"), icon=nav.PLAYGROUND.icon)
        if made and made.kind is Kind.EVALUATION:
            st.page_link(nav.COMPARE.path, label=_("Compare"), icon=nav.COMPARE.icon)
        if made and made.kind is Kind.PACKAGE:
            download_link(made, _("Download"))
        if row and job.state is not State.BLOCKED:
            label = _("Correct the form") if job.state is State.FAILED else _("Again with changes")
            st.page_link(row.path, label=label, icon=":material/edit:", query_params={"from": job.id})


def _log(job: JobView) -> None:
    log = st.expander(_("Log"), key=f"log_{job.id}", type="compact", on_change="rerun")
    if log.open:
        lines = [f"{line.at:%H:%M:%S} {line.text}" for line in source.studio().logs(job.id, LOG_LINES)]
        log.code("\n".join(lines) or _("Nothing was logged."), language=None, height=260)
