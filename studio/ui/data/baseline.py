"""How far one gets without a language model: a sentence, the figures behind it, and a button that measures them."""

from __future__ import annotations

import streamlit as st

from backend.api.datasets import BaselineReport
from backend.core.schemas import ArtifactView
from studio.ui.data import calls
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import message_markdown, number, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, plain_table


def baseline_box(view: ArtifactView) -> None:
    st.header(_("Do you need fine-tuning?"), anchor=False)
    report = calls.baseline(view.id)
    if report is None:
        st.caption(
            _(
                "A quick baseline shows in seconds how well a simple classifier and nearest-example "
                "search do, and whether you need a language model at all."
            )
        )
    else:
        st.markdown(message_markdown(report.advice.sentence(_)))
        plain_table(f"baseline_{view.id}", _("Quick baseline"), columns(report), rows(report), stack=True)
        for problem in report.notes:
            st.caption(message_markdown(problem.sentence(_)))
    st.button(
        _("Measure again") if report else _("Measure baseline"),
        key=f"measure_{view.id}",
        icon=":material/speed:",
        disabled=bool(calls.jobs_on(view.id)),
        on_click=_measure,
        args=(view.id,),
    )


def columns(report: BaselineReport) -> list[Column]:
    """`naive` is what a random division, with copies on both sides, would have pretended."""
    found: list[Column] = [{"title": _("Method"), "kind": "name"}]
    if report.answer == "text":
        found.append({"title": _("Token F1"), "kind": "figure"})
    found.append({"title": _("Correct answers"), "kind": "figure"})
    return [*found, {"title": _("Naive split"), "kind": "figure"}]


def rows(report: BaselineReport) -> list[list[Cell]]:
    titles = {
        "majority": _("Most common answer"),
        "classifier": _("Simple classifier"),
        "nearest": _("Nearest example"),
    }
    found: list[list[Cell]] = []
    for score in report.methods:
        interval = _("{low} to {high}").format(low=percent(score.low), high=percent(score.high))
        cells: list[Cell] = [{"text": titles[score.method]}]
        if report.answer == "text":
            cells.append({"text": "–" if score.token_f1 is None else number(score.token_f1)})
        cells += [{"text": percent(score.accuracy), "sub": interval}, {"text": percent(score.naive_accuracy)}]
        found.append(cells)
    return found


def _measure(dataset: str) -> None:
    api_cache.run_action(lambda: calls.measure_baseline(dataset))
