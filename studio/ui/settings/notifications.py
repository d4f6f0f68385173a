"""Who is told of the end of a run: webhooks and mailboxes, by Apprise."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.api.notifications import EVENTS, NotifyConfig, Target
from backend.core.errors import StudioError
from backend.core.schemas import State
from studio.ui.shared import api_cache
from studio.ui.shared.ended import words
from studio.ui.shared.formatting import escape_markdown, message_markdown, state_label
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import background, drop, failure, task

_EVENTS, _NAME, _PLACE, _VARIABLE, _URL, _FAILED = (
    f"notify_{name}" for name in ("events", "name", "place", "variable", "url", "failed")
)


def notifications() -> None:
    st.header(_("Notifications"), anchor=False)
    st.caption(
        _("Notifies a webhook or mailbox when a run ends. Sends its name, project and duration, none of your data.")
    )
    config = api_cache.studio().notifications.config()
    for target in config.targets:
        _target(target)
    if config.targets:
        _events(config)
    with st.expander(_("Add a target"), icon=":material/add:", key="notify_add"):
        _add()


def _target(target: Target) -> None:
    where = (
        _("environment variable {name}").format(name=f"`{target.entry}`")
        if target.place == "variable"
        else _("address in the keyring")
    )
    key = f"notify:{target.name}"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.markdown(f"**{escape_markdown(target.name)}** · {where}", width="content")
        with st.container(horizontal=True, gap="small", width="content"):
            st.button(
                _("Send a test"),
                key=f"test_{key}",
                icon=":material/send:",
                on_click=_test,
                args=(key, target.name),
            )
            st.button(
                _("Remove"),
                key=f"remove_{key}",
                icon=":material/delete:",
                type="tertiary",
                on_click=api_cache.run_action,
                args=(partial(api_cache.studio().notifications.remove, target.name),),
            )
    _outcome(key)


def _test(key: str, name: str) -> None:
    drop(key)
    background(key, partial(api_cache.studio().notifications.test, name))


def _outcome(key: str) -> None:
    """Of the last test of this target."""
    work = task(key)
    if work is None:
        return

    def look() -> bool:
        if not work.done:
            st.markdown(f":shimmer[{_('Sending…')}]")
        elif wrong := failure(work):
            st.error(message_markdown(wrong), icon=":material/error:")
        else:
            st.success(_("Test sent. Check that it arrived."), icon=":material/check_circle:")
        return not work.done

    api_cache.auto_refresh(look, busy=not work.done)


def _events(config: NotifyConfig) -> None:
    st.session_state.setdefault(_EVENTS, list(config.events))
    st.pills(
        _("Send a message when a run is"),
        list(EVENTS),
        selection_mode="multi",
        format_func=lambda event: state_label(State(event)),
        key=_EVENTS,
        on_change=lambda: api_cache.studio().notifications.set_events(st.session_state[_EVENTS], words(_)),
        wrap=True,
    )


def _add() -> None:
    ways = {"variable": _("Environment variable"), "keyring": _("System keyring")}
    there = api_cache.studio().notifications.keyring_there()
    if not there:
        del ways["keyring"]
    st.text_input(_("Name"), key=_NAME, max_chars=60, placeholder=_("Team channel"))
    st.segmented_control(
        _("Address storage"),
        list(ways),
        format_func=ways.__getitem__,
        key=_PLACE,
        default="variable",
        required=True,
    )
    if st.session_state.get(_PLACE) == "keyring":
        st.text_input(_("Address"), key=_URL, type="password", placeholder="mailto://user:password@example.com")
    else:
        st.text_input(_("Variable with the address"), key=_VARIABLE, placeholder="NOTIFY_URL")
        if not there:
            st.caption(_("No keyring on this machine: the address is read from the worker's environment."))
    st.caption(
        _("Enter an Apprise URL, such as {webhook} or {mail}.").format(
            webhook="`json://host/path`", mail="`mailto://user:password@host`"
        )
    )
    st.button(_("Add"), key="notify_save", type="primary", on_click=_save)
    if st.session_state.get(_FAILED):
        st.error(message_markdown(st.session_state[_FAILED]), icon=":material/error:")


def _save() -> None:
    studio, state = api_cache.studio().notifications, st.session_state
    state[_FAILED] = ""
    try:
        if state[_PLACE] == "keyring":
            studio.add_address(state[_NAME], state.get(_URL, ""), words(_))
        else:
            studio.add_variable(state[_NAME], state.get(_VARIABLE, "").strip(), words(_))
    except StudioError as error:
        state[_FAILED] = error.text(_)
        return
    state[_NAME] = state[_VARIABLE] = state[_URL] = ""
