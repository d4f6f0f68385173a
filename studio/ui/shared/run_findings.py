"""What is bad about the results of a run, all of it in one place: each finding with the stage that it is of."""

from __future__ import annotations

import streamlit as st

from backend.core.schemas import RunView
from studio.ui.shared.formatting import escape_markdown, message_markdown, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.diagnosis_link import diagnosis_link


def run_findings(run: RunView) -> None:
    """A warning for each finding of each job, and the way to what explains a poor training; nothing for a run without."""
    for job in run.jobs:
        for found in job.findings:
            said = f"**{escape_markdown(stage_label(job.stage))}**: {message_markdown(found.sentence(_))}"
            st.warning(said, icon=":material/warning:")
    diagnosis_link(*run.jobs)
