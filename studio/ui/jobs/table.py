"""Ended jobs as a table: a row opens the job, its run's name is a link.

A component of our own: Streamlit's tables open links in a new tab, and rows of its widgets are slow in the browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import STATES, ago, duration, stage_label, state_label
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project_label


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_TABLE = st.components.v2.component("slmops_jobs", html='<div class="jobs"></div>', css=_part(".css"), js=_part(".js"))


@dataclass(frozen=True)
class Click:
    """Ids of what was clicked just now; empty when nothing was."""

    job: str = ""
    run: str = ""


def job_table(jobs: Sequence[JobView], key: str = "history") -> Click:
    columns = [_("Stage"), _("Run"), _("Project"), _("State"), _("Took"), _("Started"), _("Attempts")]
    data = {"label": _("History"), "hint": _("Show this job"), "columns": columns, "rows": rows(jobs)}
    clicked = _TABLE(key=key, data=data, on_job_change=lambda: None, on_run_change=lambda: None)
    return Click(clicked.job or "", clicked.run or "")


def rows(jobs: Sequence[JobView]) -> list[dict[str, str]]:
    """What each row says; all of it is shown as plain text."""
    projects = {each.id: project_label(each) for each in api_cache.projects()}
    return [
        {
            "id": job.id,
            "run": job.run_id,
            "stage": stage_label(job.stage),
            "name": stage_label(api_cache.run_name(job.run_id)),
            "project": projects.get(job.project, ""),
            "state": state_label(job.state),
            "tone": STATES[job.state][2],
            "took": duration(job.seconds) if job.seconds is not None else "",
            "started": ago(job.started) if job.started else "",
            "attempts": str(job.attempts) if job.started else "",
        }
        for job in jobs
    ]
