"""Below the forms of the page Fine-tune: what a search of hyperparameters found."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.finetune.search_report import (
    Report,
    best_of,
    columns,
    complete,
    history_chart,
    importance_chart,
    label,
    parallel_chart,
    read_report,
    rows,
    value_text,
)
from studio.ui.forms.form import Form
from studio.ui.forms.pickers import disambiguate
from studio.ui.shared import address, api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.charts import chart_config, text_colour
from studio.ui.shared.formatting import ago, escape_markdown, format_metric
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.table import plain_table


def search_results() -> None:
    """Drawn below the form of the search, nothing below any other."""
    if st.session_state.get("step") != "hyperparameter_search":
        return
    if st.session_state.pop("hyper_go", False):
        switch_page(nav.DISTILL.path)
    with api_cache.show_errors():
        found = [view for view in api_cache.artifacts((Kind.REPORT,)) if view.facts.get("report") == "hyperparameters"]
        found = [view for view in found if view.project == project().id]
        st.header(_("Search results"), anchor=False)
        if not found:
            st.caption(_("No search in this project yet. Start one above."))
            return
        _result(_picked(found))


def _picked(views: list[ArtifactView]) -> ArtifactView:
    names = disambiguate({view.id: f"{view.name} · {ago(view.created)}" for view in views})
    if st.session_state.get("hyper_shown") not in names:
        st.session_state["hyper_shown"] = views[0].id
    chosen = st.selectbox(_("Search run"), list(names), format_func=lambda id_: names.get(id_, id_), key="hyper_shown")
    return next(view for view in views if view.id == (chosen or views[0].id))


def _result(view: ArtifactView) -> None:
    report = read_report(view)
    _best(view, report)
    charts = [(_("History"), history_chart(report), "history")]
    if report["importances"]:
        charts.append((_("Importance"), importance_chart(report), "importance"))
    for column, (title, figure, file) in zip(st.columns(len(charts)), charts, strict=True):
        with column:
            st.subheader(title, anchor=False)
            st.plotly_chart(figure, key=f"hyper_{file}", config=chart_config(f"{view.name}-{file}"), width="stretch")
    if len(complete(report)) > 1:
        st.subheader(_("Trials by value"), anchor=False)
        figure = parallel_chart(report, text_colour())
        st.plotly_chart(figure, key="hyper_parallel", config=chart_config(f"{view.name}-trials"), width="stretch")
    plain_table("hyper_table", _("Trials"), columns(report), rows(report), sort=(1, False), stack=True)


def _best(view: ArtifactView, report: Report) -> None:
    """The best trial in words, and the ways to use it."""
    best = best_of(report)
    values = ", ".join(f"{label(report, name)} {value_text(best['values'][name])}" for name in report["fields"])
    title, loss = format_metric("eval_loss", best["loss"])
    words = _("**Trial {number}** of {total}: {values}. {metric} {loss}.")
    told = words.format(
        number=best["number"] + 1,
        total=len(report["trials"]),
        values=escape_markdown(values),
        metric=escape_markdown(title),
        loss=loss,
    )
    st.success(told, icon=":material/check_circle:")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            _("Use best values"),
            key="hyper_use",
            type="primary",
            icon=":material/edit:",
            on_click=_take,
            args=(report["training"], {**report["settings"], **best["values"]}),
            help=_("Copies the values into the training's form."),
        )
        model = view.facts["model"]
        if model in {each.id for each in api_cache.artifacts((Kind.ADAPTER, Kind.MODEL))}:
            page_link(nav.PLAYGROUND.path, label=_("Try it"), icon=nav.PLAYGROUND.icon, query_params={"models": model})


def _take(training: str, values: dict[str, Any]) -> None:
    """Callback: the form of the training opens with these values."""
    form = Form(training)
    form.renew(form.fields)
    form.take(values)
    if training == "finetune":
        address.write("step", training)
    else:
        st.session_state["hyper_go"] = True
