"""Beside a form that trains a student: in which ways it can learn from the chosen data, and which one is the best."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from backend.planning.ablation.recipe import VARIANTS
from backend.planning.methods import MethodChoice, MethodOption
from studio.ui.forms.form import Form
from studio.ui.forms.stage_panel import missing_builtin
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, escape_markdown, format_size, option_label
from studio.ui.shared.i18n import _


def method_card(form: Form, names: Collection[str] | None = None) -> None:
    """Drawn below the basic fields; nothing while student or data are lacking. `names`: only these methods. A teacher that
    the form asks for counts instead of the one that answered the rows."""
    student, data = (st.session_state.get(form.key(name)) for name in ("student", "data"))
    if not student or not data or missing_builtin(form):
        return
    teacher = st.session_state.get(form.key("teacher")) if "teacher" in form.shown() else None
    with api_cache.show_errors():
        choice = cached_methods(student, data, teacher or None)
        with st.container(border=True, key=f"routes_{form.stage}", gap="small"):
            st.markdown(f"**{_('Methods for this data')}**")
            for method in choice.methods:
                if names is None or method.name in names:
                    _method(method, choice)


def ablation_methods(form: Form) -> None:
    """The methods that an ablation compares."""
    method_card(form, VARIANTS)


@st.cache_resource(ttl="10s", max_entries=32, show_spinner=False)
def cached_methods(student: str, data: str, teacher: str | None) -> MethodChoice:
    """Raises StudioError when one of them is gone."""
    return api_cache.studio().methods(student, data, teacher)


def method_label(name: str) -> str:
    return option_label("distill", "method", name)


def _method(method: MethodOption, choice: MethodChoice) -> None:
    mark = ":green[:material/check_circle:]" if method.possible else ":gray[:material/block:]"
    best = method.name == choice.recommended
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{mark} **{method_label(method.name)}**", width="content")
        if best:
            st.badge(_("Recommended"), color="green")
    lines = [method.reason.sentence(_)]
    if method.quote:
        lines.append(_cost(method))
    if best:
        lines.append(choice.why.sentence(_))
    st.caption(escape_markdown(" ".join(lines)))


def _cost(method: MethodOption) -> str:
    """What a method costs beside the training itself."""
    assert method.quote
    time = duration(method.quote.seconds)
    if method.name == "offline_logit":
        return _("Capture: about {time}, {size}.").format(time=time, size=format_size(method.quote.disk_bytes))
    words = _("About {time} and {size} of memory more than with answers alone.")
    return words.format(time=time, size=format_size(method.quote.memory_bytes))
