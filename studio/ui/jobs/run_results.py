"""What a run came to: its key figures, and what went in and came out as links."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from backend.api.metrics import headline
from backend.api.runs import inputs, outputs
from backend.core.schemas import ArtifactView, Kind, RunView
from studio.ui.shared.artifact_link import artifact_link
from studio.ui.shared.figures import told_metrics
from studio.ui.shared.formatting import escape_markdown, format_metric, option_label, stage_label
from studio.ui.shared.i18n import _

BESIDE = ("size_bytes", "decode_tokens_per_s", "peak_memory_bytes")
SHOWN = 8
"""Links of a column at first."""


def key_figures(run: RunView, known: Mapping[str, ArtifactView]) -> None:
    """Of the last model that was measured, else of the last stage that has figures."""
    measured = [view for view in outputs(run, known.values()) if view.kind is Kind.EVALUATION]
    if measured:
        _evaluation(measured[-1], known)
        return
    for job in reversed(run.jobs):
        metrics: dict[str, float] = job.result.get("metrics", {})
        told = told_metrics(metrics)[:4]
        if told and len(run.jobs) > 1:
            st.caption(stage_label(job.stage))
            with st.container(key="key_figures"), st.grid(4, min_column_width=140, gap="small"):
                for name in told:
                    st.metric(*format_metric(name, metrics[name]))
            return


def _evaluation(view: ArtifactView, known: Mapping[str, ArtifactView]) -> None:
    facts = view.facts
    first = headline(facts)
    named = [name for name in (first, *BESIDE) if name in facts]
    with st.container(key="key_figures"), st.grid(4, min_column_width=140, gap="small"):
        for name in named:
            st.metric(*format_metric(name, facts[name]), _interval(facts, name), delta_color="off", delta_arrow="off")
    model = known.get(str(facts.get("model")))
    data = known.get(str(facts.get("data")))
    about = [
        model.name if model else str(facts.get("model_name", "")),
        data.name if data else "",
        option_label("evaluate", "split", facts["split"]) if facts.get("split") else "",
        _("constrained to: {form}").format(form=option_label("evaluate", "constrained", facts["constrained"]))
        if facts.get("constrained")
        else "",
    ]
    st.caption(" · ".join(escape_markdown(str(part)) for part in about if part))


def _interval(facts: Mapping[str, float], name: str) -> str | None:
    low, high = facts.get(f"{name}_low"), facts.get(f"{name}_high")
    if low is None or high is None:
        return None
    return _("95% CI {low} to {high}").format(low=format_metric(name, low)[1], high=format_metric(name, high)[1])


def inputs_and_outputs(run: RunView, known: Mapping[str, ArtifactView]) -> None:
    given, made = inputs(run, known), outputs(run, known.values())
    if not (given or made):
        return
    with st.grid(2, min_column_width=320, gap="large"):
        with st.container(gap=None, key="run_inputs"):
            _links(_("Inputs"), given, "inputs")
        with st.container(gap=None, key="run_outputs"):
            _links(_("Outputs"), made, "outputs")


def _links(title: str, views: list[ArtifactView], key: str) -> None:
    st.markdown(f"**{title}**")
    if not views:
        st.caption(_("None"))
    for view in views[:SHOWN]:
        artifact_link(view)
    if len(views) > SHOWN:
        box = st.expander(
            _("{n} more").format(n=len(views) - SHOWN), key=f"more_{key}", type="compact", on_change="rerun"
        )
        if box.open:
            with box:
                for view in views[SHOWN:]:
                    artifact_link(view)
