"""Below the forms that generate and filter: what stayed of a dataset, what went and why."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.core.schemas import ArtifactView, Kind
from backend.data import filter_report
from backend.data.filter_report import Drop, FilterReport
from studio.ui.curation.charts import classes_chart, map_chart, reason_label, reasons_chart
from studio.ui.forms.pickers import disambiguate, label
from studio.ui.shared import api_cache
from studio.ui.shared.charts import chart_config
from studio.ui.shared.formatting import escape_markdown, number, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project

EXAMPLES = 5
_LONGEST = 400


def curation_results(*stages: str) -> None:
    """Drawn while one of `stages` is chosen on the page."""
    if st.session_state.get("step") not in stages:
        return
    with api_cache.show_errors():
        st.header(_("Kept and dropped rows"), anchor=False)
        found = {view.id: view for view in _reported()}
        if not found:
            st.caption(_("Nothing generated or filtered yet. Start above to see kept and dropped rows, with reasons."))
            return
        view = found[_chosen(list(found.values()))]
        report = _report(view.id, str(view.path))
        if report is not None:
            _figures(report)
            _charts(report)
            _examples(view, report)


def _reported() -> list[ArtifactView]:
    """The datasets of the project that hold a report, newest first."""
    mine = project().id
    marked = [view for view in api_cache.artifacts((Kind.DATASET,)) if {"curated", "generated"} & view.facts.keys()]
    return [view for view in marked if view.project == mine and (view.path / "quality.json").is_file()]


def _chosen(views: list[ArtifactView]) -> str:
    options = disambiguate({view.id: label(view) for view in views})
    if st.session_state.get("curation_data") not in options:
        st.session_state["curation_data"] = views[0].id
    chosen = st.selectbox(
        _("Dataset"), list(options), format_func=lambda each: options.get(each, each), key="curation_data"
    )
    return str(chosen or views[0].id)


@st.cache_resource(max_entries=8, show_spinner=False)
def _report(artifact: str, path: str) -> FilterReport | None:
    """An artifact never changes."""
    return filter_report.read_report(Path(path))


def _figures(report: FilterReport) -> None:
    before, after = report.before, report.after
    with st.grid("auto", min_column_width=170, gap="small", key="curation_figures"):
        st.metric(
            _("Rows"), number(after.rows), delta=f"{after.rows - before.rows:+d}", delta_color="off", delta_arrow="off"
        )
        for title, old, new in (
            (_("Near duplicates"), before.near_duplicates, after.near_duplicates),
            (_("Distinct words"), before.distinct_1, after.distinct_1),
            (_("Distinct word pairs"), before.distinct_2, after.distinct_2),
        ):
            st.metric(
                title,
                percent(new),
                delta=_("before {share}").format(share=percent(old)),
                delta_color="off",
                delta_arrow="off",
            )


def _charts(report: FilterReport) -> None:
    with st.grid(2, min_column_width=300, gap="small"):
        if report.dropped:
            with st.container(border=True, key="curation_reasons"):
                st.markdown(f"**{_('Reasons')}**")
                counts = ", ".join(
                    f"{reason_label(reason)}: {number(count)}" for reason, count in report.dropped.items()
                )
                st.plotly_chart(
                    reasons_chart(report.dropped), key="curation_why", config=chart_config("reasons"), alt=counts
                )
        if report.before.classes:
            with st.container(border=True, key="curation_balance"):
                st.markdown(f"**{_('Rows per class')}**")
                st.plotly_chart(
                    classes_chart(report.before, report.after),
                    key="curation_classes",
                    config=chart_config("classes"),
                    alt=_("Rows per class before and after, bar chart."),
                )
    if len({(point.x, point.y) for point in report.points}) > 3:
        with st.container(border=True, key="curation_map"):
            st.markdown(f"**{_('Input map')}**")
            st.caption(_("Each point is a row; similar rows are close together. Hover over a point to read it."))
            st.plotly_chart(
                map_chart(report.points),
                key="curation_plane",
                config=chart_config("map"),
                alt=_("Map of inputs; similar ones are close together."),
            )


def _examples(view: ArtifactView, report: FilterReport) -> None:
    if not report.dropped:
        st.caption(_("No rows dropped."))
        return
    reasons = sorted(report.dropped, key=lambda reason: -report.dropped[reason])
    if st.session_state.get("curation_reason") not in reasons:
        st.session_state["curation_reason"] = reasons[0]
    st.markdown(f"**{_('Dropped rows')}**")
    chosen = st.selectbox(
        _("Reason"),
        reasons,
        format_func=lambda reason: f"{reason_label(reason)} · {number(report.dropped.get(reason, 0))}",
        key="curation_reason",
    )
    for at, drop in enumerate(filter_report.dropped_rows(view.path, str(chosen or reasons[0]), EXAMPLES)):
        with st.container(border=True, key=f"curation_row_{at}", gap="xsmall"):
            left, right = st.columns([3, 2])
            left.text(_cut(drop.row.input))
            right.text(_cut(drop.row.output or _("no answer")))
            if about := _about(drop):
                st.caption(escape_markdown(about))


def _about(drop: Drop) -> str:
    parts = [_("near duplicate of row {id}").format(id=drop.other)] if drop.other else []
    if drop.row.confidence is not None:
        parts.append(_("confidence {share}").format(share=percent(drop.row.confidence)))
    if drop.row.gold is not None and drop.row.gold != drop.row.output:
        parts.append(_("human label: {answer}").format(answer=_cut(drop.row.gold)))
    return " · ".join(parts)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
