"""Who learns and who teaches, how much is done, what it takes, and the button that starts all of it as one run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from backend.api.guide import (
    PRESETS,
    Goal,
    Material,
    Plan,
    Student,
    Teacher,
    Wish,
    other_language,
    plan_guided,
    students,
    teachers,
)
from backend.core.errors import Problem
from backend.core.schemas import RunView
from studio.nav import MODELS, RESULT, TEACHER
from studio.ui.forms.form import problem_line
from studio.ui.guide import plans, state
from studio.ui.guide.leaving import leaving
from studio.ui.guide.words import demo_words, preset_title, preset_words
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.builtin import fetch_words, preparing
from studio.ui.shared.formatting import escape_markdown, format_size, message_markdown, money, quoted_time, stage_label
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.tasks import background, drop, failure, task
from studio.ui.shared.widgets import worker_hint


def chain_box(goal: Goal, material: Material, blocked: bool, language: str = "") -> None:
    """`blocked`: the file can't be used for this goal as it is; `language`: the code of that of its rows, "" where unknown."""
    now = state.chosen()
    offered = students(api_cache.artifacts(), project().id)
    taught = teachers(api_cache.artifacts(), api_cache.endpoints(), project().id, material) if goal.distills else []
    teacher, missing = _teacher(goal, taught, now["teacher"])
    wish = _wish(goal, material, teacher, now, leaving(teacher))
    if missing or blocked or wish is None:
        _presets(goal, {})
        _missing_teacher(missing)
        _train(None, ready=False, why=_("Resolve the findings in red first.") if blocked else "")
        return
    student = _student(wish, offered, now["student"])
    if student is None:
        problem_line(Problem(code="guide.no_student"))
        page_link(MODELS.path, label=_("Go to {page}").format(page=_(MODELS.title)), icon=MODELS.icon)
        return
    wish = replace(wish, student=student.ref, student_layers=student.layers)
    found = {} if student.missing else {name: plans.planned(replace(wish, preset=PRESETS[name])) for name in PRESETS}
    _presets(goal, {name: plan for name, plan in found.items() if isinstance(plan, Plan)})
    _language(student, language)
    ready = _said(wish, found.get(now["preset"]), student, offered, taught)
    _train(wish, ready)


def _language(student: Student, language: str) -> None:
    if problem := other_language(student, language):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="guide_language"):
            problem_line(problem)
            page_link(MODELS.path, label=_("Go to {page}").format(page=_(MODELS.title)), icon=MODELS.icon)


def started() -> bool:
    """What Train has begun, while it is being prepared; the session that pressed it goes to the run as soon as there is one."""
    work = task(_task())
    if work is None:
        return False
    busy, mine = not work.done, _mine()

    def look() -> bool:
        if not work.done:
            preparing(work, "guide_starting")
        return not work.done

    api_cache.auto_refresh(look, busy=busy)
    if busy:
        return True
    if not mine:
        return False
    del st.session_state[_pressed()]
    drop(_task())
    if said := failure(work):
        st.error(message_markdown(said), icon=":material/error:")
        return False
    api_cache.clear_caches()
    state.forget()
    switch_page(RESULT.path, query_params={"run": work.get().id})


def begun() -> bool:
    """Whether Train was pressed and its run is not there yet."""
    work = task(_task())
    return work is not None and (_mine() or not work.done)


def _task() -> str:
    return f"guide:{project().id}"


def _mine() -> bool:
    """Whether this session pressed Train: others that look at the project are not led away from what they do."""
    return _pressed() in st.session_state


def _pressed() -> str:
    return f"{_task()}:pressed"


def _wish(goal: Goal, material: Material, teacher: Teacher | None, now: dict[str, Any], personal: str) -> Wish | None:
    if goal.distills and teacher is None:
        return None
    return Wish(
        goal=goal,
        preset=PRESETS[now["preset"]],
        source=now["source"],
        student="",
        student_layers=0,
        material=material,
        teacher=teacher,
        fixes=tuple(now["fixes"]),
        personal=personal,
    )


def _teacher(goal: Goal, taught: Sequence[tuple[Teacher, str]], held: str) -> tuple[Teacher | None, Problem | None]:
    """The teacher that was chosen, else the first that takes no rows elsewhere; why there is none."""
    if not goal.distills:
        return None, None
    if not taught:
        return None, Problem(code="guide.no_teacher")
    found = {_teacher_key(one): one for one, _name in taught}
    local = [one for one, _name in taught if one.kind != "endpoint"]
    names = {_teacher_key(one): _teacher_name(one, name) for one, name in taught}
    key = held if held in found else _teacher_key(local[0]) if local else None
    if len(names) > 1 or key is None:
        st.selectbox(
            _("Who is the teacher?"),
            list(names),
            index=list(names).index(key) if key else None,
            format_func=lambda one: names.get(one, one),
            placeholder=_("Choose a teacher"),
            key=f"guide_teacher_{project().id}",
            on_change=lambda: state.take(teacher=st.session_state[f"guide_teacher_{project().id}"] or ""),
            filter_mode=None,
        )
    if key is None:
        return None, Problem(code="guide.choose_teacher")
    return found[key], None


