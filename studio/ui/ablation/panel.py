"""The form of an ablation with the quote of the whole run, and above it what the last one showed."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import uuid4

import streamlit as st

from backend.api.forms import ABLATION
from backend.core.errors import Problem, StudioError
from backend.core.refs import RefTo
from backend.core.schemas import Kind
from backend.planning.ablation.recipe import parse
from backend.planning.ablation.results import is_ablation
from backend.planning.planner import Plan
from studio import nav
from studio.ui.ablation.results import results
from studio.ui.distill.methods import ablation_methods
from studio.ui.forms import pickers
from studio.ui.forms.form import Form, problem_line
from studio.ui.forms.stage_panel import DOUBLE_CLICK, draw_fields, missing_builtin, prepare_builtin
from studio.ui.shared import api_cache, scope
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import duration_range, format_size
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project

HIDDEN = frozenset(
    {"epochs", "capture", "method", "teacher", "own_share", "own_tokens", "rationale", "rationale_weight"}
)
"""Steps say how long; each variant has its method; the capture is found or made."""


def ablation() -> None:
    st.markdown(
        _(
            "Trains the same student in several ways, with equal steps and seeds, and compares "
            "them on the same rows. It shows whether the teacher was worth it."
        )
    )
    results()
    form = ablation_form()
    plan, problems = checked(form)
    form.keep(problems)
    own = {name: [problem for problem in problems if _at(problem) == name] for name in form.shown()}
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_fields(form, {name: found for name, found in own.items() if found}, ablation_methods)
    with right, st.container(border=True, key="quote_ablation"):
        _lacking(form)
        _quote(plan)
        for problem in _others(form, problems):
            problem_line(problem)
        if missing := missing_builtin(form):
            prepare_builtin(missing)
        _start(ready=plan is not None and not plan.blocking)


def ablation_form() -> Form:
    """Teachers' answers and people's are offered apart."""
    mine = scope.own((Kind.DATASET,))
    sides: dict[str, dict[str, str]] = {"data": {}, "gold": {}}
    for view in mine:
        sides["data" if view.facts.get("teacher") else "gold"][view.id] = pickers.label(view)
    choices = {name: pickers.disambiguate(options) for name, options in sides.items()}
    return Form(ABLATION, {**choices, "student": _students()}, HIDDEN)


def _students() -> dict[str, str]:
    """All models, those last that an ablation made."""
    runs = [run for run in api_cache.project_runs(project().id) if is_ablation(run)]
    made = {job.result.get("artifact") for run in runs for job in run.jobs}
    options = pickers.choices(RefTo((Kind.MODEL, Kind.ADAPTER)))
    return dict(sorted(options.items(), key=lambda option: option[0] in made))


def checked(form: Form) -> tuple[Plan | None, list[Problem]]:
    """The plan of the whole run, when it can be planned, and all that is wrong."""
    raw, gone = form.values()
    if gone or form.lacking() or missing_builtin(form):
        return None, gone
    try:
        plan = planned(json.dumps(raw, sort_keys=True))
    except StudioError as error:
        return None, error.problems
    return plan, plan.problems


@api_cache.versioned("artifact", "artifact_parent", "endpoint", "job", ttl="60s")
def planned(raw: str) -> Plan:
    """Kept as that of a stage is. Raises StudioError."""
    studio = api_cache.studio()
    return studio.plan(studio.ablation_recipe(parse(json.loads(raw))))


def _at(problem: Problem) -> str:
    """The field of the form that a problem is about; "" for what a step of the run says."""
    return "" if problem.stage else (problem.field or "").partition(".")[0]


def _others(form: Form, problems: list[Problem]) -> list[Problem]:
    """What stands at no field, each sentence once: the same may be wrong for every seed."""
    shown = form.shown()
    return list({problem.sentence(): problem for problem in problems if _at(problem) not in shown}.values())


def _lacking(form: Form) -> None:
    """What has to be there before, and where it is made."""
    needs = {
        "gold": (nav.DATA, _("An ablation needs a dataset with labelled rows.")),
        "data": (nav.TEACHER, _("An ablation needs a dataset with a teacher's answers.")),
        "student": (nav.MODELS, _("An ablation needs a student. Create or import a model first.")),
    }
    lacking = form.lacking()
    for name, (row, words) in needs.items():
        if name in lacking:
            st.info(words, icon=":material/info:")
            page_link(row.path, label=_("Go to {page}").format(page=_(row.title)), icon=":material/arrow_forward:")
            return


def _quote(plan: Plan | None) -> None:
    st.header(_("Estimate for the whole run"), anchor=False)
    if plan is None or not plan.steps:
        st.caption(_("Complete the form to see the estimate."))
        return
    with st.container(horizontal=True, gap="medium"):
        st.metric(_("Time"), duration_range(*plan.seconds_range), width="content")
        st.metric(_("Memory"), format_size(plan.memory_bytes), width="content")
        st.metric(_("Disk"), format_size(plan.disk_bytes), width="content")
    stages = [step.step.stage for step in plan.steps]
    parts = [ngettext("{n} training job", "{n} training jobs", stages.count("distill"))]
    parts.append(ngettext("{n} evaluation", "{n} evaluations", stages.count("evaluate")))
    st.caption(" · ".join(parts))
    if "capture" in stages:
        st.caption(f":material/info: {_('One capture serves all seeds.')}")


def _start(ready: bool) -> None:
    mark = f"started.{project().id}.ablation"
    st.session_state.setdefault(mark, uuid4().hex)
    st.button(
        _("Start ablation"),
        key="start_ablation",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not ready,
        help=None if ready else _("Fix the marked fields first."),
        on_click=_started,
        args=(mark, st.session_state[mark]),
    )


def _started(mark: str, key: str) -> None:
    """The form is read once more; a second click within two seconds is the same click."""
    plan, problems = checked(ablation_form())
    state: Any = st.session_state
    soon = time.monotonic() - state.get(f"{mark}.at", 0.0) < DOUBLE_CLICK
    if plan is None or any(problem.blocking for problem in problems) or soon:
        return

    def start() -> None:
        run = api_cache.studio().start(plan, project=project().name, key=key)
        state[f"{mark}.at"], state[mark] = time.monotonic(), uuid4().hex
        state["ablation_run"] = run.id
        st.toast(_("Ablation queued."))

    api_cache.run_action(start)
