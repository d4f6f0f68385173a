"""Beside a form that trains a student: in which ways it can learn from the chosen data, and which one is the best."""

from __future__ import annotations

import streamlit as st

from backend.models.routes import Choice, Route
from studio.ui import source
from studio.ui.forms import Form
from studio.ui.i18n import _
from studio.ui.stage_panel import unprepared
from studio.ui.words import duration, escaped, size


def route_card(form: Form) -> None:
    """Drawn below the basic fields; nothing while student or data are lacking."""
    student, data = (st.session_state.get(form.key(name)) for name in ("student", "data"))
    if not student or not data or unprepared(form):
        return
    with source.shown():
        choice = routes_of(student, data)
        with st.container(border=True, key=f"routes_{form.stage}", gap="small"):
            st.markdown(f"**{_('Ways to learn from this data')}**")
            for route in choice.routes:
                _route(route, choice)


@st.cache_resource(ttl="10s", max_entries=32, show_spinner=False)
def routes_of(student: str, data: str) -> Choice:
    """Raises StudioError when one of them is gone."""
    return source.studio().routes(student, data)


def route_words(name: str) -> str:
    return {"sequence": _("Answers (sequence)"), "logit": _("Answers and probabilities (logit)")}[name]


def _route(route: Route, choice: Choice) -> None:
    mark = ":green[:material/check_circle:]" if route.possible else ":gray[:material/block:]"
    best = route.name == choice.recommended
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{mark} **{route_words(route.name)}**", width="content")
        if best:
            st.badge(_("Recommended"), color="green")
    lines = [route.reason.sentence(_)]
    if route.quote:
        took = {"time": duration(route.quote.seconds), "size": size(route.quote.disk_bytes)}
        lines.append(_("The capture takes about {time} and {size}.").format(**took))
    if best:
        lines.append(choice.why.sentence(_))
    st.caption(escaped(" ".join(lines)))
