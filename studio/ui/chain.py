"""Where a project stands: its steps with their state, and what to do next. All of it is read from the project's jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from babel.numbers import format_decimal

from backend.schemas import JobView, RunView, State
from studio import nav
from studio.ui import source
from studio.ui.i18n import _, lang, ngettext
from studio.ui.project import project
from studio.ui.stepper import Mark, Step, stepper
from studio.ui.words import percent, size

STAGE_PAGES = {
    "dataset": nav.DATA,
    "teacher": nav.TEACHER,
    "distill": nav.DISTILL,
    "finetune": nav.FINETUNE,
    "quantize": nav.QUANTIZE,
    "evaluate": nav.COMPARE,
    "package": nav.QUANTIZE,
}
STEPS = ("dataset", "teacher", "distill", "finetune", "quantize", "evaluate")


@dataclass(frozen=True)
class Next:
    """What to do now: a page with a reason."""

    row: nav.Row
    why: str


def latest(runs: list[RunView], stage: str) -> list[JobView]:
    """The jobs of a stage, newest run first, in a run the last first."""
    return [job for run in runs for job in reversed(run.jobs) if job.stage == stage]


def chain(runs: list[RunView]) -> list[Step]:
    """The steps of a project with these runs (newest first)."""
    following = next_step(runs)
    steps = []
    for stage in STEPS:
        row = STAGE_PAGES[stage]
        jobs = latest(runs, stage)
        mark = _mark(jobs)
        if mark == "todo" and following.row is row:
            mark = "now"
        steps.append(Step(_(row.title), _sub(stage, jobs), mark))
    return steps


def next_step(runs: list[RunView]) -> Next:
    """The page to go to from here, and why."""

    def has(*stages: str) -> bool:
        return any(job.state is State.SUCCEEDED for stage in stages for job in latest(runs, stage))

    if not has("dataset"):
        return Next(nav.DATA, _("Bring a file of examples, or take the demo's."))
    if not has("teacher", "finetune", "distill"):
        return Next(nav.FINETUNE, _("Teach a small model your own answers."))
    if not has("finetune", "distill"):
        return Next(nav.DISTILL, _("Let a small student learn the teacher's answers."))
    if not has("quantize"):
        return Next(nav.QUANTIZE, _("Make the model small and fast."))
    if not has("evaluate"):
        return Next(nav.COMPARE, _("Measure what every step cost and gained."))
    return Next(nav.PLAYGROUND, _("Talk to your model beside its teacher."))


def chain_header(row: nav.Row) -> None:
    """The stepper of the session's project; a click goes to that page."""
    runs = source.project_runs(project().id)
    pages = [STAGE_PAGES[stage] for stage in STEPS]
    here = pages.index(row) if row in pages else None
    clicked = stepper(chain(runs), here)
    if clicked is not None:
        st.switch_page(pages[clicked].path)


def next_link(row: nav.Row) -> None:
    """A link to what comes next, when that is another page than this one."""
    following = next_step(source.project_runs(project().id))
    if following.row is row:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{_('Next')}** · {following.why}", width="content")
        st.page_link(
            following.row.path,
            label=_("Go to {page}").format(page=_(following.row.title)),
            icon=":material/arrow_forward:",
            icon_position="right",
        )


def _mark(jobs: list[JobView]) -> Mark:
    if any(not job.state.ended for job in jobs):
        return "run"
    if any(job.state is State.SUCCEEDED for job in jobs):
        return "done"
    return "err" if any(job.state is State.FAILED for job in jobs) else "todo"


def _sub(stage: str, jobs: list[JobView]) -> str:
    done = [job for job in jobs if job.state is State.SUCCEEDED]
    if not done:
        return ""
    metrics: dict[str, Any] = done[0].result.get("metrics", {})
    if stage == "dataset":
        rows = sum(value for name, value in metrics.items() if name.startswith("rows_"))
        return ngettext("{n} row", "{n} rows", int(rows))
    if stage == "teacher" and "answered" in metrics:
        return ngettext("{n} answer", "{n} answers", int(metrics["answered"]))
    if stage in ("distill", "finetune") and "parameters" in metrics:
        return f"{format_decimal(metrics['parameters'] / 1e6, '#,##0.#', locale=lang())} M"
    if stage == "finetune" and "trained_parameters" in metrics:
        return f"LoRA {format_decimal(metrics['trained_parameters'] / 1e6, '#,##0.#', locale=lang())} M"
    if stage == "quantize" and "size_bytes" in metrics:
        return size(metrics["size_bytes"])
    if stage == "evaluate":
        best = max((job.result.get("metrics", {}).get("accuracy", 0.0) for job in done), default=0.0)
        return percent(best) if best else ngettext("{n} model", "{n} models", len(done))
    return ""
