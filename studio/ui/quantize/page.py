"""Below the forms of the page Quantize: what a search found, and Olive's workflows to take home."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind
from studio import nav
from studio.ui.compare.charts import pareto_chart
from studio.ui.forms.form import Form
from studio.ui.forms.pickers import disambiguate, label
from studio.ui.quantize.search_report import (
    COSTS,
    Report,
    columns,
    evaluation_views,
    figures,
    read_report,
    rows,
    scheme_label,
)
from studio.ui.shared import address, api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import ago, escape_markdown, format_metric, format_size, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.table import plain_table


def quantize_results() -> None:
    """Drawn below the form of the step that is chosen on the page."""
    step = st.session_state.get("step")
    with api_cache.show_errors():
        if step == "scheme_search":
            _search()
        elif step == "quantize":
            _workflows()


def _search() -> None:
    mine = project().id
    found = [view for view in api_cache.artifacts((Kind.REPORT,)) if view.facts.get("report") == "search"]
    found = [view for view in found if view.project == mine]
    st.header(_("Search results"), anchor=False)
    if not found:
        st.caption(_("No search in this project yet. Start one above."))
        return
    names = disambiguate({view.id: f"{view.name} · {ago(view.created)}" for view in found})
    view = _picked(_("Search run"), found, names, "search_shown")
    report = read_report(view)
    _verdict(view, report)
    _chart(view, report)
    at = 1 + figures(report).index("size_bytes")
    plain_table("search_table", _("Schemes"), columns(report), rows(report), sort=(at, False), stack=True)
    for point in report["points"]:
        if "failure" in point:
            said = Problem(**point["failure"]).sentence(_)
            st.markdown(
                f":red[:material/error: {escape_markdown(scheme_label(point['name']))}] {escape_markdown(said)}"
            )
    _other_settings(view, report)


def _verdict(view: ArtifactView, report: Report) -> None:
    """The choice in words, and the ways to use it."""
    chosen = next(point for point in report["points"] if point["name"] == report["choice"])
    metric = report["metric"]
    words = _("**{recipe}**: {size} ({share} of the original), {kept} of its validation quality.")
    told = words.format(
        recipe=escape_markdown(scheme_label(report["choice"])),
        size=format_size(chosen["metrics"]["size_bytes"]),
        share=percent(chosen["metrics"]["size_bytes"] / report["original"]["size_bytes"]),
        kept=percent(report["kept"]),
    )
    if report["test"]:
        line = _("On the test rows: {metric} {choice}, original {original}.")
        values = {who: format_metric(metric, found[metric])[1] for who, found in report["test"].items()}
        told += "\n\n" + escape_markdown(line.format(metric=format_metric(metric, 0.0)[0], **values))
    if report["passed"]:
        st.success(told, icon=":material/check_circle:")
    else:
        lacking = _("No scheme keeps {share} of the original quality; this is the closest.")
        st.warning(f"{lacking.format(share=percent(report['keep']))}\n\n{told}", icon=":material/warning:")
    model = view.facts["model"]
    if model not in {each.id for each in api_cache.artifacts((Kind.ONNX,))}:
        st.caption(_("The selected model was deleted."))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(
            _("Package selected model"),
            key="search_use",
            type="primary",
            icon=":material/package_2:",
            on_click=_take,
            args=("package", {"model": model}),
        )
        page_link(nav.PLAYGROUND.path, label=_("Try it"), icon=nav.PLAYGROUND.icon, query_params={"models": model})


def _chart(view: ArtifactView, report: Report) -> None:
    with st.container(horizontal=True, gap="medium"):
        x = _axis(_("Cost"), COSTS, "search_x")
        y = _axis(_("Quality"), (report["metric"], "kl", "perplexity"), "search_y")
    points = [one for one in evaluation_views(report, view) if x in one.metrics and y in one.metrics]
    chart = pareto_chart(points, {one.id: one.model_name for one in points}, x, y, x == "size_bytes")
    alt = _("{quality} by {cost} for every scheme, with the Pareto front.")
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


def _other_settings(view: ArtifactView, report: Report) -> None:
    """Any other recipe: its settings go into the form Quantize."""
    names = [point["name"] for point in report["points"]]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(_("Settings of another scheme"), names, format_func=scheme_label, key="search_other")
        asked = next(point["params"] for point in report["points"] if point["name"] == (name or names[0]))
        values = {"model": report["model"], "data": report["data"], **asked}
        st.button(
            _("Copy to the Quantize form"),
            key="search_settings",
            icon=":material/edit:",
            on_click=_take,
            args=("quantize", values),
        )


def _take(step: str, values: dict[str, Any]) -> None:
    """Callback: the form of another step of this page opens with these values."""
    form = Form(step)
    if step == "quantize":
        form.renew(form.fields)
    form.take(values)
    address.write("step", step)


def _workflows() -> None:
    """The Olive workflow of a model, which runs with `olive run --config` on any machine."""
    mine = project().id
    found = [view for view in api_cache.artifacts((Kind.ONNX,)) if view.project == mine]
    found = [view for view in found if (view.path / "olive.json").is_file()]
    if not found:
        return
    st.header(_("Olive workflow"), anchor=False)
    st.caption(_("Olive configuration for `olive run --config`. Put the model folder next to it as `model`."))
    names = disambiguate({view.id: label(view) for view in found})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = _picked(_("Model"), found, names, "workflow_shown")
        st.download_button(
            _("Download olive.json"),
            partial((view.path / "olive.json").read_text, "utf-8"),
            f"{view.name}-olive.json",
            "application/json",
            key="workflow_download",
            icon=":material/download:",
            on_click="ignore",
        )


def _picked(title: str, views: list[ArtifactView], names: dict[str, str], key: str) -> ArtifactView:
    if st.session_state.get(key) not in names:
        st.session_state[key] = views[0].id
    chosen = st.selectbox(title, list(names), format_func=lambda id_: names.get(id_, id_), key=key)
    return next(view for view in views if view.id == (chosen or views[0].id))
