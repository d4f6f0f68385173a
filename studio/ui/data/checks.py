"""The tab Checks: is this dataset ready, what was found and what to do about it, and how far one gets without a model."""

from __future__ import annotations

import re

import streamlit as st

from backend.api.datasets import Finding, ScoreCard
from backend.core.schemas import ArtifactView
from studio import nav
from studio.ui.data import calls
from studio.ui.data.baseline import baseline_box
from studio.ui.data.filters import show_finding
from studio.ui.data.fixes import accepted_reasons, fix_several, fixable, start_fix
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.formatting import escape_markdown, message_markdown, number, option_label, percent
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.job_card.card import job_card
from studio.ui.shared.table import Cell, Column, plain_table

REVIEWED = ("wrong_labels", "contradictions")
"""Findings whose rows a person has to decide on."""
ALIKE = ("near_duplicates", "leaks")
FIGURES = ("lengths", "wrong_labels")
KINDS = ("personal", "secrets", "leaks", "lengths", "language")
"""Findings whose examples tell in our words what was found."""
SHOWN = 3
_ICONS = {
    "error": (":material/error:", "red"),
    "warning": (":material/warning:", "orange"),
    "info": (":material/info:", "blue"),
}


def checks_tab(view: ArtifactView) -> None:
    _at_work(view)
    card = calls.score_card(view.id)
    if card is None:
        if not any(job.stage == calls.CHECK for job in calls.jobs_on(view.id)):
            st.info(_("Dataset not checked yet."), icon=":material/fact_check:")
            _check_button(view, card, _("Check dataset"))
        baseline_box(view)
        return
    _fixed(view)
    _verdict(view, card)
    for finding in sorted(card.findings, key=lambda each: (bool(each.accepted), list(_ICONS).index(each.severity))):
        _finding(view, card, finding)
    if card.not_checked:
        with st.expander(_("Not checked: {n}").format(n=number(len(card.not_checked))), key="not_checked"):
            for problem in card.not_checked:
                st.markdown(f"- {message_markdown(problem.sentence(_))}")
    baseline_box(view)


def _at_work(view: ArtifactView) -> None:
    """Checks, fixes and baselines of this dataset that have not ended; the page is drawn again when they have."""

    def draw() -> bool:
        jobs = calls.jobs_on(view.id)
        for job in jobs:
            job_card(job)
        return bool(jobs)

    api_cache.auto_refresh(draw, busy=bool(calls.jobs_on(view.id)))


def _verdict(view: ArtifactView, card: ScoreCard) -> None:
    open_ = [finding for finding in card.findings if not finding.accepted]
    errors = sum(finding.severity == "error" for finding in open_)
    warnings = sum(finding.severity == "warning" for finding in open_)
    parts = [ngettext("{n} error", "{n} errors", errors)] if errors else []
    parts += [ngettext("{n} warning", "{n} warnings", warnings)] if warnings else []
    said = ", ".join(parts) or _("no problems")
    rows = ngettext("{n} row checked", "{n} rows checked", card.rows)
    words = {
        "ready": (st.success, _("Ready"), ":material/check_circle:"),
        "warnings": (st.warning, _("Ready, with warnings"), ":material/warning:"),
        "not_ready": (st.error, _("Not ready"), ":material/block:"),
    }
    box, title, icon = words[card.verdict]
    box(f"**{title}** · {said} · {rows}", icon=icon)
    with st.container(horizontal=True, gap="small"):
        fix_several(view, card)
        _check_button(view, card, _("Check again"))


def _fixed(view: ArtifactView) -> None:
    """A second fix made here would lack the first: the way to the version that has it."""
    _before, after = api_cache.studio().versions(view.id)
    if not after:
        return
    name = escape_markdown(after[0].name)
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        words = _("**{name}** already has these changes. Continue there: fixes made here would not include them.")
        st.markdown(f":green[:material/check_circle:] {words.format(name=name)}", width="content")
        open_ = {"data": after[0].id, "tab": "checks"}
        words = _("Open {name}").format(name=name)
        page_link(nav.DATA.path, label=words, icon=":material/arrow_forward:", query_params=open_)


def _check_button(view: ArtifactView, card: ScoreCard | None, label: str) -> None:
    accepted = accepted_reasons(card) if card else {}
    st.button(
        label,
        key=f"check_{view.id}",
        icon=":material/fact_check:",
        type="secondary" if card else "primary",
        disabled=bool(calls.jobs_on(view.id)),
        on_click=_start_check,
        args=(view.id, accepted),
    )


