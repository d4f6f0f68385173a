"""The form of a stage with its pre-flight check, its quote and the button that starts it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from backend.core.errors import Problem, StudioError
from backend.core.refs import RefTo
from backend.core.schemas import Kind
from backend.planning import recipes
from backend.planning.planner import Plan
from studio import nav
from studio.ui.forms import correction
from studio.ui.forms.answerer import answerer_switch
from studio.ui.forms.forecast import field_hints, forecast_lines
from studio.ui.forms.form import Form, problem_line
from studio.ui.forms.presets import preset_buttons
from studio.ui.forms.size_preview import student_preview
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.builtin import fetch_words
from studio.ui.shared.formatting import (
    escape_markdown,
    format_size,
    message_markdown,
    money,
    number,
    quoted_time,
    stage_label,
)
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.tasks import background, drop, failure, task

SEED = 42
DOUBLE_CLICK = 2.0


def stage_panel(
    stage: str,
    preset: dict[str, Any] | None = None,
    choices: dict[str, dict[str, str]] | None = None,
    hidden: frozenset[str] = frozenset(),
    aside: Callable[[Form], None] | None = None,
    told: frozenset[str] = frozenset(),
) -> None:
    """Form on the left, what it takes on the right. `preset` proposes values and wins when it changes; `choices` are
    options of fields that the caller fills; `hidden` fields keep their defaults; `aside` draws below the basic fields, and
    says itself the problems whose codes are `told`."""
    form = Form(stage, choices or {}, hidden, preset or {})
    _follow(form)
    plan, problems = checked(form)
    missing = missing_builtin(form)
    form.keep(problems)
    form.hints = field_hints(plan.steps[0].quote) if plan and plan.steps else {}
    form.objected = any(problem.field == "overrule" for problem in problems)
    shown = form.shown()
    by_field: dict[str, list[Problem]] = {}
    for problem in [*(each for each in problems if each.code not in told), *correction.marked(form)]:
        name = (problem.field or "").partition(".")[0]
        by_field.setdefault(name if name in shown else "", []).append(problem)
    for name in form.lacking():  # said on the right, with the way to go
        by_field.pop(name, None)
    left, right = st.columns([3, 2], gap="large")
    with left:
        draw_fields(form, by_field, aside)
        correction.focus(form)
    with right, st.container(border=True, key=f"quote_{stage}"):
        for name in form.lacking():
            _lacking(form.marks[name])
        marked = any(by_field) or any(problem.blocking and problem.code in told for problem in problems)
        _quote(plan, by_field.get("", []), bool(form.lacking()), marked)
        if missing:
            prepare_builtin(missing)
        _start(form, ready=plan is not None and bool(plan.steps) and not any(problem.blocking for problem in problems))


def checked(form: Form) -> tuple[Plan | None, list[Problem]]:
    """The plan of what the form says, when it can be planned, and all that is wrong."""
    raw, gone = form.values()
    return (None, gone) if gone or missing_builtin(form) else _plan(form.stage, raw)


def missing_builtin(form: Form) -> str | None:
    """A built-in model that is chosen and not imported yet; it may be a default, which `values` leaves out."""
    held = [st.session_state[form.key(name)] for name in form.shown()]
    chosen = [one for value in held for one in (value if isinstance(value, list) else [value])]
    return next((name for name in api_cache.missing_builtins() if name in chosen), None)


def _follow(form: Form) -> None:
    """When the page proposes other things than before in this session, they win over what was chosen."""
    mark = form.key("preset")
    before = st.session_state.get(mark, form.preset)
    st.session_state[mark] = dict(form.preset)
    changed = [name for name, value in form.preset.items() if before.get(name) != value]
    if changed:
        form.renew(changed)


def prepare_builtin(name: str) -> None:
    """The built-in model is converted once, and fetched before if need be; until then nothing can be quoted."""
    key = f"builtin:{name}"
    work = task(key)
    if work is None:
        download = fetch_words(name)
        st.info(download or _("The built-in model must be prepared once (about 25 s)."), icon=":material/info:")
        st.button(
            _("Download built-in model") if download else _("Prepare built-in model"),
            key=f"prepare_{name}",
            icon=":material/download:",
            on_click=_prepare,
            args=(key, name),
        )
        return

    def look() -> bool:
        if not work.done:
            download = _("Downloading and preparing the built-in model…") if fetch_words(name) else ""
            st.markdown(f":shimmer[{download or _('Preparing the built-in model (about 25 s)…')}]")
            return True
        return False

    api_cache.auto_refresh(look, busy=not work.done)
    if wrong := failure(work):
        st.error(message_markdown(wrong), icon=":material/error:")
        st.button(_("Try again"), key=f"again_{name}", icon=":material/refresh:", on_click=drop, args=(key,))
    elif work.done:
        drop(key)
        api_cache.clear_caches()
        st.rerun()


def _prepare(key: str, name: str) -> None:
    background(key, lambda: api_cache.studio().model(name, fetch=True))


def _lacking(mark: RefTo) -> None:
    """What has to be there before this form can be of use, and where it is made."""
    row, words = {
        Kind.DATASET: (nav.DATA, _("This step needs a dataset.")),
        Kind.ONNX: (nav.QUANTIZE, _("This step needs a quantized model.")),
        Kind.ADAPTER: (nav.FINETUNE, _("This step needs a fine-tuned model.")),
    }.get(mark.kinds[-1], (nav.MODELS, _("This step needs a model.")))
    st.info(words, icon=":material/info:")
    page_link(row.path, label=_("Go to {page}").format(page=_(row.title)), icon=":material/arrow_forward:")


def _plan(stage: str, raw: dict[str, Any]) -> tuple[Plan | None, list[Problem]]:
    """The checked plan of this one stage, or all that is wrong with it."""
    source_file = Path(str(raw.get("source", "")))
    stamp = source_file.stat().st_mtime if source_file.is_file() else 0.0
    try:
        plan = planned(stage, json.dumps(raw, sort_keys=True), stamp)
    except StudioError as error:
        return None, error.problems
    return plan, plan.problems


@api_cache.versioned("artifact", "artifact_parent", "endpoint", "job", entries=64, ttl="60s")
def planned(stage: str, raw: str, stamp: float) -> Plan:
    """Kept until one of the things changes that a plan rests on, at most a minute for the disk's sake; `stamp` is the time of
    the last change of its file. Raises StudioError."""
    params = json.loads(raw)
    name = str(params.get("name") or stage)
    content = {"name": name, "seed": SEED, "stages": [{"id": stage, "stage": stage, "params": params}]}
    return api_cache.studio().plan(recipes.build(content))


def draw_fields(form: Form, by_field: dict[str, list[Problem]], aside: Callable[[Form], None] | None) -> None:
    """The basic fields, what `aside` draws, and the others folded."""
    if "endpoint_url" in form.fields:
        answerer_switch(form)
    form.problems = by_field
    preset_buttons(form)
    form.draw(form.basic(), by_field)
    if aside:
        aside(form)
    more = [name for name in form.shown() if name not in form.drawn]
    if more:
        with _fold(form, [name for name in more if name in by_field]):
            columns = st.columns(2)
            for at, name in enumerate(more):
                with columns[at % 2]:
                    form.draw([name], by_field)


def _fold(form: Form, wrong: list[str]) -> DeltaGenerator:
    """“Advanced”, which opens by itself for each new problem in it and counts them. A browser heeds `expanded` only for a fold
    that it doesn't know yet: hence a key of its own for what opened it, kept when that is mended."""
    if wrong:
        st.session_state[form.key("unfolded")] = wrong
    unfolded = st.session_state.get(form.key("unfolded"), [])
    count = ngettext("{n} problem", "{n} problems", len(wrong)) if wrong else ""
    return st.expander(
        " · ".join(filter(None, [_("Advanced"), count])),
        icon=":material/tune:",
        expanded=bool(unfolded),
        key="_".join(["advanced", form.stage, *unfolded]),
    )


