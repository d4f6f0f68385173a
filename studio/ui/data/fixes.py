"""Mending a dataset: one finding by its button, or several of them in one new version."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.api.datasets import Finding, ScoreCard
from backend.core.schemas import ArtifactView
from studio.ui.data import calls
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown, option_label
from studio.ui.shared.i18n import _, ngettext

DOUBTFUL = frozenset({calls.DROP_ROWS, "drop_contradictions"})
"""Fixes that lose rows which may be right: somebody has to choose them."""


def fixable(card: ScoreCard) -> list[Finding]:
    """The findings that a click can mend and nobody has accepted, worst first."""
    order = ("error", "warning", "info")
    found = [finding for finding in card.findings if finding.fix and not finding.accepted]
    return sorted(found, key=lambda finding: order.index(finding.severity))


def accepted_reasons(card: ScoreCard) -> dict[str, str]:
    """Finding -> the reason why it may stay."""
    return {finding.gate: finding.accepted for finding in card.findings if finding.accepted}


def start_fix(dataset: str, findings: Sequence[Finding], accepted: dict[str, str]) -> None:
    """Callback: a new version without these faults, checked again."""
    api_cache.run_action(lambda: calls.fix(dataset, findings, accepted))


def fix_several(view: ArtifactView, card: ScoreCard) -> None:
    """A choice of the findings that a click can mend; those are chosen that lose no row which may be right."""
    found = fixable(card)
    if len(found) < 2:
        return
    busy, newer = bool(calls.jobs_on(view.id)), len(api_cache.studio().versions(view.id)[1])
    with st.popover(
        _("Fix several problems"),
        icon=":material/build:",
        type="secondary" if newer else "primary",
        disabled=busy,
        key=f"fix_box_{view.id}_{busy}_{newer}",  # another one is closed: it has been used
        width="content",
    ):
        st.caption(_("Creates one new version; this one is kept."))
        chosen = [finding for finding in found if _box(view, finding)]
        st.button(
            ngettext("Apply {n} fix", "Apply {n} fixes", len(chosen)),
            key=f"fix_all_{view.id}",
            type="primary",
            width="stretch",
            disabled=busy or not chosen,
            on_click=start_fix,
            args=(view.id, chosen, accepted_reasons(card)),
        )


def _box(view: ArtifactView, finding: Finding) -> bool:
    title = calls.fix_label(finding)
    if finding.fix == calls.DROP_ROWS:
        title = f"{title} ({option_label(calls.CLEAN, 'gates', finding.gate)})"
    rows = ngettext("{n} row", "{n} rows", finding.count)
    return st.checkbox(
        f"{escape_markdown(title)} · {rows}",
        value=finding.fix not in DOUBTFUL and finding.severity != "info",
        key=f"fix_{view.id}_{finding.gate}",
        help=message_markdown(finding.problem.fact(_)),
    )
