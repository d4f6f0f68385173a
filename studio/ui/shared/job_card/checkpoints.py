"""The checkpoints of a training that has ended: their figures side by side, and a model made of any of them."""

from __future__ import annotations

import streamlit as st

from backend.api.checkpoints import SCORES, Checkpoint
from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import ago, decimal, format_metric, format_size, number
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES, loss_chart
from studio.ui.shared.table import Cell, Column, Tag, plain_table
from studio.ui.shared.widgets import open_run

STARTED = "checkpoint_run"


@api_cache.versioned("job", entries=64, ttl="1m")
def checkpoints_of(job_id: str) -> list[Checkpoint]:
    return api_cache.studio().checkpoints(job_id)


def loss_with_checkpoints(job: JobView) -> None:
    """The curves with the checkpoints on them, and those below; without them for a job that is still at work or kept none."""
    if started := st.session_state.pop(STARTED, None):
        open_run(started)
    trained = job.stage in TRAINING_STAGES and job.state.ended and job.started
    found = checkpoints_of(job.id) if trained else []
    loss_chart(job, [each.step for each in found])
    if not found:
        return
    st.markdown(f"**{_('Checkpoints')}**")
    scores = [name for name in SCORES if any(name in each.scores for each in found)]
    rows = [_row(each, scores) for each in found]
    plain_table(f"checkpoints_{job.id}", _("Checkpoints"), _columns(scores), rows, sort=(0, False), stack=True)
    _make(job, found)


def _columns(scores: list[str]) -> list[Column]:
    titles = [_("Epoch"), _("Training loss"), *(format_metric(name, 0.0)[0] for name in scores), _("Size")]
    figures: list[Column] = [{"title": title, "kind": "figure"} for title in titles]
    return [{"title": _("Optimizer step"), "kind": "name"}, *figures, {"title": _("Saved"), "kind": "words"}]


def _row(each: Checkpoint, scores: list[str]) -> list[Cell]:
    tags: list[Tag] = [{"text": _("Best"), "tone": "accent"}] if each.best else []
    tags += [{"text": _("In the model"), "tone": "green"}] if each.taken else []
    none: Cell = {"text": "–", "value": ""}
    figures = [("train_loss", each.train_loss), *((name, each.scores.get(name)) for name in scores)]
    told: list[Cell] = [
        none if value is None else {"text": format_metric(name, value)[1], "value": value} for name, value in figures
    ]
    return [
        {"text": number(each.step), "tags": tags, "value": each.step},
        {"text": decimal(each.epoch, 0, 2), "value": each.epoch},
        *told,
        {"text": format_size(each.size_bytes), "value": each.size_bytes},
        {"text": ago(each.saved), "value": each.saved.timestamp()},
    ]


def _make(job: JobView, found: list[Checkpoint]) -> None:
    """The best is chosen at first, unless the model of the job is that one."""
    free = [each for each in found if not each.taken]
    if not free:
        return
    labels = {each.step: _label(each) for each in free}
    best = next((index for index, each in enumerate(free) if each.best), len(free) - 1)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key=f"from_checkpoint_{job.id}"):
        step = st.selectbox(
            _("Checkpoint"),
            list(labels),
            index=best,
            format_func=lambda step: labels.get(step, str(step)),
            key=f"checkpoint_{job.id}",
            width=380,
            filter_mode=None,
        )
        st.button(
            _("Make a model of it"),
            key=f"make_{job.id}",
            icon=":material/deployed_code:",
            on_click=api_cache.run_action,
            args=(lambda: _start(job, step),),
            help=_("Makes what the training would have left had it ended at this step. Nothing is trained."),
        )


def _label(each: Checkpoint) -> str:
    parts = [_("Step {step}").format(step=number(each.step))]
    parts += [" ".join(format_metric(name, value)) for name, value in list(each.scores.items())[:1]]
    return " · ".join([*parts, *([_("Best")] if each.best else [])])


def _start(job: JobView, step: int) -> None:
    run = api_cache.studio().start_from_checkpoint(job.id, step)
    st.session_state[STARTED] = run.id
