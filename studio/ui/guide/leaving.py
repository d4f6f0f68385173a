"""What is said and asked before rows go to an endpoint."""

from __future__ import annotations

import streamlit as st

from backend.api.guide import Teacher, sends_away
from studio.ui.guide import state
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project


def leaving(teacher: Teacher | None) -> str:
    """That the rows are sent, and what happens to personal data in them: "mask", "send" or "ask"; "" where none leave this
    machine."""
    if teacher is None or teacher.kind != "endpoint":
        return ""
    st.caption(f":material/cloud_upload: {_('The rows are sent to this endpoint.')}")
    if not sends_away(teacher, api_cache.endpoints()):
        return ""
    words = {
        "mask": (_("Mask"), _("Placeholders take their place, also for the student.")),
        "send": (_("Send"), _("The endpoint gets it. Keys and passwords still stop the run.")),
        "ask": (_("Stop"), _("The run stops before anything is sent.")),
    }
    key = f"guide_personal_{project().id}"
    st.session_state[key] = state.chosen()["personal"]
    st.radio(
        _("If the rows hold personal data"),
        state.PERSONAL,
        format_func=lambda one: words[one][0],
        captions=[words[one][1] for one in state.PERSONAL],
        key=key,
        horizontal=True,
        on_change=lambda: state.take(personal=st.session_state[key]),
    )
    return str(state.chosen()["personal"])
