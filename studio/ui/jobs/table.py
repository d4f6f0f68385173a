"""Ended runs as a table: a row opens its job or its run, its box chooses it.

A component of our own: Streamlit's tables open links in a new tab, and rows of its widgets are slow in the browser.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from backend.api.runs import changes, inputs, outputs
from backend.core.schemas import ArtifactView, Kind, RunView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import STATES, ago, duration, run_seconds, stage_label, state_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES
from studio.ui.shared.params import changes_text
from studio.ui.shared.project import project_label


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_TABLE = st.components.v2.component("slmops_jobs", html='<div class="jobs"></div>', css=_part(".css"), js=_part(".js"))


@dataclass(frozen=True)
class Click:
    """Ids of what was clicked just now, empty when nothing was; `chosen`: the runs whose boxes are ticked, None while no box
    was touched."""

    job: str = ""
    run: str = ""
    chosen: list[str] | None = None


def run_table(runs: Sequence[RunView], chosen: Collection[str], key: str = "history") -> Click:
    """`chosen`: the runs whose boxes are ticked as it is drawn."""
    columns = [_("Run"), _("Stage"), _("Data"), _("Changed parameters"), _("State"), _("Duration"), _("Started")]
    data = {
        "label": _("History"),
        "hint": _("Open this run"),
        "choose": _("Select {name}"),
        "all": _("Select all"),
        "columns": columns,
        "rows": rows(runs),
        "chosen": list(chosen),
    }
    clicked = _TABLE(
        key=key,
        data=data,
        on_job_change=lambda: None,
        on_run_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    ticked = [id_ for id_ in clicked.chosen.removeprefix("=").split(",") if id_] if clicked.chosen else None
    return Click(clicked.job or "", clicked.run or "", ticked)


def rows(runs: Sequence[RunView]) -> list[dict[str, Any]]:
    """What each row says; all of it is shown as plain text."""
    projects = {each.id: project_label(each) for each in api_cache.projects()}
    known = {view.id: view for view in api_cache.artifacts()}
    return [_row(run, projects if len(projects) > 1 else {}, known) for run in runs]


def _row(run: RunView, projects: Mapping[str, str], known: Mapping[str, ArtifactView]) -> dict[str, Any]:
    stages = [stage_label(job.stage) for job in run.jobs]
    seconds = run_seconds(run)
    given = [view.name for view in inputs(run, known) if view.kind is Kind.DATASET]
    made = [view.name for view in outputs(run, known.values()) if view.kind is Kind.DATASET]
    return {
        "id": run.id,
        "job": run.jobs[0].id if len(run.jobs) == 1 else "",
        "number": f"#{run.number}" if run.number else "",
        "name": stage_label(run.name),
        "tags": run.tags,
        "stage": stages[0] if len(stages) == 1 else ngettext("{n} stage", "{n} stages", len(stages)),
        "title": ", ".join(stages),
        "project": projects.get(run.project, ""),
        "data": ", ".join(given or made[:1]),
        "changes": _changes(run, known),
        "state": state_label(run.state),
        "tone": STATES[run.state][2],
        "took": duration(seconds) if seconds is not None else "",
        "started": ago(run.created),
    }


def _changes(run: RunView, known: Mapping[str, ArtifactView]) -> str:
    """Two or three of the parameters that were changed, of the stages that train first."""
    found = sorted(changes(run), key=lambda each: each[0].stage not in TRAINING_STAGES)
    if not found:
        return ""
    job, values = found[0]
    return changes_text(job.stage, values, known, most=3)
