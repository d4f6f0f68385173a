"""Taking somebody as the teacher: the form of the next step gets its name."""

from __future__ import annotations

from typing import Any

import streamlit as st

from studio.ui.forms.form import Form
from studio.ui.shared import address
from studio.ui.shared.i18n import _


def select_button(name: str, who: dict[str, Any], key: str, primary: bool = False) -> None:
    """`who`: {"model": id} or {"endpoint": name}, with the prompt of an audition where it had one."""
    st.button(
        _("Use as teacher"),
        key=key,
        icon=":material/school:",
        type="primary" if primary else "secondary",
        help=_("Selects {name} in the “Ask the teacher” form.").format(name=name),
        on_click=select_teacher,
        args=(who,),
    )


def select_teacher(who: dict[str, Any]) -> None:
    """Callback: the step “Ask the teacher” opens with it."""
    Form("teacher").take({**who, "answerer": "saved" if "endpoint" in who else "model"})
    address.write("step", "teacher")
