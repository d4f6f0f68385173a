"""One job as a card: where it stands, what it takes, what it gave, what went wrong, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from backend.api.forms import names
from backend.core.cards import Card
from backend.core.errors import Problem
from backend.core.messages.curves import HARDLY_TRAINED
from backend.core.schemas import ArtifactView, JobView, Kind, State
from studio import nav
from studio.nav import page_of
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.figures import told_metrics
from studio.ui.shared.formatting import (
    TRUNCATED_SHARE,
    duration,
    escape_markdown,
    format_metric,
    format_size,
    message_markdown,
    money,
    number,
    percent,
    quoted_time,
    stage_label,
    truncation_hint,
)
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.cancel import cancel_button
from studio.ui.shared.job_card.check_report import is_report, report_card
from studio.ui.shared.job_card.checkpoints import loss_with_checkpoints
from studio.ui.shared.job_card.diagnosis_link import diagnosis_link
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES
from studio.ui.shared.job_card.olive import olive_ways
from studio.ui.shared.job_card.queue_position import move_buttons, start_order_now, why_waiting
from studio.ui.shared.job_card.resource_usage import usage
from studio.ui.shared.step_names import step_subjects
from studio.ui.shared.upload import download_link
from studio.ui.shared.widgets import progress, run_link, state_badge, worker_hint

AT_WORK = (State.RUNNING, State.CANCELLING)
WAITING = (State.WAITING, State.QUEUED)
LOG_LINES = 200
MAX_TILES = 8
"""Figures that stand large; the others follow in one line."""
MIN_AGREEMENT = 0.7
"""Share of equal first tokens below which a quantized model is worth a warning."""
LOG_SHORT, LOG_HEIGHT = 8, 260
"""So many lines stand as they are; more scroll in so many pixels."""


def job_card(
    job: JobView,
    *,
    log: bool = True,
    run: bool = True,
    border: bool = True,
    order: Sequence[JobView] | None = None,
) -> None:
    """Draw it inside a `source.live` fragment while the job is open. `run`: with a link to its run; `log`: with the last
    lines of its log, folded; `border`: on its own, not inside something; `order`: all that is `upcoming`, where several cards
    are drawn."""
    waits = job.state in WAITING
    order = start_order_now() if waits and order is None else order or ()
    with st.container(border=border, key=f"job_{job.id}", gap="small"):
        _head(job, run, order)
        if waits:
            st.caption(why_waiting(job, order))
            worker_hint()
        if job.state in AT_WORK:
            progress(job)
            _live_usage(job)
        if job.error:
            _failure(job)
        made = next((view for view in api_cache.artifacts() if view.id == job.result.get("artifact")), None)
        if made and is_report(made):
            report_card(made)
        else:
            _figures(job)
        warnings(job)
        loss_with_checkpoints(job)
        if job.state.ended:
            _next_actions(job, made)
        if log and job.started:
            olive_ways(job)
            _log(job)


def _head(job: JobView, run: bool, order: Sequence[JobView]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown(f"**{stage_label(job.stage)}**", width="content")
            state_badge(job.state)
            if subject := step_subjects(api_cache.one_run(job.run_id).jobs).get(job.stage_id):
                st.caption(escape_markdown(subject), width="content")
            if run:
                run_link(job.run_id)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if cost := _cost(job):
                st.caption(cost, width="content")
            _actions(job, order)


def _cost(job: JobView) -> str:
    """What is expected while it waits, and what it took beside that in the end. At work the time that is left says more."""
    quote, parts = job.quote, []
    if job.seconds is not None and job.state.ended:
        took = duration(job.seconds)
        words = _("{took} (estimated {quoted})")
        parts.append(words.format(took=took, quoted=quoted_time(quote)) if quote else took)
    elif quote and job.state in WAITING:
        parts.append(_("about {time}").format(time=quoted_time(quote)))
    if quote and quote.money and not job.state.ended:
        parts.append(escape_markdown(_("about {money}").format(money=money(quote.money))))
    if job.peak_memory_bytes and job.state.ended:
        used = format_size(job.peak_memory_bytes)
        words = _("{took} (estimated {quoted})")
        told = words.format(took=used, quoted=format_size(quote.memory_bytes)) if quote else used
        parts.append(_("memory {told}").format(told=told))
    if job.attempts > 1:
        parts.append(_("attempt {n}").format(n=job.attempts))
    return " · ".join(parts)


def _actions(job: JobView, order: Sequence[JobView]) -> None:
    if job.state is State.WAITING:
        move_buttons(job, order)
    if not job.state.ended:
        cancel_button(job)
    elif not job.state.finished:
        st.button(
            _("Retry"),
            key=f"retry_{job.id}",
            icon=":material/refresh:",
            on_click=api_cache.run_action,
            args=(lambda: api_cache.studio().retry(job.id),),
        )


def _live_usage(job: JobView) -> None:
    """What its process takes now, against the quote."""
    now = usage(job)
    memory = format_size(now.memory_bytes) if now else "–"
    if job.quote:
        memory = _("{used} of about {quoted}").format(used=memory, quoted=format_size(job.quote.memory_bytes))
    cores = "–" if now is None or now.cores is None else _("{n} cores").format(n=number(round(now.cores, 1)))
    on_cards = "".join(f"  ·  :material/developer_board: {_of_card(card)}" for card in (now.cards if now else ()))
    st.caption(f":material/memory: {_('Memory')} {memory}  ·  :material/speed: CPU {cores}{on_cards}{_spent(job)}")


def _of_card(card: Card) -> str:
    """Memory, load and power of a card that the job has to itself."""
    used = format_size(card.total_bytes - card.free_bytes)
    told = [_("{used} of {total}").format(used=used, total=format_size(card.total_bytes))]
    told += [_("load {share}").format(share=percent(card.load))] if card.load is not None else []
    told += [f"{number(round(card.watts))} W"] if card.watts is not None else []
    return f"{escape_markdown(card.name)} {', '.join(told)}"


def _spent(job: JobView) -> str:
    """What it has cost until now, where somebody is paid."""
    if not job.quote or not job.quote.money:
        return ""
    values = [point.value for point in api_cache.metric_points(job.id, at_work=True) if point.name == "spent_usd"]
    budget = job.params.get("budget")
    most = money(budget) if budget else _("about {money}").format(money=money(job.quote.money))
    words = _("{spent} of {most} spent").format(spent=money(values[-1] if values else 0.0), most=most)
    return f"  ·  :material/payments: {escape_markdown(words)}"


def _failure(job: JobView) -> None:
    assert job.error
    words = Problem(code=job.error.code, args=job.error.args, field=job.error.field).text(_)
    st.error(message_markdown(words), icon=":material/error:")


def _figures(job: JobView) -> None:
    metrics: dict[str, float] = job.result.get("metrics", {})
    if metrics and job.state.ended:
        told = told_metrics(metrics)
        with st.grid("auto", min_column_width=150, gap="small"):
            for name in told[:MAX_TILES]:
                st.metric(*format_metric(name, metrics[name]))
        rest = [" ".join(format_metric(name, metrics[name])) for name in told[MAX_TILES:]]
        if rest:
            st.caption(escape_markdown(" · ".join(rest)))


def warnings(job: JobView) -> None:
    """What is bad about the result of a job that has ended."""
    metrics: dict[str, float] = job.result.get("metrics", {})
    for found in job.findings:
        st.warning(message_markdown(found.text(_)), icon=":material/warning:")
    for hint in job.hints:
        show, icon = (st.warning, "warning") if hint.code in HARDLY_TRAINED else (st.info, "lightbulb")
        show(message_markdown(hint.text(_)), icon=f":material/{icon}:")
    said = {found.code for found in job.findings}
    if "good.cut_off" not in said and metrics.get("cut_off", 0.0) >= TRUNCATED_SHARE and job.state.ended:
        st.warning(escape_markdown(truncation_hint(metrics["cut_off"])), icon=":material/content_cut:")
    if "good.agreement" not in said:
        _agreement_warning(metrics)
    diagnosis_link(job)


def _agreement_warning(metrics: dict[str, float]) -> None:
    """Warns of an export that begins its answers otherwise than its original."""
    same = metrics.get("first_token_agreement", 1.0)
    if same < MIN_AGREEMENT:
        words = _("Only {share} of sample answers start like the original's. Check the export before use.")
        st.warning(words.format(share=percent(same)), icon=":material/rule:")


def _next_actions(job: JobView, made: ArtifactView | None) -> None:
    """Links to what it made, and back to its form."""
    page = page_of(job.stage) if job.stage in names() and job.stage != "evaluate" else None
    if job.state is State.BLOCKED or not (made or page):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if made:
            artifact_links(made)
        if made and job.stage in (*TRAINING_STAGES, "from_checkpoint"):
            train_further(made)
        if page:
            failed = job.state is State.FAILED
            label = _("Edit form") if failed else _("Edit and rerun")
            query = {"from": job.id} | ({"correct": "1"} if failed else {})
            page_link(page.path, label=label, icon=":material/edit:", query_params=query)


def train_further(made: ArtifactView) -> None:
    """A new training of what one has made: of an adapter as a student, for that is merged first."""
    page, stage = (nav.FINETUNE, "finetune") if made.kind is Kind.MODEL else (nav.DISTILL, "distill")
    query = {"step": stage, "model": made.id}
    page_link(page.path, label=_("Train further"), icon=":material/trending_up:", query_params=query)


def artifact_links(made: ArtifactView) -> None:
    """What can be done with it now."""
    if made.kind in (Kind.MODEL, Kind.ADAPTER, Kind.ONNX):
        page_link(nav.PLAYGROUND.path, label=_("Try it"), icon=nav.PLAYGROUND.icon, query_params={"models": made.id})
        page_link(nav.MODELS.path, label=_("View model"), icon=nav.MODELS.icon, query_params={"model": made.id})
    if made.kind is Kind.ONNX:
        ways = {"parity": ":material/verified:", "package": ":material/package_2:"}
        if made.facts.get("base"):  # an attached adapter cannot be handed over on its own
            del ways["package"]
        for stage, icon in ways.items():
            query = {"step": stage, "model": made.id}
            page_link(nav.QUANTIZE.path, label=stage_label(stage), icon=icon, query_params=query)
    if made.kind is Kind.EVALUATION:
        page_link(nav.COMPARE.path, label=_("Compare"), icon=nav.COMPARE.icon)
    if made.kind is Kind.AUDITION:
        label, step = _("View ranking"), {"step": "audition"}
        page_link(nav.TEACHER.path, label=label, icon=nav.TEACHER.icon, query_params=step)
    if made.kind is Kind.DATASET:
        page_link(nav.DATA.path, label=_("View data"), icon=nav.DATA.icon)
        if made.facts.get("teacher") and "review" not in made.facts:
            review = {"review": made.id}
            page_link(nav.REVIEW.path, label=_("Review answers"), icon=nav.REVIEW.icon, query_params=review)
    if made.kind is Kind.PACKAGE:
        download_link(made, _("Download"))


def _log(job: JobView) -> None:
    """The last lines, in the browser's time; read only while it is open."""
    log = st.expander(_("Log"), key=f"log_{job.id}", type="compact", on_change="rerun")
    if not log.open:
        return
    zone = ZoneInfo(st.context.timezone) if st.context.timezone else None
    lines = [f"{line.at.astimezone(zone):%H:%M:%S} {line.text}" for line in api_cache.studio().logs(job.id, LOG_LINES)]
    long = len(lines) > LOG_SHORT
    with (
        log,
        st.container(
            height=LOG_HEIGHT if long else "content", border=False, autoscroll=long or None, key=f"lines_{job.id}"
        ),
    ):
        st.code("\n".join(lines) or _("Log is empty."), language=None, wrap_lines=True)
