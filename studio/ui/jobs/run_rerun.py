"""A run of several stages again, with changed parameters: those that matter as fields, any other in the recipe."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api.forms import form_of, names
from backend.api.runs import changed_params
from backend.core.errors import StudioError
from backend.core.refs import ref_fields
from backend.core.schemas import RunView
from studio.ui.forms.fields import draw, kind_of, parse
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, message_markdown, stage_label
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES
from studio.ui.shared.widgets import open_run

OPEN, FAILED, STARTED = "rerun_open", "rerun_failed", "rerun_started"
TEXT, MODE, STEP, FIELD = "rerun_recipe", "rerun_mode", "rerun_step", "rerun_field_"


def begin(run_id: str) -> None:
    """Callback: the dialog opens in the run that follows."""
    for key in [str(key) for key in st.session_state if str(key).startswith((FIELD, TEXT, FAILED, STEP))]:
        del st.session_state[key]
    st.session_state[OPEN] = run_id


def rerun_dialog(run: RunView) -> None:
    if started := st.session_state.pop(STARTED, None):
        open_run(started)
    if st.session_state.get(OPEN) == run.id:
        st.dialog(_("Edit and rerun"), width="large", on_dismiss=_end, icon=":material/replay:")(_body)(run)


def _end() -> None:
    st.session_state.pop(OPEN, None)


def _body(run: RunView) -> None:
    if st.session_state.get(OPEN) != run.id:  # started or closed within the dialog
        st.rerun()
    words = {"fields": _("Parameters"), "recipe": _("Recipe")}
    st.segmented_control(
        _("Edit"),
        list(words),
        format_func=words.__getitem__,
        default="fields",
        required=True,
        key=MODE,
        label_visibility="collapsed",
    )
    if st.session_state[MODE] == "recipe":
        st.caption(_("Change parameters, add or remove stages. Edits here override the fields."))
        st.session_state.setdefault(TEXT, api_cache.studio().recipe_of(run.id))
        st.text_area(_("Recipe"), key=TEXT, height=400, label_visibility="collapsed", persist_state="session")
    else:
        _fields(_steps(run))
    for line in st.session_state.get(FAILED, "").splitlines():
        st.error(message_markdown(line), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        st.button(_("Cancel"), key="rerun_no", on_click=_end)
        st.button(
            _("Start"), key="rerun_yes", type="primary", icon=":material/play_arrow:", on_click=_start, args=(run,)
        )


def _steps(run: RunView) -> dict[str, dict[str, Any]]:
    """The steps of its recipe by id, of stages that there are."""
    found = api_cache.studio().recipe_content(run.id).get("stages", [])
    return {step["id"]: step for step in found if step["stage"] in names()}


def _fields(steps: dict[str, dict[str, Any]]) -> None:
    if not steps:
        st.caption(_("This run has no recipe to edit."))
        return

    def words(id_: str) -> str:
        title = stage_label(steps[id_]["stage"])
        return title if id_ == steps[id_]["stage"] else f"{title} · {id_}"

    order = sorted(steps, key=lambda id_: steps[id_]["stage"] not in TRAINING_STAGES)
    chosen = st.selectbox(_("Stage"), order, format_func=words, key=STEP, persist_state="session", filter_mode=None)
    step = steps[chosen]
    infos = form_of(step["stage"]).params.model_fields
    with st.grid(2, min_column_width=240, gap="small"):
        for name in _asked(step):
            key = f"{FIELD}{chosen}.{name}"
            st.session_state.setdefault(key, _held(step, name))
            draw(step["stage"], name, infos[name], key, None)


def _asked(step: dict[str, Any]) -> list[str]:
    """What stands open in the form, and what was changed; no references, which are the chain's own."""
    form = form_of(step["stage"])
    asked = dict.fromkeys([*form.open, *changed_params(step["stage"], step.get("params", {}))])
    return [name for name in asked if name not in ref_fields(form.params)]


def _held(step: dict[str, Any], name: str) -> Any:
    """The value as its widget holds it."""
    info = form_of(step["stage"]).params.model_fields[name]
    value = step.get("params", {}).get(name, info.get_default(call_default_factory=True))
    if kind_of(info).value == "list" and isinstance(value, list):
        return ", ".join(map(str, value))
    return float(value) if kind_of(info).value == "float" and isinstance(value, int) else value


def _content(run: RunView) -> dict[str, Any]:
    """The recipe with what was changed in the fields."""
    content = api_cache.studio().recipe_content(run.id)
    for step in content.get("stages", []):
        if step["stage"] not in names():
            continue
        infos = form_of(step["stage"]).params.model_fields
        for name in _asked(step):
            key = f"{FIELD}{step['id']}.{name}"
            if key in st.session_state and st.session_state[key] != _held(step, name):
                value = parse(kind_of(infos[name]), st.session_state[key])
                params = {**step.get("params", {}), name: value}
                step["params"] = {field: given for field, given in params.items() if given is not None}
    return content


def _start(run: RunView) -> None:
    studio = api_cache.studio()
    written = st.session_state.get(TEXT)
    changed = isinstance(written, str) and written != studio.recipe_of(run.id)
    try:
        plan = studio.plan_again(run.id, str(written) if changed else _content(run))
        project = next(each.name for each in api_cache.projects() if each.id == run.project)
        st.session_state[STARTED] = studio.start(plan, project=project).id
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)
        return
    seconds = sum((step.quote.seconds for step in plan.steps if step.quote), 0.0)
    st.toast(_("Started, about {time}.").format(time=duration(seconds)))
    api_cache.clear_caches()
    _end()
