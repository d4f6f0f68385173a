"""Small parts that several components draw."""

from __future__ import annotations

import streamlit as st

from backend.schemas import JobView, RunView, State
from studio.nav import HOME, RUN
from studio.ui.words import STATES, progress_line, state_words


def state_badge(state: State) -> None:
    _word, icon, colour = STATES[state]
    st.badge(state_words(state), icon=icon, color=colour)


def progress(job: JobView) -> None:
    """The bar of a job at work; empty until its stage says how much there is to do."""
    share = min(max(job.done / job.total, 0.0), 1.0) if job.total > 0 else 0.0
    st.progress(share, text=progress_line(job))


def home_link(label: str) -> None:
    st.page_link(HOME.path, label=label, icon=":material/arrow_back:")


def run_link(run: RunView) -> None:
    """A real link: it can be opened in another tab and walked back from."""
    st.page_link(
        RUN.path,
        label=f"**{run.name}**",
        icon=":material/chevron_right:",
        icon_position="right",
        query_params={"run": run.id},
    )


def open_run(run_id: str) -> None:
    """Go to a run's page; call it while drawing, not in a callback."""
    st.switch_page(RUN.path, query_params={"run": run_id})
