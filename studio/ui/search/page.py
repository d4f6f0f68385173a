"""The results of searches, below the form of the search on each page that has it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.schemas import ArtifactView, Kind
from backend.results.search_report import REPORTS, SearchReport, Trial, read_report
from studio import nav
from studio.ui.compare.charts import pareto_chart
from studio.ui.forms.form import Form
from studio.ui.forms.pickers import disambiguate
from studio.ui.search.charts import history_chart, importance_chart, parallel_chart
from studio.ui.search.report import COSTS, columns, evaluation_views, figures, rows, trial_name, values_text, verdict
from studio.ui.shared import address, api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.charts import chart_config, text_colour
from studio.ui.shared.formatting import ago, escape_markdown, format_metric, message_markdown, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.table import plain_table

_GO = "search.go"


def search_results(row: nav.NavPage) -> None:
    """Drawn below the form of the search, nothing below any other; `row` is the page."""
    if wanted := st.session_state.pop(_GO, None):
        switch_page(nav.page_of(wanted).path, query_params={"step": wanted})
    if st.session_state.get("step") != "search":
        return
    with api_cache.show_errors():
        found = [view for view in api_cache.artifacts((Kind.REPORT,)) if view.facts.get("report") in REPORTS]
        found = [view for view in found if view.project == project().id]
        st.header(_("Search results"), anchor=False)
        if not found:
            st.caption(_("No search in this project yet. Start one above."))
            return
        _result(row, _picked(found))


def _picked(views: list[ArtifactView]) -> ArtifactView:
    names = disambiguate({view.id: f"{view.name} · {ago(view.created)}" for view in views})
    if st.session_state.get("search_shown") not in names:
        st.session_state["search_shown"] = views[0].id
    chosen = st.selectbox(_("Search run"), list(names), format_func=lambda id_: names.get(id_, id_), key="search_shown")
    return next(view for view in views if view.id == (chosen or views[0].id))


def _result(row: nav.NavPage, view: ArtifactView) -> None:
    report = read_report(view.path)
    _best(row, view, report)
    if report.original:
        _pareto(view, report)
    charts = [(_("History"), history_chart(report), "history")]
    if len(report.importances) > 1:
        charts.append((_("Importance"), importance_chart(report), "importance"))
    for column, (title, figure, file) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.subheader(title, anchor=False)
            st.plotly_chart(figure, key=f"search_{file}", config=chart_config(f"{view.name}-{file}"), width="stretch")
    if len(report.complete) > 1:
        st.subheader(_("Trials by value"), anchor=False)
        figure = parallel_chart(report, text_colour())
        st.plotly_chart(figure, key="search_parallel", config=chart_config(f"{view.name}-trials"), width="stretch")
    at = 1 + len(report.fields) + (figures(report).index("size_bytes") if report.original else 0)
    plain_table("search_table", _("Trials"), columns(report), rows(report), sort=(at, False), stack=True)
    for trial in report.trials:
        if trial.failure:
            what = f"{trial_name(trial)} · {values_text(report, trial.values)}"
            said = message_markdown(trial.failure.sentence(_))
            st.markdown(f":red[:material/error: {escape_markdown(what)}] {said}")


def _best(row: nav.NavPage, view: ArtifactView, report: SearchReport) -> None:
    """The best trial in words, and the ways to use it or another one."""
    if report.passed:
        st.success(verdict(report), icon=":material/check_circle:")
    elif report.without_quality:
        st.warning(
            _("The original answers no validation row rightly, so nothing tells what a smaller one keeps."),
            icon=":material/warning:",
        )
    else:
        lacking = _("No trial keeps {share} of the original quality; this is the closest.")
        st.warning(f"{lacking.format(share=percent(report.keep))}\n\n{verdict(report)}", icon=":material/warning:")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        trial = _chosen_trial(view, report)
        best = trial.number == report.best
        st.button(
            _("Use best values") if best else _("Use these values"),
            key="search_use",
            type="primary",
            icon=":material/edit:",
            on_click=_take,
            args=(row.path.stem, report.stage, {**report.settings, **trial.params}),
            help=_("Copies the values into the stage's form."),
        )
        _model_links(row, view)


def _chosen_trial(view: ArtifactView, report: SearchReport) -> Trial:
    """The best one, unless somebody chooses another."""
    order = sorted(report.trials, key=lambda trial: trial.number != report.best)
    names = {trial.number: f"{trial_name(trial)} · {values_text(report, trial.values)}" for trial in order}
    key = f"search_trial_{view.id}"
    chosen = st.selectbox(_("Trial"), list(names), format_func=lambda number: names[number], key=key)
    return report.trial(report.best if chosen is None else chosen)


def _model_links(row: nav.NavPage, view: ArtifactView) -> None:
    """What the best trial made: to try, and to package where it can be."""
    model = view.facts["model"]
    kinds = {each.id: each.kind for each in api_cache.artifacts((Kind.ADAPTER, Kind.MODEL, Kind.ONNX))}
    if model not in kinds:
        st.caption(_("The selected model was deleted."))
        return
    if kinds[model] is Kind.ONNX:
        st.button(
            _("Package selected model"),
            key="search_package",
            icon=":material/package_2:",
            on_click=_take,
            args=(row.path.stem, "package", {"model": model}),
        )
    page_link(nav.PLAYGROUND.path, label=_("Try it"), icon=nav.PLAYGROUND.icon, query_params={"models": model})


def _take(page: str, stage: str, values: dict[str, Any]) -> None:
    """Callback: the form of a stage opens with these values, on this page or on its own."""
    form = Form(stage)
    if stage != "package":
        form.renew(form.fields)
    form.take(values)
    if nav.page_of(stage).path.stem == page:
        address.write("step", stage)
    else:
        st.session_state[_GO] = stage


def _pareto(view: ArtifactView, report: SearchReport) -> None:
    points = evaluation_views(report, view)
    there = [name for name in (report.metric, "kl", "perplexity") if all(name in one.metrics for one in points)]
    with st.container(horizontal=True, gap="medium"):
        x, y = _axis(_("Cost"), COSTS, "search_x"), _axis(_("Quality"), tuple(there), "search_y")
    points = [one for one in points if x in one.metrics]
    chart = pareto_chart(points, {one.id: one.model_name for one in points}, x, y, x == "size_bytes")
    alt = _("{quality} by {cost} for every trial, with the Pareto front.")
    words = {"quality": format_metric(y, 0.0)[0], "cost": format_metric(x, 0.0)[0]}
    st.plotly_chart(chart, key="search_chart", config=chart_config("search"), alt=alt.format(**words))


def _axis(title: str, names: tuple[str, ...], key: str) -> str:
    chosen = st.segmented_control(
        title,
        names,
        format_func=lambda name: format_metric(name, 0.0)[0],
        default=names[0],
        key=key,
        required=True,
        wrap=True,
    )
    return str(chosen or names[0])
