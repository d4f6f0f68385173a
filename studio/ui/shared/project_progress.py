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

PATHS = {
    "finetune": ("dataset", "finetune", "quantize", "evaluate"),
    "distill": ("dataset", "teacher", "review", "distill", "quantize", "evaluate"),
}
"""The two ways to a model: the stages whose pages are its steps, in order."""
_ONLY_DISTILLED = {"teacher", "review", "capture", "prune", "distill", "judge", "curate", "generate", "audition"}

_GO = "path.go"


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
        elif "finetune_method" in view.facts and view.kind is not Kind.ONNX:
            found.add("finetune")
        elif view.kind is Kind.MODEL and "text_tokens" in view.facts:
            found.add("pretrain")
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


def project_steps(runs: list[RunView], there: set[str], path: str = "distill") -> list[Step]:
    """The steps of a project with these runs (newest first), where `there` are the stages that have left something."""
    following = next_step(there, path)
    steps = []
    for stage in PATHS[path]:
        row = nav.page_of(stage)
        jobs = latest_jobs(runs, stage)
        mark = _step_status(jobs, stage in there)
        if mark == "todo" and following.row is row:
            mark = "now"
        steps.append(Step(_(row.title), _subtitle(stage, jobs), mark))
    return steps


def next_step(there: set[str], path: str = "finetune") -> NextStep:
    """The page to go to when these stages have left something, on one of `PATHS`, and why."""
    if "dataset" not in there:
        return NextStep(nav.DATA, _("Upload a file of examples, or use the demo's."))
    if not there & {"teacher", "finetune", "distill"}:
        if path == "distill":
            return NextStep(nav.TEACHER, _("Let a teacher answer your rows."))
        return NextStep(nav.FINETUNE, _("Train a small model on your own answers."))
    if not there & {"finetune", "distill"} or ("prune" in there and "distill" not in there):
        return NextStep(nav.DISTILL, _("Train a small student on the teacher's answers."))
    if "quantize" not in there:
        return NextStep(nav.QUANTIZE, _("Make the model small and fast."))
    if "evaluate" not in there:
        return NextStep(nav.COMPARE, _("Measure the cost and gain of every step."))
    if not there & _ONLY_DISTILLED:
        return NextStep(nav.PLAYGROUND, _("Chat with your model."))
    return NextStep(nav.PLAYGROUND, _("Chat with your model side by side with its teacher."))


def session_stages() -> set[str]:
    """The stages that have left something in the session's project."""
    mine = project().id
    return completed_stages([view for view in api_cache.artifacts() if view.project == mine])


def project_stepper(row: nav.NavPage) -> None:
    """The stepper of the session's project; a click goes to that page."""
    runs = api_cache.project_runs(project().id)
    path = _path(row, session_stages())
    pages = [nav.page_of(stage) for stage in PATHS[path]]
    here = pages.index(row) if row in pages else None
    titles = {"finetune": _("Fine-tune my labels"), "distill": _("Distill a teacher")}
    steps = project_steps(runs, session_stages(), path)
    clicked = stepper(steps, here, paths=titles, path=path, on_path=_choose_path)
    if st.session_state.pop(_GO, False) and (wanted := st.session_state[_path_key()]) != path:
        switch_page(next_step(session_stages(), wanted).row.path)  # this page is a step of the other way alone
    if clicked is not None:
        switch_page(pages[clicked].path)


def _path(row: nav.NavPage, there: set[str]) -> str:
    """The way that the page belongs to, where only one has it; else the one chosen in this session, else that of the work so
    far."""
    only = [name for name, stages in PATHS.items() if row in map(nav.page_of, stages)]
    if len(only) == 1:
        return only[0]
    chosen = st.session_state.get(_path_key())
    return chosen if chosen in PATHS else "distill" if there & _ONLY_DISTILLED else "finetune"


def _choose_path(name: str) -> None:
    st.session_state[_path_key()] = name
    st.session_state[_GO] = True


def _path_key() -> str:
    return f"path.{project().id}"


def next_link(row: nav.NavPage) -> None:
    """A link to what comes next, when that is another page than this one and its work has not begun: a card on Home, one line
    elsewhere."""
    there = session_stages()
    path = _path(row, there)
    following = next_step(there, path)
    if following.row is row or _at_work(following.row, path):
        return
    card = row is nav.HOME
    aligned: Any = "distribute" if card else "left"
    with st.container(
        border=card, horizontal=True, vertical_alignment="center", horizontal_alignment=aligned, gap="small"
    ):
        words = f"**{_('Next')}** · {following.why}"
        st.markdown(words if card else f":small[{words}]", width="content")
        page_link(
            following.row.path,
            label=_("Go to {page}").format(page=_(following.row.title)),
            icon=":material/arrow_forward:",
            icon_position="right",
        )


def _at_work(row: nav.NavPage, path: str) -> bool:
    """Whether a job of this page's step waits or runs."""
    runs = api_cache.project_runs(project().id)
    return any(
        _step_status(latest_jobs(runs, stage), False) == "run" for stage in PATHS[path] if nav.page_of(stage) is row
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
        return ngettext("{n} row", "{n} rows", int(rows)) if rows else ""
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
