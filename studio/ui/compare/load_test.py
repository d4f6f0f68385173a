"""Load tests on Compare: how many users a served model can answer at once, as a table and two charts, and the form of the
stage."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.schemas import Kind
from backend.results.load_tests import LoadTest, load_tests
from studio.ui.forms.stage_page import jobs_of
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.shared import api_cache, scope
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import clock, count_text, format_metric, format_size, number
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.table import Cell, Column, plain_table

STAGE = "load_test"
_COLOURS = ("#6366f1", "#0d9488", "#d97706")
_GRID = "rgba(128,132,150,0.22)"


def load_panel() -> None:
    """What was measured, and a fold with the form; nothing in a project without a model and a dataset."""
    if not (scope.own((Kind.MODEL, Kind.ADAPTER, Kind.ONNX)) and scope.own((Kind.DATASET,))):
        return
    mine = {view.id for view in scope.own((Kind.REPORT,))}
    tests = [test for test in load_tests(api_cache.artifacts()) if test.id in mine]
    jobs_of(STAGE)
    if tests:
        with st.container(border=True, key="cmp_load"):
            st.markdown(f"**{_('Load test')}**")
            shown(_chosen(tests))
    box = st.expander(_("Run a load test"), icon=":material/groups:", key="cmp_load_form", on_change="rerun")
    with box:
        if box.open:
            st.caption(_("Serves the model and asks it from several clients at once."))
            stage_panel(STAGE)


def _chosen(tests: list[LoadTest]) -> LoadTest:
    names = {test.id: f"{test.model_name} · {clock(test.created)}" for test in tests}
    if len(tests) == 1:
        st.caption(names[tests[0].id])
        return tests[0]
    chosen = st.selectbox(_("Load test"), list(names), format_func=lambda id_: names[id_], key="cmp_load_test")
    return next((test for test in tests if test.id == chosen), tests[0])


def shown(test: LoadTest) -> None:
    """Conditions, table and charts of one test."""
    st.caption(" · ".join(conditions(test)))
    header, rows = level_rows(test)
    columns: list[Column] = [{"title": header[0], "kind": "name"}]
    columns += [{"title": title, "kind": "figure"} for title in header[1:]]
    cells: list[list[Cell]] = [[{"text": text} for text in row] for row in rows]
    plain_table(f"cmp_load_{test.id}", _("Load test by concurrent clients"), columns, cells, stack=True)
    for level in test.levels:
        for reason, count in level.reasons.items():
            words = _("{clients} clients: {count} failed: {reason}")
            st.text(words.format(clients=count_text(level.clients), count=count_text(count), reason=reason))
    clients = [count_text(level.clients) for level in test.levels]
    tokens = {_("Output tokens/s"): [level.tokens_per_s for level in test.levels]}
    times = {
        "p50": [level.latency_ms_p50 for level in test.levels],
        "p95": [level.latency_ms_p95 for level in test.levels],
        "p99": [level.latency_ms_p99 for level in test.levels],
    }
    with st.grid(2, min_column_width=300, gap="small"):
        _chart(test, "tokens", _("Output tokens/s"), clients, tokens)
        _chart(test, "latency", _("Latency (ms)"), clients, times)


def conditions(test: LoadTest) -> list[str]:
    """What the figures hold for."""
    return [
        ngettext("{n} CPU core", "{n} CPU cores", test.cores),
        _("Cold start: {seconds} s").format(seconds=number(test.cold_start_seconds)),
        _("Peak memory: {size}").format(size=format_size(test.peak_memory_bytes)),
        _("answers up to {n} tokens").format(n=count_text(test.max_new_tokens)),
    ]


def level_rows(test: LoadTest) -> tuple[list[str], list[list[str]]]:
    """Header and rows as plain text, one row per number of clients."""
    times = ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99")
    header = [
        _("Concurrent clients"),
        _("Requests"),
        _("Failed requests"),
        format_metric("ttft_ms", 0.0)[0],
        *(format_metric(name, 0.0)[0] for name in times),
        _("Output tokens/s"),
        _("Answers per second"),
    ]
    rows = [
        [
            count_text(level.clients),
            count_text(level.requests),
            count_text(level.errors),
            format_metric("ttft_ms", level.ttft_ms_p50)[1],
            *(format_metric(name, getattr(level, name))[1] for name in times),
            number(level.tokens_per_s),
            number(level.requests_per_s),
        ]
        for level in test.levels
    ]
    return header, rows


def _chart(test: LoadTest, name: str, title: str, clients: list[str], series: dict[str, list[float]]) -> None:
    axis = {"gridcolor": _GRID, "fixedrange": True, "automargin": True}
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": words,
            "x": clients,
            "y": values,
            "line": {"color": colour, "width": 2},
        }
        for (words, values), colour in zip(series.items(), _COLOURS, strict=False)
    ]
    figure = {
        "data": traces,
        "layout": {
            "height": 280,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "dragmode": False,
            "showlegend": len(series) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": {**axis, "type": "category", "title": {"text": _("Concurrent clients")}},
            "yaxis": {**axis, "rangemode": "tozero", "title": {"text": title}},
        },
    }
    st.plotly_chart(
        figure,
        key=f"cmp_load_{name}_{test.id}",
        config=chart_config(f"load_{name}"),
        alt=_("{title} by concurrent clients, line chart").format(title=title),
    )
