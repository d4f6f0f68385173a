"""Where a project stands: its steps with their state, and what to do next. All of it is read from the project's artifacts and
jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from backend.core.schemas import ArtifactView, JobView, Kind, RunView, State
from backend.planning.ablation.results import is_ablation, is_comparison_job
from studio import nav
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.formatting import decimal, format_size, percent
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.stepper import Step, StepStatus, stepper

STEPS = ("dataset", "teacher", "distill", "finetune", "quantize", "evaluate")


@dataclass(frozen=True)
class NextStep:
    """What to do now: a page with a reason."""

    row: nav.NavPage
    why: str


def own_runs(project_id: str) -> list[RunView]:
    """The runs of a project without what its ablations compare, which has a place of its own."""
    return [_without_trials(run) if is_ablation(run) else run for run in api_cache.project_runs(project_id)]


def _without_trials(run: RunView) -> RunView:
    return run.model_copy(update={"jobs": [job for job in run.jobs if not is_comparison_job(job)]})


def ablation_artifacts(project_id: str) -> set[str]:
    """The ids of what ablations compare in a project: the last to go on with."""
    runs = [run for run in api_cache.project_runs(project_id) if is_ablation(run)]
    jobs = [job for run in runs for job in run.jobs if is_comparison_job(job)]
    return {str(job.result["artifact"]) for job in jobs if job.result.get("artifact")}


def latest_jobs(runs: list[RunView], stage: str) -> list[JobView]:
    """The jobs of a stage, newest run first, in a run the last first."""
    return [job for run in runs for job in reversed(run.jobs) if job.stage == stage]


def completed_stages(artifacts: list[ArtifactView]) -> set[str]:
    """The stages that have left something in a project; they count even when their runs were cleared away."""
    found = set()
    for view in artifacts:
        if view.kind is Kind.DATASET:
            found.add("teacher" if view.facts.get("teacher") else "dataset")
        elif view.kind is Kind.MODEL and "kept_layers" in view.facts:
            found.add("prune")
        elif view.kind is Kind.REPORT:
            found.add(str(view.facts.get("report")))
        elif view.kind is not Kind.MODEL or view.job_id:  # an imported model was made by nobody here
            found.add(_STAGE_OF_KIND[view.kind])
    return found


_STAGE_OF_KIND = {
    Kind.MODEL: "distill",
    Kind.ADAPTER: "finetune",
    Kind.ONNX: "quantize",
    Kind.CAPTURE: "capture",
    Kind.EVALUATION: "evaluate",
    Kind.AUDITION: "audition",
    Kind.PACKAGE: "package",
}


def project_steps(runs: list[RunView], there: set[str]) -> list[Step]:
    """The steps of a project with these runs (newest first), where `there` are the stages that have left something."""
    following = next_step(there)
    steps = []
    for stage in STEPS:
        row = nav.page_of(stage)
        jobs = latest_jobs(runs, stage)
        mark = _step_status(jobs, stage in there)
        if mark == "todo" and following.row is row:
            mark = "now"
        steps.append(Step(_(row.title), _subtitle(stage, jobs), mark))
    return steps


def next_step(there: set[str]) -> NextStep:
    """The page to go to when these stages have left something, and why."""
    if "dataset" not in there:
        return NextStep(nav.DATA, _("Upload a file of examples, or use the demo's."))
    if not there & {"teacher", "finetune", "distill"}:
        return NextStep(nav.FINETUNE, _("Train a small model on your own answers."))
    if not there & {"finetune", "distill"} or ("prune" in there and "distill" not in there):
        return NextStep(nav.DISTILL, _("Train a small student on the teacher's answers."))
    if "quantize" not in there:
        return NextStep(nav.QUANTIZE, _("Make the model small and fast."))
    if "evaluate" not in there:
        return NextStep(nav.COMPARE, _("Measure the cost and gain of every step."))
    return NextStep(nav.PLAYGROUND, _("Chat with your model side by side with its teacher."))


def session_stages() -> set[str]:
    """The stages that have left something in the session's project."""
    mine = project().id
    return completed_stages([view for view in api_cache.artifacts() if view.project == mine])


def project_stepper(row: nav.NavPage) -> None:
    """The stepper of the session's project; a click goes to that page."""
    runs = api_cache.project_runs(project().id)
    pages = [nav.page_of(stage) for stage in STEPS]
    here = pages.index(row) if row in pages else None
    clicked = stepper(project_steps(runs, session_stages()), here)
    if clicked is not None:
        switch_page(pages[clicked].path)


def next_link(row: nav.NavPage) -> None:
    """A link to what comes next, when that is another page than this one."""
    following = next_step(session_stages())
    if following.row is row:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{_('Next')}** · {following.why}", width="content")
        page_link(
            following.row.path,
            label=_("Go to {page}").format(page=_(following.row.title)),
            icon=":material/arrow_forward:",
            icon_position="right",
        )


def _step_status(jobs: list[JobView], there: bool) -> StepStatus:
    if any(not job.state.ended for job in jobs):
        return "run"
    if there or any(job.state.finished for job in jobs):
        return "done"
    return "err" if any(job.state is State.FAILED for job in jobs) else "todo"


def _subtitle(stage: str, jobs: list[JobView]) -> str:
    done = [job for job in jobs if job.state.finished]
    if not done:
        return ""
    metrics: dict[str, Any] = done[0].result.get("metrics", {})
    if stage == "dataset":
        rows = sum(value for name, value in metrics.items() if name.startswith("rows_"))
        return ngettext("{n} row", "{n} rows", int(rows))
    if stage == "teacher" and "answered" in metrics:
        return ngettext("{n} answer", "{n} answers", int(metrics["answered"]))
    if stage in ("distill", "finetune") and "parameters" in metrics:
        return f"{decimal(metrics['parameters'] / 1e6, 0, 1)} M"
    if stage == "finetune" and "trained_parameters" in metrics:
        return f"LoRA {decimal(metrics['trained_parameters'] / 1e6, 0, 1)} M"
    if stage == "quantize" and "size_bytes" in metrics:
        return format_size(metrics["size_bytes"])
    if stage == "evaluate":
        best = max((job.result.get("metrics", {}).get("accuracy", 0.0) for job in done), default=0.0)
        return percent(best) if best else ngettext("{n} model", "{n} models", len(done))
    return ""
