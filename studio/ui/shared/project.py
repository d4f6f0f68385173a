"""The project that a browser session works in: chosen in the sidebar, remembered in the store, so that a reload keeps it."""

from __future__ import annotations

import streamlit as st

from backend.api.projects import DEFAULT_PROJECT
from backend.core.schemas import ProjectView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _

_KEY = "project"


def project() -> ProjectView:
    """The session's project: the one that was chosen here, else the one chosen last anywhere."""
    projects = {each.id: each for each in api_cache.projects()}
    if st.session_state.get(_KEY) not in projects:
        st.session_state[_KEY] = api_cache.studio().chosen_project().id
    if st.session_state[_KEY] not in projects:  # made by another session a moment ago
        api_cache.projects.clear()
        projects = {each.id: each for each in api_cache.projects()}
    return projects[st.session_state[_KEY]]


def project_label(each: ProjectView) -> str:
    return _("First project") if each.name == DEFAULT_PROJECT else each.name


def choose_project(project_id: str) -> None:
    """Make it the project of this session and of new ones. Call it in a callback or before the switch is drawn."""
    api_cache.studio().choose_project(project_id)
    api_cache.projects.clear()
    st.session_state[_KEY] = project_id


def project_switch() -> None:
    """The sidebar's choice, with a button for a new one."""
    project()
    names = {each.id: project_label(each) for each in api_cache.projects()}
    st.selectbox(
        _("Project"),
        list(names),
        format_func=lambda id_: names.get(id_, id_),
        key=_KEY,
        on_change=lambda: choose_project(st.session_state[_KEY]),
        filter_mode=None,
        persist_state="session",
    )
    with st.popover(_("New or rename"), icon=":material/edit:", width="stretch", key="project_edit"):
        st.text_input(_("Name"), key="project_name", max_chars=100, placeholder=_("Support mails"))
        with st.container(horizontal=True, gap="small"):
            st.button(_("Create"), key="project_create", type="primary", on_click=_create)
            st.button(_("Rename this one"), key="project_rename", on_click=_rename)
        if st.session_state.get("project_failed"):
            st.error(escape_markdown(st.session_state["project_failed"]), icon=":material/error:")


def _create() -> None:
    def create() -> None:
        choose_project(api_cache.studio().create_project(st.session_state["project_name"]).id)
        st.session_state["project_name"] = ""

    _run_form_action(create)


def _rename() -> None:
    def rename() -> None:
        api_cache.studio().rename_project(st.session_state[_KEY], st.session_state["project_name"])
        api_cache.projects.clear()
        st.session_state["project_name"] = ""

    _run_form_action(rename)


def _run_form_action(action: object) -> None:
    from backend.core.errors import StudioError

    st.session_state["project_failed"] = ""
    try:
        action()  # type: ignore[operator]
    except StudioError as error:
        st.session_state["project_failed"] = error.text(_)
