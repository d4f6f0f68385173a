"""What is bad about the results of a run, all of it in one place: each finding once, with the stage that it is of."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from backend.core.errors import Problem
from backend.core.messages.curves import HARDLY_TRAINED
from backend.core.schemas import JobView, RunView
from studio.ui.shared.formatting import escape_markdown, message_markdown, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.diagnosis_link import diagnosis_link


def run_findings(run: RunView, notes: Mapping[str, str] | None = None) -> None:
    """A warning for each, and the way to what explains a poor training; nothing for a run without. `notes`: code of a finding
    -> what to add to it."""
    for job, found in findings_of(run):
        title = escape_markdown(stage_label(job.stage))
        said = f"{found.sentence(_)} {(notes or {}).get(found.code, '')}".strip()
        st.warning(f"**{title}**: {message_markdown(said)}", icon=":material/warning:")
    diagnosis_link(*run.jobs)


def findings_of(run: RunView) -> list[tuple[JobView, Problem]]:
    """Each finding of each job once, and what was hardly trained."""
    own = [found for job in run.jobs for found in job.findings]
    return [
        (job, found)
        for job in run.jobs
        for found in [*job.findings, *(hint for hint in job.hints if hint.code in HARDLY_TRAINED)]
        if not _repeats(found, own)
    ]


def _repeats(found: Problem, own: list[Problem]) -> bool:
    """Whether it only passes on findings of earlier jobs of the run, as a package does with those of its model."""
    passed_on = found.args.get("findings")
    if not isinstance(passed_on, list):  # earlier versions kept a text
        return False
    known = [(each.code, each.args) for each in own]
    return all((one["code"], one.get("args", {})) in known for one in passed_on)
