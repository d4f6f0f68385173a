"""What can be taken away: table and answers as CSV, the whole comparison as HTML or Markdown. Made when the menu is open."""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from backend.results.answers import table_csv
from backend.results.evaluations import quick_baseline
from backend.results.report import html, markdown
from studio.ui.compare.controls import Selection
from studio.ui.compare.details import answers_of, shown_rows
from studio.ui.compare.report import report
from studio.ui.shared.i18n import _


def exports(choice: Selection) -> None:
    box = st.popover(_("Export"), icon=":material/download:", key="cmp_export", on_change="rerun")
    with box:
        if box.open:
            _buttons(choice)


def _buttons(choice: Selection) -> None:
    answers = answers_of(choice)
    document = report(choice, answers)
    stem = re.sub(r"[^\w.-]+", "-", choice.group[0].data_name).strip("-") or "models"
    _button("html", _("Report (HTML)"), html(document), f"{stem}.html")
    _button("md", _("Report (Markdown)"), markdown(document), f"{stem}.md")
    _button("csv", _("Leaderboard (CSV)"), board_csv(choice), f"{stem}.csv")
    ids, header = shown_rows(answers), _answers_header(choice)
    _button(
        "answers_csv",
        _("Answers (CSV)"),
        lambda: answers.csv(ids, header),
        f"{stem}-answers.csv",
        help=_("Rows matching the filter below, with full text."),
    )
    st.caption(_("Save a chart as an image with the button in its corner."))


def _button(key: str, label: str, data: str | Callable[[], str], file: str, help: str | None = None) -> None:
    kind = {"html": "text/html", "md": "text/markdown", "csv": "text/csv"}[file.rpartition(".")[2]]
    st.download_button(label, data, file, kind, key=f"cmp_{key}", on_click="ignore", help=help, width="stretch")


def _answers_header(choice: Selection) -> list[str]:
    header = ["id", "input", "expected", choice.names[choice.picked.id], "right"]
    return header if choice.picked.id == choice.against.id else [*header, choice.names[choice.against.id], "right"]


def board_csv(choice: Selection) -> str:
    """One line a model and one for the quick baseline; columns carry the names of the metrics, values are raw (bytes,
    milliseconds, shares of 1)."""
    metrics = sorted({name for one in choice.group for name in one.metrics})
    header = ["model", "kind", "precision", "dataset", "split", *metrics]
    lines = [
        [
            choice.names[one.id],
            one.kind,
            one.precision,
            one.data_name,
            one.split,
            *(one.metrics.get(name) for name in metrics),
        ]
        for one in choice.group
    ]
    if found := quick_baseline(choice.group):
        one = choice.group[0]
        figures = [found.figures.get(name) for name in metrics]
        lines.append([f"{found.words} (quick baseline)", "baseline", "", one.data_name, one.split, *figures])
    return table_csv(header, lines)
