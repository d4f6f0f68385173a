"""A report of checks: the verdict, every check with its value against its threshold, the failed first, and what can be taken
away."""

from __future__ import annotations

import json
import re
from typing import Any

import streamlit as st

from backend.checks import titles
from backend.checks.check import Check
from backend.checks.document import about, checks_of, document, figure_rows, read_report, summary
from backend.core.schemas import ArtifactView, Kind
from backend.results.report import html, markdown
from studio.ui.shared.formatting import count_text, decimal, escape_markdown, format_size, percent
from studio.ui.shared.i18n import _, lang, ngettext
from studio.ui.shared.table import Cell, Column, plain_table

SHOWN = ("parity", *titles.DOCUMENTS)
SMALLEST = 0.0001
EXAMPLES = 5


def is_report(view: ArtifactView) -> bool:
    return view.kind is Kind.REPORT and view.facts.get("report") in SHOWN


def report_card(view: ArtifactView) -> None:
    report = _read(view)
    checks = checks_of(report)
    said = escape_markdown(summary(checks, _))
    if all(check.passed for check in checks):
        st.success(said, icon=":material/verified:")
    else:
        st.error(said, icon=":material/gpp_bad:")
    st.caption(_about(report))
    _checks_table(f"report_{view.id}", [check for check in checks if not check.passed])
    _passed(view, [check for check in checks if check.passed])
    if view.facts["report"] == "parity":
        _examples(view, report)
    _figures(view, checks)
    _downloads(view, report)


def _passed(view: ArtifactView, checks: list[Check]) -> None:
    """Folded: they ask for nothing."""
    if checks:
        words = ngettext("{n} check passed", "{n} checks passed", len(checks))
        with st.expander(words, icon=":material/check_circle:", key=f"passed_{view.id}"):
            _checks_table(f"passed_checks_{view.id}", checks)


def _checks_table(key: str, checks: list[Check]) -> None:
    if checks:
        plain_table(key, _("Checks"), _columns(), [_row(check) for check in checks], stack=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _report_of(artifact_id: str, _view: ArtifactView) -> dict[str, Any]:
    """What an artifact holds never changes."""
    return read_report(_view)


def _read(view: ArtifactView) -> dict[str, Any]:
    return _report_of(view.id, view)


def _about(report: dict[str, Any]) -> str:
    if report["report"] in titles.DOCUMENTS:
        return escape_markdown(about(report, _, show))
    words = _("{export} vs. its original, {original}.")
    return escape_markdown(words.format(export=report["model_name"], original=report["original_name"]))


def _columns() -> list[Column]:
    title, result, measured, needed, _meaning = (_(word) for word in titles.HEADER)
    return [
        {"title": title, "kind": "name"},
        {"title": result, "kind": "words"},
        {"title": measured, "kind": "figure"},
        {"title": needed, "kind": "figure"},
    ]


def _row(check: Check) -> list[Cell]:
    bound = titles.AT_LEAST if check.at_least else titles.AT_MOST
    result: Cell = {"text": check.sentence(_), "mark": "good" if check.passed else "bad"}
    result["said"] = _(titles.PASSED if check.passed else titles.FAILED)
    return [
        {"text": _(titles.title(check.name))},
        result,
        {"text": "–" if check.value is None else show(check.value, check.unit)},
        {"text": _(bound).format(value=show(check.threshold, check.unit))},
    ]


def show(value: float, unit: str) -> str:
    """In the session's language."""
    if unit == "share":
        return percent(value)
    if unit == "bytes":
        return format_size(value)
    if unit == "count":
        return count_text(value)
    shown = decimal(round(value, 4), 0, 4)
    if 0 < value < SMALLEST:
        shown = f"< {decimal(SMALLEST, 0, 4)}"
    return shown if unit == "number" else f"{shown} {unit}"


def _examples(view: ArtifactView, report: dict[str, Any]) -> None:
    """The answers that differ; nothing when all are equal."""
    differ = [each for each in report["examples"] if not each["same"]]
    if not differ:
        return
    with st.expander(_("Different answers"), icon=":material/difference:", key=f"differ_{view.id}"):
        columns: list[Column] = [{"title": _(word), "kind": "words"} for word in ("Question", "Original", "Export")]
        rows: list[list[Cell]] = [
            [{"text": each[name] or "–"} for name in ("text", "original", "export")] for each in differ[:EXAMPLES]
        ]
        plain_table(f"examples_{view.id}", _("Different answers"), columns, rows, stack=True)


def _figures(view: ArtifactView, checks: list[Check]) -> None:
    """All that was measured; nothing where a check has no more than its value."""
    found = figure_rows(checks, _, show)
    if not found:
        return
    with st.expander(_(titles.MEASURED), icon=":material/pin:", key=f"figures_{view.id}"):
        check, figure, value = (_(word) for word in titles.MEASURED_HEADER)
        columns: list[Column] = [
            {"title": check, "kind": "name"},
            {"title": figure, "kind": "words"},
            {"title": value, "kind": "figure"},
        ]
        rows: list[list[Cell]] = [[{"text": text} for text in row] for row in found]
        plain_table(f"figure_rows_{view.id}", _(titles.MEASURED), columns, rows, stack=True)


def _downloads(view: ArtifactView, report: dict[str, Any]) -> None:
    stem = re.sub(r"[^\w.-]+", "-", view.name).strip("-") or "report"
    with st.container(horizontal=True, gap="small"):
        if report["report"] in titles.DOCUMENTS:
            shown = document(report, _, show, lang())
            _button(view, "html", "HTML", html(shown), stem)
            _button(view, "md", "Markdown", markdown(shown), stem)
        _button(view, "json", "JSON", json.dumps(report, ensure_ascii=False, indent=1), stem)


def _button(view: ArtifactView, ending: str, label: str, data: str, stem: str) -> None:
    kind = {"html": "text/html", "md": "text/markdown", "json": "application/json"}[ending]
    st.download_button(
        label,
        data,
        f"{stem}.{ending}",
        kind,
        key=f"report_{ending}_{view.id}",
        icon=":material/download:",
        on_click="ignore",
    )
