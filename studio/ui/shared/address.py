"""The address of a page: `?project=` on every one, and what of the page is open, so that a link shows others the same.

Streamlit makes an entry of the browser's history for every change of the address. A step, an opened dataset, another project is
somewhere to go back from; a filter or an axis is not, and what a page completes by itself isn't either. `address.js` tells them
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from studio.ui.shared.project import PARAMETER, project, unknown_project

CONTROLS = frozenset(
    {
        *("state", "stage", "search", "kind"),
        *("benchmark", "quality", "x", "log", "untuned", "picked", "against", "confusion"),
    }
)
"""Parameters whose change makes no entry in the history."""
_PAGE, _ARRIVED, _KEPT, _FIRST = "address.page", "address.arrived", "address.kept", "address.first"
_HISTORY = st.components.v2.component("slmops_address", js=Path(__file__).with_suffix(".js").read_text("utf-8"))


def begin(page: str) -> None:
    """Once at the head of every run, before anything reads the address: it gets the project, if it has none."""
    here = (page, project().id)
    by_menu = not set(st.query_params) - {PARAMETER} and not _walks_history()
    st.session_state[_ARRIVED] = by_menu and st.session_state.get(_PAGE) != here
    st.session_state[_PAGE] = here
    if (
        unknown_project() is None
    ):  # also where it is there: a link to the same page alone leaves the browser's line as it was
        st.query_params[PARAMETER] = project().id


def _walks_history() -> bool:
    """Whether the browser's Back or Forward led here: then the address alone says what is shown."""
    context = get_script_run_ctx()
    return bool(context and context.is_history_navigation)


def history() -> None:
    """What the browser has to know. Draws nothing."""
    _HISTORY(key="address", data={"controls": sorted(CONTROLS), "project": project().id})


def page_link(page: Path, *, query_params: dict[str, str] | None = None, **look: Any) -> None:
    """`st.page_link` within the project."""
    st.page_link(page, query_params=_with_project(query_params), **look)


def switch_page(page: Path, *, query_params: dict[str, str] | None = None) -> NoReturn:
    """`st.switch_page` within the project."""
    st.switch_page(page, query_params=_with_project(query_params))


def _with_project(query: dict[str, str] | None) -> dict[str, str]:
    return {PARAMETER: project().id, **(query or {})}


def state(name: str, default: str, options: Collection[str] | None = None) -> str:
    """What the address says of the page's parameter `name`: nothing, or something that is no option, is `default`. Who comes
    back to a page by the menu finds what was left there."""
    kept = st.session_state.setdefault(_KEPT, {}).setdefault(st.session_state.get(_PAGE), {})
    asked = st.query_params.get(name)
    if asked is None and st.session_state.get(_ARRIVED) and kept.get(name, default) != default:
        asked = kept[name]
        if options is None or asked in options:
            st.query_params[name] = asked
    found = asked if asked is not None and (options is None or asked in options) else default
    kept[name] = found
    return found


def write(name: str, value: str, default: str = "") -> None:
    """Say it in the address; what is default isn't said. Call it in a callback."""
    st.session_state.setdefault(_KEPT, {}).setdefault(st.session_state.get(_PAGE), {})[name] = value
    if value == default:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def bound(name: str, default: str, options: Collection[str] | None = None, key: str | None = None) -> dict[str, Any]:
    """Arguments of a widget whose value is that of the address: its key (`name`, unless given) and what follows a change.
    Streamlit's own binding would write words of one language there."""
    key = key or name
    st.session_state[key] = state(name, default, options)
    return {"key": key, "on_change": lambda: write(name, str(st.session_state[key] or default), default)}


def pinned(name: str, first: Callable[[], str], options: Collection[str]) -> str:
    """The default of a parameter that depends on what there is: worked out once a page and session, so that nothing changes
    under somebody's hands."""
    held = st.session_state.setdefault(_FIRST, {})
    key = (name, st.session_state.get(_PAGE))
    if held.get(key) not in options:
        held[key] = first()
    return str(held[key])


def bound_switch(name: str, default: bool, key: str) -> dict[str, Any]:
    """The same for a toggle."""
    usual = "1" if default else "0"
    st.session_state[key] = state(name, usual, ("0", "1")) == "1"
    return {"key": key, "on_change": lambda: write(name, "1" if st.session_state[key] else "0", usual)}
