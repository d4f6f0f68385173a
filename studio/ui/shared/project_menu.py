"""What can be done with projects from the sidebar, the questions for their names, and what an unknown one is answered."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import ProjectView
from studio import nav
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link, switch_page
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import PARAMETER, choose_project, project, project_label, trashed_project

CREATE, RENAME, MORE = "create", "rename", "more"
_ASKED, _FAILED, _TOLD, _NAME = "project_asked", "project_failed", "project_told", "project_name"
_MADE = "project_made"
_CLOSE_MENU = st.components.v2.component(
    "studio_close_menu",
    html="<i hidden></i>",
    js="""
let done = "";
export default function ({ data }) {
  if (done === data.mark || !matchMedia("(max-width: 768px)").matches) return;
  done = data.mark;
  document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
}
""",
)
"""On a phone the menu covers the page."""


def project_menu() -> None:
    """The button below the switch, and the dialog while it is open."""
    titles = {CREATE: _("New project"), RENAME: _("Rename project"), MORE: _("Export, import, delete")}
    icons = {CREATE: ":material/add:", RENAME: ":material/edit:", MORE: ":material/folder_zip:"}
    chosen = st.menu_button(
        _("Manage projects"),
        list(titles),
        format_func=lambda code: f"{icons[code]} {titles[code]}",
        key="project_menu",
        icon=":material/more_horiz:",
        width="stretch",
        on_click=_open,
    )
    if chosen == MORE:
        switch_page(nav.SETTINGS.path)
    if st.session_state.pop(_MADE, False):
        switch_page(nav.HOME.path)
    if told := st.session_state.pop(_TOLD, None):
        st.toast(escape_markdown(told), icon=":material/check_circle:")
        _CLOSE_MENU(key="close_menu", data={"mark": told}, height=0)
    if (asked := st.session_state.get(_ASKED)) in (CREATE, RENAME):
        st.dialog(titles[asked], on_dismiss=_close, icon=icons[asked])(_ask)(asked)


def missing_project(asked: str) -> None:
    """In place of a page whose address names a project that is not there, or lies in the trash."""
    if held := trashed_project(asked):
        _in_trash(held)
        return
    st.title(_("Project not found"), anchor=False)
    with st.container(border=True, key="project_missing"):
        st.markdown(
            _("There is no project “{id}”. It was deleted or belongs to another studio.").format(
                id=escape_markdown(asked[:60])
            )
        )
        _others()


def _in_trash(held: ProjectView) -> None:
    st.title(project_label(held), anchor=False)
    with st.container(border=True, key="project_missing"):
        st.markdown(_("This project is in the trash."))
        st.button(
            _("Restore"),
            key="project_restore",
            icon=":material/restore_from_trash:",
            type="primary",
            on_click=api_cache.run_action,
            args=(lambda: api_cache.studio().restore([held.id]),),
        )
        _others()


def _others() -> None:
    st.caption(_("Open another project:"))
    for each in api_cache.projects():
        page_link(
            nav.HOME.path,
            label=escape_markdown(project_label(each)),
            icon=":material/folder:",
            query_params={PARAMETER: each.id},
        )


def _open() -> None:
    asked = st.session_state["project_menu"]
    st.session_state[_ASKED] = asked
    st.session_state[_FAILED] = ""
    st.session_state[_NAME] = project_label(project()) if asked == RENAME else ""


def _close() -> None:
    st.session_state.pop(_ASKED, None)


def _ask(asked: str) -> None:
    if st.session_state.get(_ASKED) != asked:  # done or cancelled within the dialog
        st.rerun()
    with st.form("project_form", border=False):
        st.text_input(_("Name"), key=_NAME, max_chars=100, placeholder=_("Support emails"))
        if wrong := st.session_state.get(_FAILED):
            st.error(message_markdown(wrong), icon=":material/error:")
        with st.container(horizontal=True, gap="small"):
            word, action = (_("Create"), _create) if asked == CREATE else (_("Rename"), _rename)
            # The first button of a form is what Enter presses.
            st.form_submit_button(word, key=f"project_{asked}", type="primary", on_click=_try, args=(action,))
            st.form_submit_button(_("Cancel"), key="project_cancel", on_click=_close)


def _try(action: Callable[[str], str]) -> None:
    """Callback: the dialog closes and the deed is told, or it stays open and says why not."""
    try:
        st.session_state[_TOLD] = action(st.session_state[_NAME])
    except StudioError as error:
        st.session_state[_FAILED] = error.text(_)
        return
    _close()


def _create(name: str) -> str:
    made = api_cache.studio().create_project(name)
    choose_project(made.id)
    st.session_state[_MADE] = True
    return _("Project “{name}” created").format(name=made.name)


def _rename(name: str) -> str:
    api_cache.studio().rename_project(project().id, name)
    api_cache.projects.clear()
    return _("Project renamed to “{name}”").format(name=" ".join(name.split()))
