"""The stages of a run, one line each; a line opens to all that is known of its job."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from backend.api.runs import changed_params
from backend.core.schemas import ArtifactView, JobView, RunView, State
from studio.ui.shared.figures import told_metrics
from studio.ui.shared.formatting import STATES, duration, escape_markdown, format_metric, stage_label, state_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.job_card.queue_position import start_order_now
from studio.ui.shared.params import changes_text, param_text, param_title
from studio.ui.shared.step_names import step_subjects

FIGURES = 2
"""Figures of a result in its line."""


def open_stage(stage_id: str) -> None:
    """Open the line of a stage; before the lines are drawn."""
    if stage_id:
        st.session_state[_key(stage_id)] = True


def stage_lines(run: RunView, known: Mapping[str, ArtifactView]) -> None:
    """A stage at work has its card elsewhere on the page; one that failed is open from the start."""
    shown = [job for job in run.jobs if job.state not in AT_WORK]
    if not shown:
        return
    subjects = step_subjects(run.jobs)
    order = start_order_now() if any(not job.state.ended for job in shown) else []
    with st.container(gap=None, key="stages"):
        for job in shown:
            alone = len(run.jobs) == 1
            box = st.expander(
                _line(job, subjects[job.stage_id], known),
                expanded=alone or job.state is State.FAILED,
                key=_key(job.stage_id),
                type="compact",
                on_change="rerun",
            )
            if box.open:
                with box:
                    job_card(job, run=False, border=False, order=order)
                    _parameters(job, known)


def _key(stage_id: str) -> str:
    return f"stage_{stage_id}"


def _line(job: JobView, subject: str, known: Mapping[str, ArtifactView]) -> str:
    """State, stage, what it made or changed, its first figures, its time."""
    _word, icon, colour = STATES[job.state]
    made = known.get(str(job.result.get("artifact")))
    parts = [f":{colour}[{icon}] **{stage_label(job.stage)}**"]
    if subject:
        parts.append(escape_markdown(subject))
    if made:
        parts.append(escape_markdown(made.name))
    if not job.state.finished:
        parts.append(state_label(job.state))
    parts += [escape_markdown(text) for text in _figures(job)]
    if job.seconds is not None:
        parts.append(duration(job.seconds))
    return f"{parts[0]} :small[{' · '.join(parts[1:])}]"


def _figures(job: JobView) -> list[str]:
    metrics: dict[str, float] = job.result.get("metrics", {})
    return [" ".join(format_metric(name, metrics[name])) for name in told_metrics(metrics)[:FIGURES]]


def _parameters(job: JobView, known: Mapping[str, ArtifactView]) -> None:
    """What was changed stands open; the rest on demand."""
    changed = changed_params(job.stage, job.params)
    said = escape_markdown(changes_text(job.stage, changed, known, most=12)) or _("All parameters at their defaults.")
    st.caption(f"**{_('Changed parameters')}** {said}" if changed else said)
    box = st.expander(_("All parameters"), key=f"params_{job.id}", type="compact", on_change="rerun")
    if box.open:
        rows = [
            {
                "label": escape_markdown(param_title(job.stage, name)),
                "value": escape_markdown(param_text(job.stage, name, value, known)),
            }
            for name, value in sorted(job.params.items(), key=lambda item: item[0] not in changed)
        ]
        with box:
            st.table(rows, hide_index=True, hide_header=True, border="horizontal", alt=_("All parameters"))
