"""The page Teacher, step by step: a catalogue of who could answer, an audition, then the stages that ask and filter."""

from __future__ import annotations

import streamlit as st

from backend.api.forms import stages_of
from studio.nav import TEACHER
from studio.ui.forms.stage_page import apply_query_params, earlier_jobs, jobs_of, step_switch
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import latest_jobs, next_link, project_stepper
from studio.ui.teacher.catalogue import catalogue
from studio.ui.teacher.ranking import ranking
from studio.ui.teacher.try_panel import try_panel

CHOOSE, AUDITION, ASK = "choose", "audition", "teacher"
STEPS = (CHOOSE, *stages_of("teacher"))


def teacher_page() -> None:
    st.title(_(TEACHER.title), anchor=False)
    st.caption(_("A large model, local or remote, labels your rows for a small one to learn from."))
    with api_cache.show_errors():
        project_stepper(TEACHER)
        apply_query_params(*STEPS)
        step = _switch()
        if step == CHOOSE:
            catalogue()
            return
        told = jobs_of(step)
        if step == AUDITION:
            ranking()
        elif not told and any(job.state.ended for job in latest_jobs(api_cache.project_runs(project().id), ASK)):
            next_link(TEACHER)
        stage_panel(step, aside=try_panel if step == ASK else None)
        earlier_jobs(step)


def _switch() -> str:
    """The step: the one that was chosen; at first the catalogue, or the form when somebody was asked already."""
    words = {CHOOSE: _("Choose"), **{stage: stage_label(stage) for stage in STEPS[1:]}}
    return step_switch(words, lambda: ASK if latest_jobs(api_cache.project_runs(project().id), ASK) else CHOOSE)
