"""The key of an endpoint in its dialog: typed into a field and kept in the keyring, or named as an environment variable."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.core.endpoints import EndpointView
from backend.core.errors import Problem
from studio.ui.forms.form import problem_line
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _

KEY = "endpoint_form.key"
"""Of the session, while the dialog is open: emptied by every button that takes it."""


def key_field(saved: EndpointView | None, problems: list[Problem], variable: Callable[[], None]) -> None:
    """`saved`: the endpoint that is edited; `variable`: draws the field for the name of a variable."""
    missing = api_cache.studio().keyring_problem()
    if missing:
        st.info(message_markdown(missing.sentence(_)), icon=":material/key_off:")
        variable()
        return
    kept = saved is not None and saved.key_kept
    st.text_input(
        _("API key"),
        type="password",
        key=KEY,
        autocomplete="new-password",
        placeholder=_("Saved. Type to replace it.") if kept else _("Paste the key"),
        help=_("Stored in the system keyring, never in files, jobs or logs."),
    )
    for problem in problems:
        if problem.field == "key":
            problem_line(problem)
    if saved and kept:
        st.button(
            _("Delete key"),
            key="endpoint_key_delete",
            type="tertiary",
            icon=":material/key_off:",
            on_click=api_cache.run_action,
            args=(lambda: api_cache.studio().delete_key(saved.name),),
        )
    with st.expander(_("Use an environment variable instead"), key="endpoint_variable"):
        variable()


def typed() -> str:
    """What stands in the field now."""
    return str(st.session_state.get(KEY) or "").strip()


def has_key(saved: EndpointView | None) -> bool:
    """Whether the endpoint has a key of its own: typed now, or kept."""
    return bool(typed() or (saved and saved.key_kept))


def forget() -> None:
    """Nothing of a key stays in the session. In a callback only."""
    st.session_state.pop(KEY, None)


def where(endpoint: EndpointView) -> str:
    """Where its key comes from, in words for its card."""
    if endpoint.key_kept:
        return _("key in the keyring")
    return _("key in {variable}").format(variable=endpoint.key_env) if endpoint.key_env else _("no key")