def _start_check(dataset: str, accepted: dict[str, str]) -> None:
    api_cache.run_action(lambda: calls.check_again(dataset, accepted))


def _finding(view: ArtifactView, card: ScoreCard, finding: Finding) -> None:
    icon, colour = _ICONS[finding.severity]
    with st.container(border=True, key=f"finding_box_{finding.gate}", gap="small"):
        # What the button of a fix does needs no sentence beside it.
        sentence = message_markdown(finding.problem.fact(_) if finding.fix else finding.problem.sentence(_))
        st.markdown(f":{'gray' if finding.accepted else colour}[{icon}] {sentence}")
        if finding.accepted:
            st.caption(_("Accepted: {reason}").format(reason=escape_markdown(finding.accepted)))
        if finding.examples:
            _examples(finding)
        with st.container(horizontal=True, gap="small"):
            _actions(view, card, finding)


def _examples(finding: Finding) -> None:
    two = any(each.other for each in finding.examples)
    columns: list[Column] = [{"title": _("Row"), "kind": "name"}, {"title": _("Text"), "kind": "words"}]
    columns += [{"title": _("Compared with"), "kind": "words"}] if two else []
    rows: list[list[Cell]] = []
    for each in finding.examples[:SHOWN]:
        split = option_label("evaluate", "split", each.split)
        text: Cell = {"text": each.text, "sub": _detail(finding, each.detail)}
        other: Cell = {"text": each.other_text, "sub": each.other} if each.other_text else {"text": each.other}
        rows.append([{"text": each.row, "sub": split}, text, *([other] if two else [])])
    label = f"{_('Examples')}: {finding.problem.fact(_)}"
    plain_table(f"examples_{finding.gate}", label, columns, rows, stack=True)


def _detail(finding: Finding, detail: str) -> str:
    """Our own words in the user's language; a label is shown as it is."""
    if detail.replace(".", "").isdigit() and finding.gate in ALIKE:
        return _("similarity {share}%").format(share=number(round(100 * float(detail))))
    if finding.gate in FIGURES and (found := re.fullmatch(r"(.*?)(\d[\d,]*)(%?)(\)?)", detail, re.DOTALL)):
        return _with_figure(*found.groups())
    return ", ".join(_(part) for part in detail.split(", ")) if detail and finding.gate in KINDS else detail


def _with_figure(before: str, figure: str, share: str, after: str) -> str:
    """`input: 12,345` and `refund → delivery (95%)` as the session's language writes them."""
    value = int(figure.replace(",", ""))
    before = {"input: ": f"{_('Input')}: ", "answer: ": f"{_('Answer')}: "}.get(before, before)
    return f"{before}{percent(value / 100, 0, 0) if share else number(value)}{after}"


def _actions(view: ArtifactView, card: ScoreCard, finding: Finding) -> None:
    name, busy = finding.gate, bool(calls.jobs_on(view.id))
    if finding.rows:
        report = calls.check_report(view.id) if name in REVIEWED else None
        if report and st.button(_("Review these rows"), key=f"review_{name}", icon=nav.REVIEW.icon):
            switch_page(nav.REVIEW.path, query_params={"review": view.id, "report": report.id})
        st.button(
            _("Show the rows"),
            key=f"show_{name}",
            icon=":material/table_rows:",
            type="tertiary",
            on_click=show_finding,
            args=(view, finding),
        )
    if finding.fix and not finding.accepted:
        st.button(
            calls.fix_label(finding),
            key=f"fix_{name}",
            icon=":material/build:",
            type="secondary" if len(fixable(card)) > 1 else "primary",
            disabled=busy,
            help=_("Creates a new version without this problem; the old one is kept."),
            on_click=start_fix,
            args=(view.id, [finding], accepted_reasons(card)),
        )
    if finding.severity != "info" and not finding.accepted:
        with st.popover(_("Accept"), icon=":material/done:", key=f"accept_box_{name}", disabled=busy):
            reason = st.text_input(_("Reason to accept"), key=f"reason_{name}", max_chars=300)
            st.button(
                _("Accept"),
                key=f"accept_{name}",
                type="primary",
                disabled=not (reason or "").strip(),
                on_click=_start_check,
                args=(view.id, accepted_reasons(card) | {name: (reason or "").strip()}),
            )
