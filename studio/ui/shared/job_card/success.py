"""What a job has just made, where the eye is: its figures, its warnings, a sample, and what comes next."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.core.schemas import ArtifactView, JobView, Kind
from studio.nav import RESULT
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import count_text, duration, escape_markdown, format_metric, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import artifact_links, warnings
from studio.ui.shared.job_card.check_report import is_report, report_card
from studio.ui.shared.job_card.loss_curves import loss_chart
from studio.ui.shared.project_progress import next_step, session_stages
from studio.ui.shared.widgets import run_link

FIGURES = 6
SAMPLE_ROWS = 2
SAMPLE_LETTERS = 160
_SPLITS = ("train", "validation", "test", "pool")


def success_card(job: JobView, actions: Callable[[ArtifactView], None] | None = None) -> None:
    """`job` has finished, with findings or without. `actions` draws buttons for what it made, in place of the links."""
    made = next((view for view in api_cache.artifacts() if view.id == job.result.get("artifact")), None)
    with st.container(border=True, key=f"success_{job.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            name = f" · {escape_markdown(made.name)}" if made else ""
            st.markdown(
                f":green[:material/check_circle:] **{_('{stage} is done').format(stage=stage_label(job.stage))}**{name}"
            )
            st.caption(duration(job.seconds) if job.seconds is not None else "", width="content")
        if made and is_report(made):
            report_card(made)
        else:
            _figures(job, made)
        warnings(job)
        if made and made.kind is Kind.DATASET:
            _sample(made)
        with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
            if made and actions:
                actions(made)
            else:
                _links(job, made)
        loss_chart(job)


def _figures(job: JobView, made: ArtifactView | None) -> None:
    """Rows by split of a dataset, else the first figures of the result."""
    rows = made.facts.get("rows") if made and made.kind is Kind.DATASET else None
    if isinstance(rows, dict):
        words = {
            "train": _("Training rows"),
            "validation": _("Validation rows"),
            "test": _("Test rows"),
            "pool": _("Unlabelled rows"),
        }
        shown = [(words[split], count_text(rows[split])) for split in _SPLITS if rows.get(split)]
    else:
        metrics: dict[str, float] = job.result.get("metrics", {})
        shown = [format_metric(name, value) for name, value in metrics.items() if name != "seconds"][:FIGURES]
    if shown:
        with st.grid("auto", min_column_width=130, gap="small"):
            for label, value in shown:
                st.metric(label, value)


def _sample(made: ArtifactView) -> None:
    """The first rows, so that a wrong column is seen at once."""
    for row in _first_rows(made.id, made.digest):
        st.markdown(f"{_short(row[0])} → **{_short(row[1])}**")


@st.cache_resource(max_entries=32, show_spinner=False)
def _first_rows(dataset: str, digest: str) -> list[tuple[str, str]]:
    """What an artifact holds never changes."""
    rows = api_cache.studio().rows(dataset, "train", 0, SAMPLE_ROWS)
    return [(row.input, row.output or "") for row in rows]


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return escape_markdown(flat if len(flat) <= SAMPLE_LETTERS else f"{flat[:SAMPLE_LETTERS]}…")


def _links(job: JobView, made: ArtifactView | None) -> None:
    if made:
        artifact_links(made)
    run_link(job.run_id)
    if len(api_cache.one_run(job.run_id).jobs) > 1:
        page_link(RESULT.path, label=_("Show the result"), icon=RESULT.icon, query_params={"run": job.run_id})
    following = next_step(session_stages())
    label = _("Next: {page}").format(page=_(following.row.title))
    page_link(following.row.path, label=label, icon=":material/arrow_forward:", help=following.why)
