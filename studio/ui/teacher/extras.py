"""Headers and body fields of an endpoint in its dialog: text that the facade reads, out of the way until it is needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from studio.ui.shared.i18n import _

FIELDS = ("headers", "body")
PLACEHOLDERS = {"headers": "X-Team: support", "body": '{"reasoning_effort": "low"}'}


def extra_fields(draw: Callable[[str], None], wrong: bool) -> None:
    """`draw` draws a field by its name; `wrong`: one of them has a problem, so that they stand open."""
    with st.expander(_("Headers and body fields"), key="endpoint_extras", expanded=wrong):
        for field in FIELDS:
            draw(field)


def as_text(field: str, value: Any) -> Any:
    """A saved value as its widget takes it."""
    if field == "headers":
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    if field == "body":
        return json.dumps(value, ensure_ascii=False, indent=1) if value else ""
    return value
