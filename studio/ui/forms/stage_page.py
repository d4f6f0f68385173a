"""The page of a stage: where the project stands, the job at work, the form, what earlier jobs gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from backend.api.forms import ABLATION, form_of, names, proposed, stages_of
from backend.core.schemas import ArtifactView, JobView, RunView, State
from backend.planning.ablation.results import is_ablation
from studio.nav import NavPage
from studio.ui.forms import correction
from studio.ui.forms.form import Form
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.shared import address, api_cache
from studio.ui.shared.formatting import stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.card import AT_WORK, job_card
from studio.ui.shared.job_card.queue_position import start_order_now
from studio.ui.shared.job_card.success import success_card
from studio.ui.shared.job_card.waiting import waiting_rows
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import latest_jobs, next_link, own_runs, project_stepper
from studio.ui.shared.refresh import project_fingerprint

EARLIER = 3


Panel = tuple[str, Callable[[], None]]
"""What a page has beside its stages: its word in the switch, and what draws it."""


def stage_page(
    row: NavPage,
    lead: str,
    *,
    asides: Mapping[str, Callable[[Form], None]] | None = None,
    panels: Mapping[str, Panel] | None = None,
) -> None:
    """The forms of all stages whose page this is. `lead` says in one sentence what the page is for; a page with several stages
    has a switch. `asides`: stage -> what stands below the basic fields of its form."""
    panels = panels or {}
    stages = tuple(stages_of(row.path.stem))
    st.title(_(row.title), anchor=False)
    st.caption(lead)
    with api_cache.show_errors():
        project_stepper(row)
        apply_query_params(*stages, *panels)
        stage = stages[0] if len(stages) + len(panels) == 1 else _switch(stages, panels)
        if stage in panels:
            panels[stage][1]()
            return
        told = jobs_of(stage)
        if not told and _ended(api_cache.project_runs(project().id), stage):
            next_link(row)
        stage_panel(stage, proposed(stage, row.path.stem), aside=(asides or {}).get(stage))
        earlier_jobs(stage)


def apply_query_params(*stages: str) -> None:
    """`?step=<stage>` chooses the step, with `&model=<id>` its form takes that model or student, once. `?from=<job id>` lets
    the form of its stage take the parameters of that job, once, and with `&correct=1` marks what made it fail."""
    wanted = st.query_params.get("step")
    if wanted in stages:
        _take_model(wanted)
    job_id = st.query_params.pop("from", None)
    if not job_id:
        return
    with api_cache.show_errors():
        job = api_cache.studio().job(job_id)
        if job.stage in stages:
            if len(stages) > 1:
                address.write("step", job.stage)
            form = Form(job.stage)
            form.load(job)
            if st.query_params.pop("correct", None):
                correction.begin(form, job)


def _take_model(stage: str) -> None:
    model = st.query_params.pop("model", None)
    fields = form_of(stage).params.model_fields if stage in names() else {}
    field = next((name for name in ("model", "student") if name in fields), None)
    if model and field:
        with api_cache.show_errors():
            Form(stage).take({field: model})


def jobs_of(stage: str, actions: Callable[[ArtifactView], None] | None = None) -> bool:
    """The jobs of this stage in this project: those at work, those that wait in their order, and what has ended since this
    session began, the last alone. The page is drawn again when anything in the project comes, starts or ends. True when that
    last one has succeeded, so that its card says what comes next; `actions` draws buttons for what it made in place of the
    links."""
    mine = project().id

    def draw() -> bool:
        active = _open_jobs(mine, stage)
        for job in active:
            if job.state in AT_WORK:
                job_card(job)
        waiting_rows({job.id for job in active if job.state not in AT_WORK}, start_order_now())
        return bool(active)

    watch = partial(project_fingerprint, mine)
    api_cache.auto_refresh(draw, busy=bool(_open_jobs(mine, stage)), watch=watch)
    news = _news(stage)
    if news is None:
        return False
    if news.state.finished:
        _tell(news)
        success_card(news, actions)
    else:
        job_card(news)
    return news.state.finished


def _tell(job: JobView) -> None:
    """Once, for those who look at the form further down."""
    told: set[str] = st.session_state.setdefault("told_ends", set())
    if job.id not in told:
        told.add(job.id)
        words = _("{stage} finished. The result is at the top of the page.")
        st.toast(words.format(stage=stage_label(job.stage)), icon=":material/check_circle:")


def _open_jobs(project_id: str, stage: str) -> list[JobView]:
    """With their progress; without what an ablation compares."""
    mine = {job.id for job in latest_jobs(own_runs(project_id), stage)}
    return [job for job in api_cache.open_jobs() if job.id in mine]


def _news(stage: str) -> JobView | None:
    """The job of this stage that ended last, when that was in this session and nobody had asked for it."""
    began: datetime = st.session_state.setdefault("session_began", datetime.now(UTC))
    ended = [job for job in _ended(own_runs(project().id), stage) if job.state.finished or job.state is State.FAILED]
    last = max(ended, key=lambda job: job.ended or began, default=None)
    return last if last and last.ended and last.ended > began else None


def earlier_jobs(stage: str) -> None:
    """The last jobs of this stage that ended, newest first, without what `jobs_of` has shown."""
    news = _news(stage)
    ended = [job for job in _ended(own_runs(project().id), stage) if news is None or job.id != news.id]
    if not ended:
        return
    st.header(_("Results so far"), anchor=False)
    for job in ended[:EARLIER]:
        job_card(job)
    if len(ended) > EARLIER:
        st.caption(_("See the Jobs page for older ones."))


def last_failure(stage: str) -> None:
    """The newest job of this stage when it failed and none came after it."""
    jobs = latest_jobs(api_cache.project_runs(project().id), stage)
    if jobs and jobs[0].state is State.FAILED and _news(stage) is None:
        job_card(jobs[0])


def _ended(runs: list[RunView], stage: str) -> list[JobView]:
    return [job for job in latest_jobs(runs, stage) if job.state.ended]


def _switch(stages: tuple[str, ...], panels: Mapping[str, Panel]) -> str:
    words = {step: panels[step][0] if step in panels else stage_label(step) for step in (*stages, *panels)}
    return step_switch(words, lambda: _busy_step(stages, panels))


def _busy_step(stages: tuple[str, ...], panels: Mapping[str, Panel]) -> str:
    """The first step with a job at work, else the first."""
    every = api_cache.project_runs(project().id)
    runs = [run for run in every if not is_ablation(run)]
    working = [stage for stage in stages if any(not job.state.ended for job in latest_jobs(runs, stage))]
    ablations = [run for run in every if is_ablation(run)]
    if ABLATION in panels and any(not run.state.ended for run in ablations):
        working.append(ABLATION)
    return (working or list(stages))[0]


def step_switch(words: Mapping[str, str], first: Callable[[], str]) -> str:
    """The step of a page (`?step=`), as a switch of `words` by code; `first` says where somebody new begins."""
    default = address.pinned("step", first, words)
    chosen = st.segmented_control(
        _("Step"),
        list(words),
        format_func=words.__getitem__,
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
        **address.bound("step", default, words),
    )
    return str(chosen or default)
