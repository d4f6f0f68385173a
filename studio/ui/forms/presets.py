"""Buttons above a form that fill its fields for a purpose, such as least memory."""

from __future__ import annotations

import streamlit as st

from backend.api.forms import form_of
from studio.ui.forms.form import Form
from studio.ui.shared.i18n import _


def preset_buttons(form: Form) -> None:
    """One for each preset of the form; nothing where it has none."""
    presets = form_of(form.stage).presets
    if not presets:
        return
    st.markdown(_("Begin with:"))
    with st.container(horizontal=True, gap="xsmall"):
        for number, name in enumerate(presets):
            key = f"preset_{form.stage}_{number}"
            st.button(
                _(name),
                key=key,
                icon=":material/check:" if _holds(form, name) else None,
                on_click=_take,
                args=(form.stage, form.hidden, form.preset, name),
            )


def _holds(form: Form, name: str) -> bool:
    """Whether the form has what this preset sets, and nothing was chosen for the fields of the others."""
    presets = form_of(form.stage).presets
    fields = {field for values in presets.values() for field in values}
    return {field: value for field, value in form.touched.items() if field in fields} == dict(presets[name])


def _take(stage: str, hidden: frozenset[str], proposed: dict[str, object], name: str) -> None:
    """Callback: what no preset sets stays as it was chosen."""
    presets = form_of(stage).presets
    form = Form(stage, {}, hidden, proposed)
    form.renew({field for values in presets.values() for field in values})
    form.take(dict(presets[name]))
