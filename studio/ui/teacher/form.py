"""The dialog in which an endpoint is added or edited, with each problem below its field."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from backend.core.endpoints import PRESETS, PresetName, SavedEndpoint, YesNoUnknown
from backend.core.errors import Problem, StudioError
from studio.ui.forms.form import problem_line
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.teacher import extras, key_field
from studio.ui.teacher.labels import distillation_terms_text, found_text, gives_logprobs_text, preset_label, trial_text

_OPEN = "endpoint_form"
"""The name of the endpoint that is edited, "" for a new one; absent while the dialog is closed."""
_WRONG = "endpoint_form.problems"
FROM_PRESET = ("url", "key_env", "api_version")
NUMBERS = ("input_price", "output_price", "context", "requests_per_minute", "tokens_per_minute")
COUNTS = NUMBERS[2:]
FIRST: PresetName = "openai"


def open_form(name: str = "") -> None:
    """Callback: the dialog opens in the run that follows."""
    st.session_state[_OPEN] = name
    st.session_state[_WRONG] = []
    values = api_cache.studio().endpoint(name).model_dump() if name else _fresh()
    for field in SavedEndpoint.model_fields:
        st.session_state[_key(field)] = extras.as_text(field, values[field])


def dialog() -> None:
    """Draw it while it is open."""
    if _OPEN in st.session_state:
        name = st.session_state[_OPEN]
        title = _("Edit endpoint") if name else _("Add endpoint")
        st.dialog(title, width="medium", on_dismiss=_end, icon=":material/cloud:")(_body)(name)


def _fresh() -> dict[str, Any]:
    empty = SavedEndpoint.model_construct(name="", url="", model="").model_dump() | {"preset": FIRST}
    return empty | {field: getattr(PRESETS[FIRST], field) for field in FROM_PRESET}


def _key(field: str) -> str:
    return f"endpoint_form.{field}"


def _end() -> None:
    st.session_state.pop(_OPEN, None)
    key_field.forget()


def _body(name: str) -> None:
    if _OPEN not in st.session_state:  # saved or cancelled within the dialog
        st.rerun()
    _preset()
    saved = next((each for each in api_cache.endpoints() if each.name == name), None)
    for field in ("name", "url", "model"):
        _field(field, locked=field == "name" and bool(name))
        if field == "url":
            for warning in api_cache.studio().endpoint_warnings(_values(), key_field.has_key(saved)):
                problem_line(warning)
    key_field.key_field(saved, st.session_state.get(_WRONG, []), lambda: _field("key_env"))
    if PRESETS[st.session_state[_key("preset")]].protocol == "azure":
        _field("api_version")
    with st.grid(2, min_column_width=200, gap="small"):
        for field in NUMBERS:
            with st.container(gap="xsmall"):
                _field(field)
    extras.extra_fields(
        _field, bool({"headers", "body"} & {problem.field for problem in st.session_state.get(_WRONG, [])})
    )
    _field("forbids_distillation")
    _field("terms")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        asked = st.button(
            _("Test endpoint"), key="endpoint_try", icon=":material/network_check:", help=_("Sends one short question.")
        )
        st.space("stretch")
        st.button(_("Cancel"), key="endpoint_cancel", on_click=_end)
        st.button(_("Save"), key="endpoint_save", type="primary", on_click=_save, args=(name,))
    if asked:
        _try(name)


def _preset() -> None:
    info = SavedEndpoint.model_fields["preset"]
    st.selectbox(
        _(info.title or ""),
        list(get_args(PresetName)),
        format_func=preset_label,
        key=_key("preset"),
        help=_(info.description or ""),
        filter_mode=None,
        on_change=_take_preset,
    )
    preset = PRESETS[st.session_state[_key("preset")]]
    link = f" [{_('Source')}]({preset.terms_url})" if preset.terms_url else ""
    st.caption(f":material/gavel: {escape_markdown(_(preset.terms))}{link}")


def _take_preset() -> None:
    """Callback: another service has other usual values; what somebody typed for the last one goes."""
    preset = PRESETS[st.session_state[_key("preset")]]
    for field in FROM_PRESET:
        st.session_state[_key(field)] = getattr(preset, field)


def _field(field: str, locked: bool = False) -> None:
    info = SavedEndpoint.model_fields[field]
    title = _(info.title or field)
    common: dict[str, Any] = {"key": _key(field), "help": _(info.description or field)}
    if field in ("input_price", "output_price"):
        st.number_input(title, value=None, step=0.1, format="%.6g", placeholder=_("unknown"), **common)
    elif field in NUMBERS:
        st.number_input(title, value=None, step=1, **common)
    elif field == "forbids_distillation":
        st.segmented_control(
            title, list(get_args(YesNoUnknown)), format_func=distillation_terms_text, required=True, wrap=True, **common
        )
    elif field in ("terms", *extras.FIELDS):
        st.text_area(title, height=80, placeholder=extras.PLACEHOLDERS.get(field), **common)
    else:
        st.text_input(title, disabled=locked, **common)
    problems: list[Problem] = st.session_state.get(_WRONG, [])
    for problem in problems:
        if problem.field == field:
            problem_line(problem)


def _values() -> dict[str, Any]:
    values: dict[str, Any] = {field: st.session_state.get(_key(field)) for field in SavedEndpoint.model_fields}
    if PRESETS[values["preset"]].protocol != "azure":  # the field is not shown
        values["api_version"] = ""
    return values | {field: values[field] or 0 for field in COUNTS}


def _try(name: str) -> None:
    """Ask it as it is filled in, saved or not; what is wrong stands below."""
    with st.spinner(_("Sending a short question…")):
        try:
            trial = api_cache.studio().try_endpoint(_values(), key_field.typed(), name)
        except StudioError as error:
            said = " ".join(problem.sentence(_) for problem in error.problems)
            st.error(message_markdown(said), icon=":material/error:")
        else:
            said = " ".join((trial_text(trial), gives_logprobs_text(trial), found_text(trial)))
            st.success(escape_markdown(said), icon=":material/check:")


def _save(name: str) -> None:
    """Callback: saved, or the problems stand below their fields."""
    values, key = _values(), key_field.typed()
    problems = api_cache.studio().check_endpoint(values, new=not name)
    problems += api_cache.studio().check_key(key, "key") if key else []
    st.session_state[_WRONG] = problems
    if not problems:
        api_cache.run_action(lambda: _keep(values, key, name))
        _end()


def _keep(values: dict[str, Any], key: str, name: str) -> None:
    """Raises StudioError where the keyring refuses: the endpoint is saved then, its key is not."""
    saved = api_cache.studio().save_endpoint(values, new=not name)
    if key:
        api_cache.studio().set_key(saved.name, key)
