"""What a file that wasn't read asks: which part of it to take, or who answers in a chat."""

from __future__ import annotations

import streamlit as st

from backend.core.errors import Problem
from studio.ui.guide import state
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import Task, failure


def unread(work: Task) -> None:
    """Why a file can't be read, or the question whose answer is enough to read it."""
    (asked, *others) = work.error.problems if work.error else [None]
    title = _question(asked.code) if asked and not others else ""
    if asked is None or not title:
        st.error(message_markdown(failure(work)), icon=":material/error:")
        return
    _ask(title, asked)


def _question(code: str) -> str:
    """Empty where a choice doesn't help."""
    return {
        "data.chat_who": _("Who answers?"),
        "data.sheets_several": _("Which sheet?"),
        "data.records_several": _("Which list of rows?"),
        "data.members_several": _("Which file?"),
    }.get(code, "")


def _ask(title: str, problem: Problem) -> None:
    """A button for each choice; the answer goes where the form of the page Data has it."""
    st.markdown(f":material/description: **{escape_markdown(str(problem.args['file']))}**")
    st.markdown(f"**{title}**")
    st.caption(message_markdown(problem.fact(_)))
    with st.container(horizontal=True, gap="xsmall", key="guide_choices"):
        for at, name in enumerate(problem.args["choices"]):
            label, answer = escape_markdown(name), {"records": name}
            st.button(label, key=f"guide_choice_{at}", on_click=state.add_to_source, kwargs=answer)