def _quote(plan: Plan | None, others: list[Problem], lacking: bool, marked: bool) -> None:
    st.header(_("Estimate"), anchor=False)
    if plan and plan.steps:
        quote = plan.steps[0].quote
        with st.container(horizontal=True, gap="medium"):
            st.metric(_("Time"), quoted_time(quote), width="content")
            st.metric(_("Memory"), format_size(quote.memory_bytes), width="content")
            if quote.vram:
                st.metric(_("GPU memory"), format_size(quote.vram_bytes), width="content")
            st.metric(_("Disk"), format_size(quote.disk_bytes), width="content")
            if quote.tokens:
                st.metric(_("Tokens"), number(quote.tokens), width="content")
            if quote.money:
                told = _("Based on your saved prices, before cached answers.")
                st.metric(_("Cost"), money(quote.money), width="content", help=told)
        for line in forecast_lines(plan.recipe.stages[0].stage, quote):
            st.caption(f":material/info: {line}")
        for line in _checks(plan):
            st.caption(f":green[:material/check_circle:] {line}")
        student_preview(plan.steps[0])
    elif marked:
        st.caption(f":orange[:material/error:] {_('Fix the marked fields first.')}")
    elif not others and not lacking:
        st.caption(_("Complete the form to see the estimate."))
    for problem in others:
        problem_line(problem)


def _checks(plan: Plan) -> list[str]:
    """The pre-flight checks that this plan has passed."""
    world = api_cache.machine()
    return [
        _("Inputs are valid"),
        _("Fits in memory ({size})").format(size=format_size(world.memory)),
        _("Fits on disk ({size} free)").format(size=format_size(world.disk)),
        ngettext(
            "Based on {n} previous run on this machine",
            "Based on {n} previous runs on this machine",
            plan.steps[0].quote.runs,
        )
        if plan.steps[0].quote.runs
        else _("Estimated for this machine; improves with each run"),
    ]


def _start(form: Form, ready: bool) -> None:
    key = f"started.{form.project}.{form.stage}"
    st.session_state.setdefault(key, uuid4().hex)
    st.button(
        _("Start"),
        key=f"start_{form.stage}",
        type="primary",
        icon=":material/play_arrow:",
        width="stretch",
        disabled=not ready,
        help=None if ready else _("Fix the marked fields first."),
        on_click=_started,
        args=(form.stage, form.choices, form.hidden, form.preset, key, st.session_state[key]),
    )
    if not api_cache.workers():
        st.caption(escape_markdown(_("No worker running. The job starts once there is one.")))


def _started(
    stage: str,
    choices: dict[str, dict[str, str]],
    hidden: frozenset[str],
    preset: dict[str, Any],
    mark: str,
    key: str,
) -> None:
    """The form is read once more: the click may have come together with the last change of a field. A second click
    within two seconds is the same click."""
    form = Form(stage, choices, hidden, preset)
    plan, problems = checked(form)
    last = st.session_state.get(f"{mark}.at", 0.0)
    if plan is None or any(problem.blocking for problem in problems) or time.monotonic() - last < DOUBLE_CLICK:
        return

    def start() -> None:
        api_cache.studio().start(plan, project=project().name, key=key)
        st.session_state[f"{mark}.at"] = time.monotonic()
        st.session_state[mark] = uuid4().hex
        st.toast(_("{stage} queued.").format(stage=stage_label(stage)))

    api_cache.run_action(start)
