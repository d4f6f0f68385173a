"""Who answers in a form: a model of the studio, a saved endpoint, or one by its address."""

from __future__ import annotations

import streamlit as st

from studio import nav
from studio.ui.forms.form import Form
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _


def answerer_switch(form: Form) -> None:
    """Who answers: a model of the studio, a saved endpoint, or one by its address."""
    words = {
        "model": _("Local model"),
        "saved": _("Saved endpoint"),
        "endpoint": _("Endpoint address"),
    }
    st.segmented_control(
        _("Answered by"),
        list(words),
        format_func=words.__getitem__,
        key=form.key("answerer"),
        wrap=True,
        required=True,
        persist_state="session",
    )
    if form.answerer == "saved" and not form.choices["endpoint"]:
        st.info(_("No saved endpoints yet."), icon=":material/info:")
        page_link(
            nav.TEACHER.path,
            label=_("Add endpoint"),
            icon=":material/add:",
            query_params={"step": "choose"},
        )
