"""An Olive workflow as a run: its file comes in, its recipe and what has no counterpart are shown, then it starts."""

from __future__ import annotations

import streamlit as st

from backend.api.runs import ReadWorkflow
from backend.core.errors import StudioError
from backend.core.refs import RefTo
from backend.core.schemas import Kind
from studio.ui.forms.pickers import OTHERS, choices
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.upload import upload_box
from studio.ui.shared.widgets import open_run

OPEN, FILE, FAILED, STARTED = "olive_open", "olive_file", "olive_failed", "olive_started"
MODEL, DATA = "olive_model", "olive_data"
LIMIT = 1_000_000
"""Bytes of a workflow, which is a page or two."""


def import_olive_dialog() -> None:
    """The button, and the dialog while it is open."""
    if started := st.session_state.pop(STARTED, None):
        open_run(started)
    st.button(_("Import from Olive"), key="olive_import", icon=":material/upload_file:", on_click=_begin)
    if st.session_state.get(OPEN):
        st.dialog(_("Run an Olive workflow"), width="large", on_dismiss=_end, icon=":material/upload_file:")(_body)()


def _begin() -> None:
    _end()
    st.session_state[OPEN] = True


def _end() -> None:
    for key in (OPEN, FILE, FAILED, MODEL, DATA):
        st.session_state.pop(key, None)


def _body() -> None:
    if not st.session_state.get(OPEN):  # started or cancelled within the dialog
        st.rerun()
    st.caption(_("JSON of `olive run`, `olive finetune` or `olive optimize`: training, conversion or search."))
    if arrived := upload_box("olive_upload", [".json"], _("Olive workflow")):
        _take(arrived)
    found = _read()
    if said := st.session_state.get(FAILED):
        st.error(escape_markdown(said), icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(_("Cancel"), key="olive_no", on_click=_end)
        st.button(
            _("Start"),
            key="olive_yes",
            type="primary",
            icon=":material/play_arrow:",
            disabled=found is None,
            on_click=_start,
            args=(found.text if found else "",),
        )


def _take(upload_id: str) -> None:
    """The text stays in the session; the upload is none for other pages."""
    _end()
    st.session_state[OPEN] = True
    studio = api_cache.studio()
    try:
        upload = studio.upload(upload_id)
        if upload.bytes > LIMIT:
            raise StudioError("olive.no_workflow", file=upload.name)
        st.session_state[FILE] = (upload.name, upload.path.read_text("utf-8", "replace"))
        studio.delete_upload(upload_id)
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)


def _read() -> ReadWorkflow | None:
    """The recipe with the chosen model and dataset; None until both are there."""
    if FILE not in st.session_state:
        return None
    name, text = st.session_state[FILE]
    studio = api_cache.studio()
    try:
        found = studio.recipe_from_olive(text, name)
        model = _choice(_("Model"), MODEL, (Kind.MODEL, Kind.ADAPTER), found.model)
        data = _choice(_("Dataset"), DATA, (Kind.DATASET,)) if found.reads else ""
        if not model or (found.reads and not data):
            return None
        found = studio.recipe_from_olive(text, name, model, data)
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)
        return None
    st.code(found.text, language="yaml", height=260)
    if found.left_out:
        st.caption("\n".join(f"- {escape_markdown(each.sentence(_))}" for each in found.left_out))
    return found


def _choice(title: str, key: str, kinds: tuple[Kind, ...], wanted: str = "") -> str:
    """The one of the name `wanted` to begin with."""
    absent = {OTHERS, *api_cache.missing_builtins()}
    options = {id_: words for id_, words in choices(RefTo(kinds)).items() if id_ not in absent}
    names = {view.id: view.name for view in api_cache.artifacts(kinds)}
    index = next((at for at, id_ in enumerate(options) if wanted and names.get(id_) == wanted), None)
    chosen = st.selectbox(
        title,
        list(options),
        index,
        format_func=lambda id_: options[id_],
        placeholder=_("Nothing to choose yet") if not options else _("Choose one"),
        key=key,
        on_change=_forget,
    )
    return chosen or ""


def _forget() -> None:
    """Callback: what was wrong of another choice."""
    st.session_state.pop(FAILED, None)


def _start(recipe: str) -> None:
    studio = api_cache.studio()
    try:
        plan = studio.plan(studio.read_recipe(recipe))
        started = studio.start(plan, project=project().name).id
    except StudioError as error:
        st.session_state[FAILED] = error.text(_)
        return
    _end()
    st.session_state[STARTED] = started
    api_cache.clear_caches()
