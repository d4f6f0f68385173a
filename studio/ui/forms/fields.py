"""One field of a form as a widget. The type of the pydantic field decides; bounds are checked on the server, so that their
sentences come in the user's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from backend.api.forms import form_of
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import field_label, option_label
from studio.ui.shared.i18n import _

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_ZERO = re.compile(r"(?:^|[.;] )((?:0:?|[Cc]on 0[,:]?) .+?)(?:\.(?=\s|$)|$)")
"""The sentence about 0, in English or in Spanish."""
_CHAR_PIXELS, _BUTTON_PIXELS, _HALF_FORM_PIXELS = 7.3, 26, 232
LONG = frozenset({"prompt", "system", "rationale_request", "about", "rubric", "json_schema"})
"""Text fields that may hold several lines."""
NAMED = frozenset({"name", "version", "input", "output", "encoding", "delimiter", "records"})
"""Text fields that find their own value when they are left empty."""
OPTIONAL = frozenset({"must_match", "must_not_match", "license", "group", "details", "endpoint_key_env"})


class Kind(Enum):
    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CHOICE = "choice"
    CHOICES = "choices"
    REFS = "refs"
    LIST = "list"


def kind_of(info: FieldInfo) -> Kind:
    annotation = info.annotation
    inner = get_args(annotation)
    if get_origin(annotation) is Literal:
        return Kind.CHOICE
    if get_origin(annotation) is list:
        if get_origin(inner[0]) is Literal:
            return Kind.CHOICES
        return Kind.REFS if hasattr(inner[0], "__metadata__") else Kind.LIST
    if any(get_origin(each) is list for each in inner):  # "all-linear" or names
        return Kind.LIST
    if float in inner:  # or None, for what the stage finds itself
        return Kind.FLOAT
    return {int: Kind.INT, float: Kind.FLOAT, bool: Kind.BOOL}.get(annotation, Kind.TEXT)  # type: ignore[arg-type]


def parse(kind: Kind, value: Any) -> Any:
    """What the parameters want from what a widget holds; None: not given, so that the default counts."""
    if kind is Kind.LIST and isinstance(value, list):
        return value or None
    if kind is Kind.LIST:
        parts = [part.strip() for part in str(value or "").split(",") if part.strip()]
        if not parts:
            return None
        if len(parts) == 1 and isinstance(_number(parts[0]), str):
            return parts[0] if parts[0] in ("all-linear", "attention") else parts
        return [_number(part) for part in parts]
    if kind is Kind.TEXT and isinstance(value, str):
        return value.strip("\n")
    return value


def _number(text: str) -> int | float | str:
    """`3` and `0.5` as numbers, everything else as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def draw(
    stage: str, name: str, info: FieldInfo, key: str, options: dict[str, str] | None, hint: str = "", example: str = ""
) -> None:
    """The widget of a field, with `hint` below it and `example` in it while it is empty; its value is in the session."""
    title, help_ = field_label(stage, name)
    common: dict[str, Any] = {"key": key, "help": help_, "persist_state": "session"}
    kind = kind_of(info)
    if options is not None:
        _draw_options(title, kind, options, common)
    elif kind in (Kind.CHOICE, Kind.CHOICES):
        _draw_choice(stage, name, title, info, kind, common)
    elif kind is Kind.BOOL:
        st.toggle(title, wrap=True, **common)
    elif kind is Kind.INT:
        st.number_input(title, value=None, step=1, placeholder=_("Leave blank for the default"), **common)
    elif kind is Kind.FLOAT:
        default = float(info.get_default() or (0.1 if info.get_default() == 0 else 1e-3))
        st.number_input(
            title,
            value=None,
            step=min(default / 10, 0.5),
            format="%.6g",
            placeholder=_("Leave blank for the default"),
            **common,
        )
    elif name in LONG:
        st.text_area(title, height=110, **common)
    else:
        empty = _("Leave blank to name automatically") if name in NAMED else _("optional") if name in OPTIONAL else None
        st.text_input(title, placeholder=(empty if info.get_default() == "" else None) or example or None, **common)
    if kind in (Kind.INT, Kind.FLOAT) and st.session_state[key] == 0 and (zero := zero_words(help_)):
        st.caption(zero)
    if hint:
        st.caption(hint)


def examples_of(stage: str, key: Callable[[str], str]) -> dict[str, str]:
    """What can be written into fields of a form whose values stand in the session under `key(name)`."""
    form = form_of(stage)
    if form.examples is None:
        return {}
    held = {name: st.session_state.get(key(name)) for name in form.params.model_fields}
    facts = [view.facts for view in api_cache.artifacts() if view.id == held.get("model")]
    return form.examples(held, facts[0] if facts else {})


def zero_words(description: str) -> str:
    """What a description says of 0, which stands for something else in many fields; "" for nothing."""
    found = _ZERO.search(description)
    return f"{found[1][0].upper()}{found[1][1:]}." if found else ""


def _draw_options(title: str, kind: Kind, options: dict[str, str], common: dict[str, Any]) -> None:
    def words(value: str) -> str:
        return options.get(value, str(value))

    if kind in (Kind.REFS, Kind.LIST):
        st.multiselect(title, list(options), format_func=words, placeholder=_("none"), wrap=True, **common)
    else:
        st.selectbox(
            title,
            list(options),
            index=0 if options else None,
            format_func=words,
            placeholder=_("Nothing to choose yet"),
            disabled=not options,
            **common,
        )


def _fits_a_line(labels: list[str]) -> bool:
    """Whether buttons of these words stand beside each other in half a form, by the widths of our typeface."""
    return sum(_CHAR_PIXELS * len(label) + _BUTTON_PIXELS for label in labels) <= _HALF_FORM_PIXELS


def _draw_choice(stage: str, name: str, title: str, info: FieldInfo, kind: Kind, common: dict[str, Any]) -> None:
    literal = get_args(info.annotation)[0] if kind is Kind.CHOICES else info.annotation
    values = list(get_args(literal))
    told = {value: option_label(stage, name, value) for value in values}

    def words(value: Any) -> str:
        return told.get(value, str(value))

    if kind is Kind.CHOICES:
        st.pills(title, values, selection_mode="multi", format_func=words, wrap=True, **common)
    elif len(values) <= 4:
        # A wrapped segmented control falls apart: it has one outline for one line.
        switch = st.segmented_control if _fits_a_line(list(told.values())) else st.pills
        switch(title, values, format_func=words, required=True, wrap=True, **common)
    else:
        st.selectbox(title, values, format_func=words, **common)
