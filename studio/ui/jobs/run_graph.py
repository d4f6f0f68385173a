"""How the stages of a run hang together: boxes with their states from left to right, drawn in the browser. A box opens its
stage's line.

A component of our own: Graphviz's layout needs a download of several megabytes, and its nodes can't be reached by key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from backend.api.runs import flow
from backend.core.schemas import ArtifactView, RunView
from studio.ui.shared.formatting import STATES, duration, stage_label, state_label
from studio.ui.shared.i18n import _
from studio.ui.shared.step_names import step_names, step_subjects


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_GRAPH = st.components.v2.component(
    "slmops_graph", html='<div class="graph"></div>', css=_part(".css"), js=_part(".js")
)


def run_graph(run: RunView, known: Mapping[str, ArtifactView]) -> str:
    """The id of the stage that was clicked just now; "" for none."""
    data = {"label": _("Stages"), "nodes": nodes(run, known)}
    return _GRAPH(key=f"graph_{run.id}", data=data, on_stage_change=lambda: None).stage or ""


def nodes(run: RunView, known: Mapping[str, ArtifactView]) -> list[dict[str, Any]]:
    """One a stage: place, words, and what it comes after; all of it is shown as plain text."""
    jobs = {job.stage_id: job for job in run.jobs}
    subjects, names = step_subjects(run.jobs), step_names(run.jobs)
    found = []
    for place in flow(run):
        job = jobs[place.stage_id]
        made = known.get(str(job.result.get("artifact")))
        state = state_label(job.state)
        took = duration(job.seconds) if job.seconds is not None else state
        after = [names[id_] for id_ in place.after]
        said = f"{names[job.stage_id]}, {state}"
        found.append(
            {
                **place.model_dump(),
                "title": stage_label(job.stage),
                "sub": " · ".join(filter(None, [took, made.name if made else subjects[job.stage_id]])),
                "tone": STATES[job.state][2],
                "said": f"{said}, {_('after {stages}').format(stages=', '.join(after))}" if after else said,
            }
        )
    return found