def _teacher_key(one: Teacher) -> str:
    return f"{one.kind}:{one.ref}"


def _teacher_name(one: Teacher, name: str) -> str:
    if one.kind == "tune":
        return _("Tuned first, on the answers in your file")
    return _("{name} (endpoint)").format(name=name) if one.kind == "endpoint" else name


def _missing_teacher(problem: Problem | None) -> None:
    if problem is None:
        return
    problem_line(problem)
    if problem.code == "guide.no_teacher":
        with st.container(horizontal=True, gap="medium"):
            for row in (TEACHER, MODELS):
                page_link(row.path, label=_("Go to {page}").format(page=_(row.title)), icon=row.icon)


def _student(wish: Wish, offered: Sequence[Student], held: str) -> Student | None:
    """What was chosen under “Details”, else the best that fits."""
    taken = next((one for one in offered if one.ref == held), None)
    if taken or not offered:
        return taken
    if len(offered) == 1 or offered[0].missing:
        return offered[0]
    return plans.preferred(wish, offered)


def _presets(goal: Goal, planned: dict[str, Plan]) -> None:
    key = f"guide_preset_{project().id}"
    st.session_state[key] = state.chosen()["preset"]

    def caption(name: str) -> str:
        times = (
            quoted_time(*(step.quote for step in planned[name].steps))
            if name in planned and planned[name].steps
            else ""
        )
        lines = [f"**{times}**" if times else "", preset_words(name)]
        return " · ".join(filter(None, lines))

    st.radio(
        _("How thorough?"),
        list(PRESETS),
        format_func=preset_title,
        captions=[caption(name) for name in PRESETS],
        key=key,
        horizontal=True,
        help=demo_words(goal.name) or None,
        on_change=lambda: state.take(preset=st.session_state[key]),
    )


def _said(
    wish: Wish,
    plan: Plan | list[Problem] | None,
    student: Student,
    offered: Sequence[Student],
    taught: Sequence[tuple[Teacher, str]],
) -> bool:
    """What happens and what stands against it; whether it may start."""
    problems = plan.problems if isinstance(plan, Plan) else plan or []
    shown = {(problem.code, json.dumps(problem.args, sort_keys=True, default=str)): problem for problem in problems}
    for problem in shown.values():
        if not problem.is_note and (problem.blocking or problem.stage != "data"):
            problem_line(problem)
    if student.missing:
        said = fetch_words(student.ref) or _("The built-in model is prepared first, once (about 25 s).")
        st.caption(f":material/info: {said} {_('The time is estimated after that.')}")
    if ahead := len(api_cache.open_jobs()):
        said = ngettext(
            "{n} job is already running or queued; its time is not in the estimate.",
            "{n} jobs are already running or queued; their time is not in the estimate.",
            ahead,
        )
        st.caption(f":material/hourglass_top: {said}")
    with st.expander(_("Details"), icon=":material/account_tree:", key="guide_details"):
        _details(plan if isinstance(plan, Plan) else None, student, offered)
    return not any(problem.blocking for problem in problems)


def _details(plan: Plan | None, student: Student, offered: Sequence[Student]) -> None:
    names = {one.ref: one.name for one in offered}
    key = f"guide_student_{project().id}"
    if st.session_state.get(key) not in names:
        st.session_state[key] = student.ref
    st.selectbox(
        _("Model to train"),
        list(names),
        format_func=lambda ref: names.get(ref, ref),
        key=key,
        on_change=lambda: state.take(student=st.session_state[key]),
        filter_mode=None,
    )
    if plan is None or not plan.steps:
        return
    st.markdown(" :gray[→] ".join(stage_label(step.step.stage) for step in plan.steps))
    facts = [
        ngettext("{n} step", "{n} steps", len(plan.steps)),
        _("memory {told}").format(told=format_size(plan.memory_bytes)),
        _("disk {told}").format(told=format_size(plan.disk_bytes)),
    ]
    facts += [escape_markdown(_("about {money}").format(money=money(plan.money)))] if plan.money else []
    st.caption(" · ".join(facts))


def _train(wish: Wish | None, ready: bool, why: str = "") -> None:
    st.button(
        _("Train"),
        key="guide_train",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not ready,
        help=why or None,
        on_click=_start,
        args=(wish,),
    )
    worker_hint()


def _start(wish: Wish | None) -> None:
    """Callback. A second click finds the same task, and the run that it makes has one key."""
    if wish is None:
        return
    studio, here, key = api_cache.studio(), project(), state.chosen()["key"]

    def run() -> RunView:
        made = studio.start(plan_guided(studio, wish, fetch=True), project=here.name, key=key)
        if studio.draft(here.id, state.DRAFT).get("key") == key:  # also for a session that is closed meanwhile
            studio.save_draft(here.id, state.DRAFT, {})
        return made

    drop(_task())  # what a session left behind that was closed while it waited
    background(_task(), run, [wish.student])
    st.session_state[_pressed()] = True
