"""The business case of a result: what answers cost here and at a hosted price, and the page for the one who decides."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from backend.core.schemas import RunView
from backend.results.business_case import Assumptions, Hosted, business_case, pace_of
from backend.results.load_tests import load_tests, newest_of
from backend.results.report import html
from backend.results.run_result import RunResult
from studio.nav import COMPARE
from studio.ui.result.business_report import Case, business_report
from studio.ui.result.business_words import assumption_fields, case_rows, case_sentences, pace_words, target_rows
from studio.ui.result.choice import choices
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, plain_table

LATENCY_LIMIT_MS = 2000
"""Proposed: what many people wait for without thinking of something else."""


def business_fold(run: RunView, result: RunResult) -> None:
    """Folded, since it asks for prices; nothing where no model was made."""
    if result.model is None:
        return
    box = st.expander(_("Business case"), icon=":material/payments:", key="result_business", on_change="rerun")
    with box:
        if box.open:
            _draw(run, result)


def _draw(run: RunView, result: RunResult) -> None:
    limit, prices, given = _asked()
    models = choices(result)
    tests = load_tests(api_cache.artifacts())
    test = next((each for model in models if (each := newest_of(tests, model.id))), None)
    pace = pace_of(test, result.best, result.data, limit)
    if pace is None:
        words = (
            _("No level of the load test keeps this latency. Raise the limit.") if test else _("Nothing measured yet.")
        )
        st.info(words, icon=":material/info:")
        return
    st.caption(pace_words(pace, limit))
    if test is None:
        st.caption(_("Run a load test for users at once and real token counts."))
        page_link(COMPARE.path, label=_("Go to {page}").format(page=_(COMPARE.title)), icon=COMPARE.icon)
    if prices is None:
        st.info(_("Enter both hosted prices to compare."), icon=":material/info:")
        return
    hosted = Hosted(
        input_price=prices[0],
        output_price=prices[1],
        prompt_tokens=pace.prompt_tokens,
        answer_tokens=pace.answer_tokens,
    )
    found = business_case(pace.answers_per_s, hosted, given)
    case = Case(found=found, hosted=hosted, given=given, pace=pace, limit_ms=limit, test=test)
    for at, sentence in enumerate(case_sentences(found, given)):
        st.markdown(f"**{escape_markdown(sentence)}**" if at == 0 else escape_markdown(sentence))
    _table("business_costs", _("Cost of answers"), *case_rows(found, pace))
    st.markdown(f"**{_('Targets of distillation')}**")
    _table("business_targets", _("Targets of distillation"), *target_rows(result, found))
    stem = re.sub(r"[^\w.-]+", "-", run.name).strip("-") or "result"
    st.download_button(
        _("Page to print"),
        lambda: html(business_report(run, result, case)),
        f"{stem}-business-case.html",
        "text/html",
        key="result_business_report",
        icon=":material/print:",
        on_click="ignore",
    )


def _asked() -> tuple[float, tuple[float, float] | None, Assumptions]:
    """The latency limit in ms, the prices of the hosted model (None until both are there), and the assumptions."""
    saved = {one.name: one for one in api_cache.endpoints() if one.priced}
    own = _("Enter prices")
    chosen = st.selectbox(_("Hosted price list"), [*saved, own], key="business_prices") if saved else own
    columns = st.columns(3)
    if chosen in saved:
        one = saved[chosen]
        prices: list[float | None] = [one.input_price, one.output_price]
    else:
        titles = (_("Input price (USD per million tokens)"), _("Output price (USD per million tokens)"))
        prices = [
            columns[at].number_input(title, 0.0, 10_000.0, None, key=f"business_price_{at}")
            for at, title in enumerate(titles)
        ]
    limit = columns[2].number_input(
        _("Latency limit in ms (p95)"), 1, 3_600_000, LATENCY_LIMIT_MS, key="business_limit"
    )
    st.caption(_("Assumptions: round figures to begin with. Replace them with yours."))
    columns = st.columns(3)
    values: dict[str, Any] = {}
    for at, (name, title, default) in enumerate(assumption_fields()):
        top = 24.0 if name == "hours_per_day" else 1e9
        least = 0.0 if name in ("machine_price", "watts", "electricity_price") else 0.1
        form = "%.2f" if default < 1 else "%.1f" if default < 25 else "%.0f"
        values[name] = columns[at % 3].number_input(title, least, top, default, format=form, key=f"business_{name}")
    first, second = prices
    both = (first, second) if first is not None and second is not None else None
    return float(limit), both, Assumptions(**values)


def _table(key: str, label: str, header: list[str], rows: list[list[str]]) -> None:
    columns: list[Column] = [{"title": header[0], "kind": "name"}]
    columns += [{"title": title, "kind": "words"} for title in header[1:]]
    cells: list[list[Cell]] = [[{"text": text} for text in row] for row in rows]
    plain_table(key, label, columns, cells, stack=True)
