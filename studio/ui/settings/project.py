"""The tab's project: its export, the import of others, and the question before it goes to the trash with all that was made in
it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import ProjectView
from studio.ui.settings.project_transfer import export_box, import_box
from studio.ui.shared import api_cache
from studio.ui.shared.delete import kept_in_trash
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import choose_next, choose_project, project, project_label
from studio.ui.shared.undo import offer

_ASKED = "project_delete"
_FAILED = "project_delete_failed"


def this_project() -> None:
    """Its name and what can be done with it; the dialog while it is open."""
    mine = project()
    only = len(api_cache.projects()) < 2
    st.header(_("Project"), anchor=False)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", border=True):
        st.markdown(f"**{escape_markdown(project_label(mine))}**", width="content")
        with st.container(horizontal=True, width="content", gap="small"):
            export_box()
            st.button(
                _("Delete project"),
                key="delete_project",
                icon=":material/delete:",
                disabled=only,
                help=_("You can't delete the only project.") if only else None,
                on_click=_begin,
                args=(mine.id,),
            )
    import_box()
    if st.session_state.get(_ASKED) == mine.id:
        st.dialog(_("Delete project"), on_dismiss=_end, icon=":material/delete:")(_confirm)(mine)


def _begin(project_id: str) -> None:
    st.session_state[_ASKED] = project_id
    st.session_state.pop(_FAILED, None)


def _end() -> None:
    st.session_state.pop(_ASKED, None)


def _confirm(mine: ProjectView) -> None:
    if st.session_state.get(_ASKED) != mine.id:  # done or cancelled within the dialog
        st.rerun()
    studio = api_cache.studio()
    runs, held = studio.runs(100_000, mine.id), studio.artifacts(project=mine.id)
    name = escape_markdown(project_label(mine))
    st.markdown(_("Move **{name}** and everything in it to the trash?").format(name=name))
    made = ngettext("{n} dataset, model or other artifact", "{n} datasets, models and other artifacts", len(held))
    st.markdown(f"- {ngettext('{n} run', '{n} runs', len(runs))}\n- {made}")
    st.caption(kept_in_trash(sum(view.size_bytes for view in held)))
    if st.session_state.get(_FAILED):
        st.error(message_markdown(st.session_state[_FAILED]), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="delete_project_no", on_click=_end)
        st.button(_("Delete"), key="delete_project_yes", type="primary", on_click=_delete, args=(mine.id,))


def _delete(project_id: str) -> None:
    name = project_label(project())
    try:
        api_cache.studio().delete_project(project_id)
    except StudioError as error:
        st.session_state[_FAILED] = error.text(_)
        return
    finally:
        api_cache.clear_caches()
    _end()
    choose_project(api_cache.projects()[0].id)
    offer(_("“{name}” moved to trash").format(name=name), partial(_restore, project_id, name))


def _restore(project_id: str, name: str) -> str:
    api_cache.studio().restore([project_id])
    choose_next(project_id)
    return _("Project “{name}” restored").format(name=name)
