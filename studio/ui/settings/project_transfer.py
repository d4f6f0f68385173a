"""A project out of the studio as one file, and such a file in: both take a while, and both can be stopped."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from backend.core.errors import StudioError
from backend.core.schemas import ProjectView
from studio import nav
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import ago, escape_markdown, format_size, message_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import PARAMETER, project, project_label
from studio.ui.shared.tasks import background, drop, failure, task
from studio.ui.shared.upload import upload_box

_WEIGHTS, _SLIM = "all", "slim"
_SUFFIX = ".zip"


@dataclass
class _Way:
    """How far an import is, in bytes; `stop` is asked for by a click."""

    done: int = 0
    total: int = 0
    stop: bool = False

    def tell(self, done: int, total: int) -> None:
        if self.stop:
            raise StudioError("projects.stopped")
        self.done, self.total = done, total


@st.cache_resource(show_spinner=False)
def _ways() -> dict[str, _Way]:
    return {}


def export_box() -> None:
    """What to take, how large that is, and the link; worked out when the box is open."""
    mine = project()
    box = st.popover(_("Export"), icon=":material/download:", key="project_export", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(_("One file with data, models, runs, reviews and evaluations. Keys are never included."))
        words = {_WEIGHTS: _("Everything"), _SLIM: _("Without reproducible weights")}
        chosen = st.radio(_("Contents"), list(words), format_func=words.__getitem__, key="project_export_what")
        with api_cache.show_errors():
            taken = api_cache.studio().project_contents(mine.id, chosen == _WEIGHTS)
            runs = ngettext("{n} run", "{n} runs", len(taken.runs))
            made = ngettext(
                "{n} dataset, model or other artifact", "{n} datasets, models and other artifacts", len(taken.artifacts)
            )
            st.caption(f"{runs} · {made} · {format_size(taken.bytes)}")
            st.link_button(
                _("Download"),
                f"api/projects/{mine.id}/export?weights={int(chosen == _WEIGHTS)}",
                key="project_export_go",
                type="primary",
                icon=":material/download:",
            )


def import_box() -> None:
    """The drop zone, and what is under way."""
    box = st.expander(_("Import a project"), icon=":material/upload:", key="project_import", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(_("Choose a file created with Export. It is checked before importing."))
        arrived = upload_box("project_upload", [_SUFFIX], _("Project file"))
        if arrived:
            _start(arrived)
        for upload in api_cache.studio().uploads():
            if key := _key(upload.id) if task(_key(upload.id)) else "":
                with st.container(border=True, key=f"box_{key}", gap="small"):
                    st.markdown(
                        f"**{escape_markdown(upload.name)}** · {format_size(upload.bytes)} · {ago(upload.created)}"
                    )
                    _state(upload.id)
        _arrived()


def _key(upload_id: str) -> str:
    return f"project_import_{upload_id}"


def _start(upload_id: str) -> None:
    way = _ways()[upload_id] = _Way()
    studio = api_cache.studio()

    def work() -> ProjectView:
        made = studio.import_project(studio.upload(upload_id).path, progress=way.tell)
        studio.delete_upload(upload_id)
        _done()[upload_id] = made
        return made

    drop(_key(upload_id))
    background(_key(upload_id), work)


@st.cache_resource(show_spinner=False)
def _done() -> dict[str, ProjectView]:
    """Upload -> the project that it became, since the web process runs."""
    return {}


def _state(upload_id: str) -> None:
    work, way = task(_key(upload_id)), _ways().get(upload_id, _Way())
    if work is None:
        return

    def look() -> bool:
        if not work.done:
            st.progress(min(way.done / way.total, 1.0) if way.total else 0.0, text=_("Checking and unpacking"))
            st.button(_("Cancel"), key=f"stop_{upload_id}", on_click=setattr, args=(way, "stop", True))
        return not work.done

    api_cache.auto_refresh(look, busy=not work.done)
    if wrong := failure(work):
        st.error(message_markdown(wrong), icon=":material/error:")
        st.button(_("Discard the file"), key=f"discard_{upload_id}", on_click=_discard, args=(upload_id,))


def _discard(upload_id: str) -> None:
    drop(_key(upload_id))
    api_cache.run_action(lambda: api_cache.studio().delete_upload(upload_id))


def _arrived() -> None:
    """The projects that came in, each a link."""
    known = {each.id for each in api_cache.projects()}
    for made in _done().values():
        if made.id not in known:
            api_cache.projects.clear()
            api_cache.clear_caches()
        with st.container(border=True, key=f"arrived_{made.id}", horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/check_circle: {_('Imported')}: **{escape_markdown(project_label(made))}**")
            page_link(
                nav.HOME.path, label=_("Open"), icon=":material/arrow_forward:", query_params={PARAMETER: made.id}
            )
