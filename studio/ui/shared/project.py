"""The project that a browser tab works in: the one that its address names (`?project=<id>`), on every page. A tab without one
opens the project that was used last."""

from __future__ import annotations

import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from backend.api.projects import DEFAULT_PROJECT
from backend.core.schemas import ProjectView
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _

PARAMETER = "project"
_KEY = "project"
_USED = "project_used"
_NEXT = "project_next"
_LEFT = "project_left"
_SETTLED = 10.0
"""Seconds in which a browser may still send the address of a project that was just left."""


def project() -> ProjectView:
    """The tab's project: that of its address, else the one it had, else the one that was used last anywhere."""
    known = _known()
    asked = _asked() or st.session_state.get(_KEY)
    if asked not in known and (asked or not known):  # made or deleted by another session a moment ago
        known = _known(again=True)
    chosen = asked if asked in known else st.session_state.get(_KEY)
    if chosen not in known:
        chosen = api_cache.studio().chosen_project().id
        known = known if chosen in known else _known(again=True)
    _use(chosen)
    return known[chosen]


def _asked() -> str | None:
    """What the address says; not the project that was left a moment ago: what a page asks for by itself goes out with the
    address that the browser has, which may not have heard of the other one yet."""
    asked = st.query_params.get(PARAMETER)
    left, at = st.session_state.get(_LEFT, (None, 0.0))
    context = get_script_run_ctx()
    walks = bool(context and context.is_history_navigation)
    return None if asked == left and not walks and time.monotonic() - at < _SETTLED else asked


def unknown_project() -> str | None:
    """What the address names, when there is no such project."""
    asked = _asked()
    return None if asked is None or asked in _known() else asked


def trashed_project(asked: str) -> ProjectView | None:
    """The one of the trash that has this id."""
    return next((each for each in api_cache.studio().trashed_projects() if each.id == asked), None)


def project_label(each: ProjectView) -> str:
    return project_name(each.name)


def project_name(name: str) -> str:
    return _("First project") if name == DEFAULT_PROJECT else name


def choose_project(project_id: str) -> None:
    """Go to another project, on the same page. Call it in a callback or before the switch is drawn."""
    api_cache.studio().choose_project(project_id)
    api_cache.projects.clear()
    left = st.query_params.get(PARAMETER)
    st.session_state[_LEFT] = (left if left != project_id else None, time.monotonic())
    st.session_state[_KEY] = st.session_state[_USED] = project_id
    st.query_params.from_dict({PARAMETER: project_id})


def choose_next(project_id: str) -> None:
    """Go to another project in the next full run: for a fragment's callback, which can't write the address."""
    st.session_state[_NEXT] = project_id


def project_switch() -> None:
    """The sidebar's choice; it follows the address. Each project has its own: a browser that was not told yet of another
    project would say the old one once more, as if somebody had chosen it."""
    if wanted := st.session_state.pop(_NEXT, None):
        choose_project(wanted)
    mine = project().id
    key = f"{_KEY}_{mine}"
    st.session_state[_KEY] = st.session_state[key] = mine
    names = {each.id: project_label(each) for each in api_cache.projects()}
    st.selectbox(
        _("Project"),
        list(names),
        format_func=lambda id_: names.get(id_, id_),
        key=key,
        on_change=_switched,
        args=(key,),
        filter_mode=None,
    )


def _switched(key: str) -> None:
    """Callback. Where the language has changed, the browser once more says the old label, which is no project."""
    if st.session_state[key] in _known():
        choose_project(st.session_state[key])


def _known(again: bool = False) -> dict[str, ProjectView]:
    if again:
        api_cache.projects.clear()
    return {each.id: each for each in api_cache.projects()}


def _use(project_id: str) -> None:
    """Remember it as the one used last, once a session and project."""
    if st.session_state.get(_USED) != project_id:
        st.session_state[_USED] = project_id
        if api_cache.studio().chosen_project().id != project_id:
            api_cache.studio().choose_project(project_id)
