"""A run beside another: what came out, what was set otherwise, what went in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from backend.api.metrics import Metric, metrics, qualities
from backend.api.runs import ResultDifference, RunComparison
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, RunView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, format_metric, kind_word, message_markdown, number, stage_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.params import param_text, param_title
from studio.ui.shared.step_names import step_names
from studio.ui.shared.table import Cell, Column, plain_table

NONE = ""
OFFERED = 50


def other_run(run: RunView, with_id: str) -> RunView | None:
    """The choice of a run to compare with; it stands in the address."""
    runs = {each.id: each for each in api_cache.project_runs(run.project, OFFERED) if each.id != run.id}
    if with_id and with_id != run.id and with_id not in runs:
        try:
            runs[with_id] = api_cache.one_run(with_id)
        except StudioError as error:
            st.warning(message_markdown(error.text(_)), icon=":material/error:")
    if not runs:
        return None
    alike = sorted(runs.values(), key=lambda each: _stages(each) != _stages(run))
    key = f"with_{run.id}"
    st.session_state[key] = with_id if with_id in runs else NONE
    chosen = st.selectbox(
        _("Compare with"),
        [NONE, *(each.id for each in alike)],
        format_func=lambda id_: run_name(runs[id_]) if id_ else _("No other run"),
        key=key,
        width=320,
        on_change=partial(_choose, key),
    )
    return runs.get(chosen)


def run_name(run: RunView) -> str:
    """`#12 Fine-tune`, as plain text."""
    return f"#{run.number} {stage_label(run.name)}".strip()


def _stages(run: RunView) -> list[str]:
    return [job.stage for job in run.jobs]


def _choose(key: str) -> None:
    if st.session_state[key]:
        st.query_params["with"] = st.session_state[key]
    else:
        st.query_params.pop("with", None)


def comparison(run: RunView, other: RunView, known: Mapping[str, ArtifactView]) -> None:
    found = api_cache.run_comparison(other.id, run.id)
    with st.container(border=True, key="comparison", gap="small"):
        st.header(_("Compared with {run}").format(run=escape_markdown(run_name(other))), anchor=False)
        if found.same_rows is False:
            st.caption(_("The evaluations used different rows: the difference says little."))
        _results(found, run, other)
        _differences(found, run, other, known)


def _results(found: RunComparison, run: RunView, other: RunView) -> None:
    if not found.results:
        st.caption(_("No common stage has results to compare."))
        return
    columns: list[Column] = [
        {"title": _("Result"), "kind": "name"},
        {"title": run_name(other), "kind": "figure"},
        {"title": run_name(run), "kind": "figure"},
        {"title": _("Difference"), "kind": "figure"},
    ]
    several = len({each.stage_id for each in found.results}) > 1
    names = step_names(run.jobs) if several else {}
    told = [each for each in found.results if each.difference or each.metric in qualities()]
    plain_table("compare_results", _("Results"), columns, [_result(each, names) for each in told], stack=True)
    same = len(found.results) - len(told)
    if same:
        st.caption(ngettext("{n} other metric is equal in both.", "{n} other metrics are equal in both.", same))


def _result(each: ResultDifference, names: Mapping[str, str]) -> list[Cell]:
    title = format_metric(each.metric, 0.0)[0]
    values = ["–" if value is None else format_metric(each.metric, value)[1] for value in (each.first, each.second)]
    name: Cell = {"text": title}
    if names:
        name["sub"] = names.get(each.stage_id) or stage_label(each.stage)
    difference: Cell = {"text": _signed(each.metric, each.difference)}
    if each.low is not None and each.high is not None:
        low, high = _signed(each.metric, each.low), _signed(each.metric, each.high)
        difference["sub"] = _("95% CI {low} to {high}").format(low=low, high=high)
    return [name, {"text": values[0]}, {"text": values[1]}, difference]


def _signed(metric: str, value: float | None) -> str:
    if value is None:
        return "–"
    share = metrics().get(metric, Metric(metric, metric)).unit == "share"
    shown = _("{n} points").format(n=number(abs(value) * 100)) if share else format_metric(metric, abs(value))[1]
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{shown}"


def _differences(found: RunComparison, run: RunView, other: RunView, known: Mapping[str, ArtifactView]) -> None:
    rows: list[list[Cell]] = [
        [
            {"text": param_title(each.stage, each.field), "sub": stage_label(each.stage)},
            {"text": param_text(each.stage, each.field, each.first, known)},
            {"text": param_text(each.stage, each.field, each.second, known)},
        ]
        for each in found.params
    ]
    sides = (found.only_first, found.only_second)
    for kind in dict.fromkeys(view.kind for side in sides for view in side):
        names = [", ".join(view.name for view in side if view.kind is kind) or "–" for side in sides]
        rows.insert(0, [{"text": kind_word(kind), "sub": _("Input")}, {"text": names[0]}, {"text": names[1]}])
    if not rows:
        st.caption(_("Identical parameters and inputs."))
        return
    columns: list[Column] = [
        {"title": _("Differences"), "kind": "name"},
        {"title": run_name(other), "kind": "words"},
        {"title": run_name(run), "kind": "words"},
    ]
    plain_table("compare_params", _("Differences"), columns, rows, stack=True)
