"""The reports of checklist and diagnosis as documents: for HTML and Markdown, in any language."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.checks import titles
from backend.checks.check import Check
from backend.checks.hard_inputs import EDGE_CASES, INJECTIONS
from backend.core.artifacts import write_json
from backend.core.errors import StudioError, Translate, untranslated
from backend.core.schemas import ArtifactView
from backend.core.units import decimal_text, human_bytes, percent_text
from backend.results.report import Heading, Paragraph, Part, Report, Table, html, markdown

FormatValue = Callable[[float, str], str]
"""A value with its unit, as people of the language read it."""


def format_value(value: float, unit: str) -> str:
    """In English."""
    shown = {
        "share": percent_text(value),
        "bytes": human_bytes(value),
        "count": decimal_text(value, most=0),
        "ms": f"{decimal_text(value, least=1, most=1)} ms",
        "nats": f"{value:.3g} nats",
    }
    return shown.get(unit, f"{value:.3g}")


def read_report(view: ArtifactView) -> dict[str, Any]:
    """The report.json of an artifact. Raises StudioError when it is gone."""
    file = view.path / "report.json"
    if not file.is_file():
        raise StudioError("core.artifact_damaged", ref=view.name, file=file.name)
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def checks_of(report: dict[str, Any]) -> list[Check]:
    """The checks of a `report.json`."""
    return [Check.model_validate({key: each[key] for key in each if key != "sentence"}) for each in report["checks"]]


def check_row(check: Check, translate: Translate, show: FormatValue) -> list[str]:
    """One row of the table: name, result, measured, needed, sentence."""
    bound = titles.AT_LEAST if check.at_least else titles.AT_MOST
    return [
        translate(titles.title(check.name)),
        translate(titles.PASSED if check.passed else titles.FAILED),
        "–" if check.value is None else show(check.value, check.unit),
        translate(bound).format(value=show(check.threshold, check.unit)),
        check.sentence(translate),
    ]


def summary(checks: list[Check], translate: Translate) -> str:
    wrong = sum(not each.passed for each in checks)
    said = translate(titles.SOME_FAILED if wrong else titles.ALL_PASSED)
    return said.format(failed=wrong, total=len(checks))


def document(
    report: dict[str, Any], translate: Translate = untranslated, show: FormatValue = format_value, lang: str = "en"
) -> Report:
    checks = checks_of(report)
    found = {each.name: each for each in checks}
    table = Table(
        header=[translate(word) for word in titles.HEADER], rows=[check_row(each, translate, show) for each in checks]
    )
    parts: list[Part] = [Paragraph(text=summary(checks, translate)), table]
    parts += _memory(found.get("memory"), translate, show)
    parts += _lengths(found.get("length_pace"), translate, show)
    parts += _edges(found.get("edge_answered"), translate)
    parts += _figures(checks, translate, show)
    title = translate(titles.DOCUMENTS[report.get("report", "checklist")]).format(model=report["model_name"])
    return Report(title=title, subtitle=about(report, translate, show), lang=lang, parts=parts)


def write(report: dict[str, Any], folder: Path) -> None:
    """report.json, report.html and report.md."""
    write_json(folder / "report.json", report)
    shown = document(report)
    (folder / "report.html").write_text(html(shown), encoding="utf-8")
    (folder / "report.md").write_text(markdown(shown), encoding="utf-8")


def about(report: dict[str, Any], translate: Translate, show: FormatValue) -> str:
    """What was asked of what."""
    if "split" not in report:
        return translate(titles.DIAGNOSED).format(data=report["data_name"])
    return translate(titles.ABOUT).format(
        data=report["data_name"], split=translate(report["split"]), requests=show(report["requests"], "count")
    )


def figure_rows(checks: list[Check], translate: Translate, show: FormatValue) -> list[list[str]]:
    """All that was measured for the checks of a diagnosis: check, figure, value."""
    return [
        [translate(titles.title(check.name)), translate(titles.FIGURES.get(name, name)), show(value, unit)]
        for check in checks
        for name, (value, unit) in check.detail.get("figures", {}).items()
    ]


def _figures(checks: list[Check], translate: Translate, show: FormatValue) -> list[Part]:
    rows = figure_rows(checks, translate, show)
    if not rows:
        return []
    header = [translate(word) for word in titles.MEASURED_HEADER]
    return [Heading(text=translate(titles.MEASURED)), Table(header=header, rows=rows, numbers=[2])]


def _memory(check: Check | None, translate: Translate, show: FormatValue) -> list[Part]:
    if check is None or "samples" not in check.detail:
        return []
    header = [translate(word) for word in titles.MEMORY_HEADER]
    rows = [[show(at, "count"), show(size, "bytes")] for at, size in check.detail["samples"]]
    return [Heading(text=translate(titles.MEMORY)), Table(header=header, rows=rows, numbers=[0, 1])]


def _lengths(check: Check | None, translate: Translate, show: FormatValue) -> list[Part]:
    if check is None or "tokens" not in check.detail:
        return []
    detail = check.detail
    rows = [
        [
            translate(word),
            show(detail["tokens"][name], "count"),
            show(detail["latency_ms"][name], "ms"),
            show(detail["ms_per_token"][name], "ms"),
        ]
        for name, word in titles.LENGTH_NAMES.items()
    ]
    header = [translate(word) for word in titles.LENGTHS_HEADER]
    return [Heading(text=translate(titles.LENGTHS)), Table(header=header, rows=rows, numbers=[1, 2, 3])]


def _edges(check: Check | None, translate: Translate) -> list[Part]:
    """Texts as they were sent, cut to a line, unprintable characters as their codes."""
    if check is None or "answers" not in check.detail:
        return []
    sent = EDGE_CASES | {f"injection_{name}": text for name, text in INJECTIONS.items()}
    rows = [[_visible(sent.get(name, name)), _visible(said)] for name, said in check.detail["answers"].items()]
    header = [translate(word) for word in titles.EDGES_HEADER]
    return [Heading(text=translate(titles.EDGES)), Table(header=header, rows=rows)]


def _visible(text: str) -> str:
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return shown if len(shown) <= 120 else f"{shown[:119]}…"
