"""Which form answers must have: labels, a JSON schema, a pattern or a grammar, for all models of the page."""

from __future__ import annotations

import streamlit as st

from backend.api.host import Constraint
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _

FREE = "free"
KIND, TEXT = "answer_form", "answer_form_text"
DEFAULTS = {KIND: FREE, TEXT: ""}


def constraint() -> Constraint | None:
    """What the widgets say now; None while there is nothing to keep to."""
    text = st.session_state[TEXT].strip()
    if st.session_state[KIND] == FREE or not text:
        return None
    if st.session_state[KIND] == "labels":
        return Constraint(kind="labels", value=tuple(line.strip() for line in text.splitlines() if line.strip()))
    return Constraint(kind=st.session_state[KIND], value=text)


def restore(found: Constraint | None) -> None:
    """The form that a conversation was last asked with."""
    st.session_state[KIND] = found.kind if found else FREE
    if found:
        st.session_state[TEXT] = found.value if isinstance(found.value, str) else "\n".join(found.value)


def form_box() -> None:
    words = {
        FREE: _("Free text"),
        "labels": _("Labels"),
        "json_schema": _("JSON schema"),
        "regex": _("Regular expression"),
        "grammar": _("Lark grammar"),
    }
    hints = {
        "labels": _("One label per line"),
        "json_schema": '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
        "regex": r"\d{4}-\d{2}-\d{2}",
        "grammar": 'start: "yes" | "no"',
    }
    kind = st.session_state[KIND]
    title = _("Answer format") if kind == FREE else _("Answer format: {kind}").format(kind=words[kind])
    with st.popover(title, icon=":material/data_object:", key="answer_form_box"):
        kind = st.selectbox(
            _("Answer format"),
            list(words),
            format_func=words.__getitem__,
            key=KIND,
            persist_state="session",
            help=_("Allows only tokens that lead to an answer of this format."),
        )
        if kind == FREE:
            return
        # In a form, since the box alone would ask for Ctrl+Enter, and in English.
        with st.form("answer_form_form", border=False, enter_to_submit=False):
            st.text_area(words[kind], key=TEXT, height=160, persist_state="session", placeholder=hints[kind])
            st.form_submit_button(_("Apply"), key="answer_form_apply")
        found = constraint()
        if problem := found.problem() if found else None:
            st.error(message_markdown(problem.sentence(_)), icon=":material/error:")
