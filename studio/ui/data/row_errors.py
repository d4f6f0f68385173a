"""Rows of a file that can't be used: how many, why, and one click that leaves them out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from backend.core.errors import Problem
from backend.core.messages.data import ROW_ERRORS
from studio.ui.forms.form import Form
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _

FIELD = "on_bad_row"


def row_errors(problems: Sequence[Problem], form: Form) -> None:
    """Those among `problems` that name rows. While they stop the import: the click; once they are skipped: the way back."""
    found = [problem for problem in problems if problem.code in ROW_ERRORS]
    if not found:
        return
    stopped = any(problem.blocking for problem in found)
    mark = ":red[:material/error:]" if stopped else ":orange[:material/warning:]"
    for problem in found:
        st.markdown(f"{mark} :{'red' if stopped else 'orange'}[{message_markdown(problem.fact(_))}]")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("Fix them in the file, or skip them.") if stopped else _("They are skipped."), width="content")
        st.button(
            _("Skip these rows") if stopped else _("Stop on row errors"),
            key=form.key("skip_rows"),
            icon=":material/playlist_remove:" if stopped else None,
            type="secondary" if stopped else "tertiary",
            on_click=form.take,
            args=({FIELD: "skip" if stopped else "stop"},),
        )


def skipped_line(problem: Problem) -> None:
    """The same for a dataset that was made without those rows."""
    st.markdown(f":orange[:material/warning:] :orange[{message_markdown(problem.fact(_))} {_('They were skipped.')}]")
