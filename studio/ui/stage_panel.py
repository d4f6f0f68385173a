"""The form of a stage with its pre-flight check, its quote and the button that starts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import streamlit as st

from backend import recipes
from backend.errors import Problem, StudioError
from backend.planner import Plan
from backend.schemas import Kind
from backend.stages.base import RefTo
from studio import nav
from studio.ui import source
from studio.ui.forms import Form, answerer_switch, problem_line
from studio.ui.i18n import _
from studio.ui.project import project
from studio.ui.tasks import background, drop, task
from studio.ui.words import duration, escaped, size, stage_words

SEED = 42


def stage_panel(
    stage: str,
    preset: dict[str, Any] | None = None,
    choices: dict[str, dict[str, str]] | None = None,
    hidden: frozenset[str] = frozenset(),
    aside: Callable[[Form], None] | None = None,
) -> None:
    """Form on the left, what it takes on the right. `preset` sets fields when it changes; `choices` are options of fields
    that the caller fills; `hidden` fields keep their defaults; `aside` draws below the basic fields."""
    form = Form(stage, choices or {}, hidden)
    _take_preset(form, preset or {})
    raw, unread = form.values()
    chosen = [st.session_state[form.key(name)] for name in form.shown()]  # `raw` leaves defaults out
    missing = [name for name in source.missing_builtins() if name in chosen]
    plan, problems = (None, unread) if unread or missing else _plan(stage, raw)
    form.keep(raw)
    by_field: dict[str, list[Problem]] = {}
    for problem in problems:
        by_field.setdefault((problem.field or "").partition(".")[0], []).append(problem)
    left, right = st.columns([3, 2], gap="large")
    for name in form.lacking():  # said on the right, with the way to go
        by_field.pop(name, None)
    with left:
        _draw_fields(form, by_field, aside)
    with right, st.container(border=True, key=f"quote_{stage}"):
        for name in form.lacking():
            _lacking(form.marks[name])
        others = [problem for name, found in by_field.items() if name not in form.fields for problem in found]
        _quote(plan, others, bool(form.lacking()))
        if missing:
            prepare_builtin(missing[0])
        _start(stage, plan if not problems or not any(problem.blocking for problem in problems) else None, form)


def prepare_builtin(name: str) -> None:
    """The built-in model is converted once; until then nothing can be quoted."""
    key = f"builtin:{name}"
    work = task(key)
    if work is None:
        st.info(_("The built-in model has to be prepared once; it takes about 25 s."), icon=":material/info:")
        st.button(
            _("Prepare the built-in model"),
            key=f"prepare_{name}",
            icon=":material/download:",
            on_click=_prepare,
            args=(key, name),
        )
        return

    def look() -> bool:
        if not work.done:
            st.markdown(f":shimmer[{_('Preparing the built-in model (about 25 s)…')}]")
            return True
        return False

    source.live(look, busy=not work.done)
    if work.done:
        drop(key)
        source.forget()
        with source.shown():
            work.get()
            st.rerun()


def _prepare(key: str, name: str) -> None:
    background(key, lambda: source.studio().model(name))


def _lacking(mark: RefTo) -> None:
    """What has to be there before this form can be of use, and where it is made."""
    row, words = {
        Kind.DATASET: (nav.DATA, _("This step needs a dataset, and there is none yet.")),
        Kind.ONNX: (nav.QUANTIZE, _("This step needs a quantized model, and there is none yet.")),
        Kind.ADAPTER: (nav.FINETUNE, _("This step needs a tuned model, and there is none yet.")),
    }.get(mark.kinds[-1], (nav.MODELS, _("This step needs a model, and there is none yet.")))
    st.info(words, icon=":material/info:")
    st.page_link(row.path, label=_("Go to {page}").format(page=_(row.title)), icon=":material/arrow_forward:")


def _take_preset(form: Form, preset: dict[str, Any]) -> None:
    mark = form.key("preset")
    if preset and st.session_state.get(mark) != preset:
        for name, value in preset.items():
            st.session_state[form.key(name)] = value
    st.session_state[mark] = dict(preset)


def _plan(stage: str, raw: dict[str, Any]) -> tuple[Plan | None, list[Problem]]:
    """The checked plan of this one stage, or all that is wrong with it."""
    try:
        plan = planned(stage, json.dumps(raw, sort_keys=True))
    except StudioError as error:
        return None, error.problems
    return plan, plan.problems


@st.cache_resource(ttl="4s", max_entries=64, show_spinner=False)
def planned(stage: str, raw: str) -> Plan:
    """Shared by all sessions for some seconds: a page that is drawn again asks the same. Raises StudioError."""
    params = json.loads(raw)
    name = str(params.get("name") or stage)
    content = {"name": name, "seed": SEED, "stages": [{"id": stage, "stage": stage, "params": params}]}
    return source.studio().plan(recipes.build(content))


def _draw_fields(form: Form, by_field: dict[str, list[Problem]], aside: Callable[[Form], None] | None) -> None:
    if "endpoint_url" in form.fields:
        answerer_switch(form)
    basic = form.basic()
    form.draw(basic, by_field)
    if aside:
        aside(form)
    more = [name for name in form.shown() if name not in basic]
    if more:
        wrong = any(name in by_field for name in more)
        with st.expander(_("Advanced"), icon=":material/tune:", expanded=wrong, key=f"advanced_{form.stage}"):
            columns = st.columns(2)
            for at, name in enumerate(more):
                with columns[at % 2]:
                    form.draw([name], by_field)


def _quote(plan: Plan | None, others: list[Problem], lacking: bool) -> None:
    st.subheader(_("What it takes"), anchor=False)
    if plan and plan.steps:
        quote = plan.steps[0].quote
        with st.grid(3, min_column_width=130, gap="small"):
            st.metric(_("Time"), duration(quote.seconds))
            st.metric(_("Memory"), size(quote.memory_bytes))
            st.metric(_("Disk"), size(quote.disk_bytes))
            if quote.tokens:
                st.metric(_("Tokens"), f"{quote.tokens:,}")
        for line in _checks(plan):
            st.caption(f":green[:material/check_circle:] {line}")
    elif not others and not lacking:
        st.caption(_("Fill in the form to see time, memory and disk."))
    for problem in others:
        problem_line(problem)


def _checks(plan: Plan) -> list[str]:
    """The pre-flight checks that this plan has passed."""
    world = source.machine()
    return [
        _("Inputs found and of the right kind"),
        _("Fits the memory of this machine ({size})").format(size=size(world.memory)),
        _("Fits the disk ({size} free)").format(size=size(world.disk)),
        _("The time rests on earlier runs here")
        if plan.steps[0].quote.stretch != 1.0
        else _("The time is an estimate for this machine; it learns from each run"),
    ]


def _start(stage: str, plan: Plan | None, form: Form) -> None:
    key = f"started.{form.project}.{stage}"
    st.session_state.setdefault(key, uuid4().hex)
    ready = plan is not None and bool(plan.steps)
    st.button(
        _("Start"),
        key=f"start_{stage}",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not ready,
        help=None if ready else _("First correct what is marked in the form."),
        on_click=_started,
        args=(plan, key),
    )
    if not source.workers():
        st.caption(escaped(_("No worker is at work: the job starts as soon as there is one.")))


def _started(plan: Plan, key: str) -> None:
    def start() -> None:
        source.studio().start(plan, project=project().name, key=st.session_state[key])
        st.session_state[key] = uuid4().hex  # the next click is another run
        st.toast(_("{stage} is in the queue.").format(stage=stage_words(plan.steps[0].step.stage)))

    source.act(start)
