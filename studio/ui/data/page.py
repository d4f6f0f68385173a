"""The page Data: a file or the demo becomes a dataset; the datasets there are, with their rows."""

from __future__ import annotations

import json
from pathlib import Path

import streamlit as st

from backend.api.forms import SOURCE_SUFFIXES
from backend.core.errors import StudioError
from backend.data.demo import SOURCE as DEMO
from backend.data.preview import Columns, PreviewRow
from studio import nav
from studio.ui.data.dataset import dataset_page
from studio.ui.data.datasets import dataset_list
from studio.ui.forms.form import Form
from studio.ui.forms.pickers import disambiguate
from studio.ui.forms.stage_page import apply_query_params, jobs_of, last_failure
from studio.ui.forms.stage_panel import stage_panel
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import clock, escape_markdown, format_size
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import next_link, project_stepper
from studio.ui.shared.upload import upload_box

STAGE = "dataset"
_PREVIEW_CHARS = 1500


def data_page() -> None:
    st.title(_("Data"), anchor=False)
    st.caption(_("From a file of examples to a dataset: what your model learns, and the rows that it is measured on."))
    with api_cache.show_errors():
        project_stepper(nav.DATA)
        if opened := st.query_params.get("data"):
            dataset_page(opened)
            return
        apply_query_params(STAGE)
        jobs_of(STAGE)
        last_failure(STAGE)
        next_link(nav.DATA)
        _upload()
        _form()
        dataset_list()


def _upload() -> None:
    st.subheader(_("Your file"), anchor=False)
    made = upload_box("data_upload", list(SOURCE_SUFFIXES), _("Drop a CSV, TSV, JSON, JSON Lines or Parquet file here"))
    if made:
        _take(str(api_cache.studio().upload(made).path))


def _take(path: str) -> None:
    """A new file: what was said of the columns of the last one no longer counts."""
    key = f"form.{project().id}.{STAGE}."
    touched = st.session_state.setdefault(f"{key}touched", {})
    for name in ("input", "output", "details", "group", "name"):
        touched.pop(name, None)
        st.session_state.pop(f"{key}{name}", None)
    touched["source"] = path
    st.session_state.pop(f"{key}source", None)


def _form() -> None:
    sources = {DEMO: _("Demo: voice commands of a smart home, in English and Spanish")}
    for upload in api_cache.studio().uploads():
        if Path(upload.name).suffix.lower() not in SOURCE_SUFFIXES:  # a model that waits to be imported
            continue
        sources[str(upload.path)] = f"{upload.name} · {format_size(upload.bytes)} · {clock(upload.created)}"
    sources = disambiguate(sources)
    key = f"form.{project().id}.{STAGE}."
    touched = st.session_state.get(f"{key}touched", {})  # a file that has just come is not in its widget yet
    chosen = st.session_state.get(f"{key}source") or touched.get("source")
    if chosen not in sources:  # a browser can send any text
        chosen = _draft_source(sources)
    demo = chosen == DEMO
    others = {"": _("split off from the file"), **{path: words for path, words in sources.items() if path != DEMO}}
    choices = {"source": sources, "validation_source": others, "test_source": others}
    hidden = {"validation_source", "test_source"} if demo else {"languages"}
    if demo:
        hidden |= {"input", "output", "details", "group", "license"}
    else:
        choices |= _column_choices(chosen)
    stage_panel(STAGE, choices=choices, hidden=frozenset(hidden), aside=_preview)


def _draft_source(sources: dict[str, str]) -> str:
    drafted = api_cache.studio().draft(project().id, STAGE).get("source")
    return drafted if drafted in sources else DEMO


def _column_choices(path: str) -> dict[str, dict[str, str]]:
    try:
        found = _columns(path, Path(path).stat().st_mtime)
    except (StudioError, OSError):
        return {name: {"": _("found by itself")} for name in ("input", "output", "details", "group")}
    names = {name: name for name in found.names}
    guesses = {"input": found.input or found.messages, "output": found.output, "details": found.details, "group": ""}
    return {role: {"": _by_itself(role, guess), **names} for role, guess in guesses.items()}


def _by_itself(role: str, guess: str) -> str:
    if guess:
        return _("found by itself: {column}").format(column=guess)
    return _("none") if role in ("details", "group") else _("found by itself")


@st.cache_resource(max_entries=32, show_spinner=False)
def _columns(path: str, changed: float) -> Columns:
    """`changed` is part of the key: a file that is written again is read again."""
    return api_cache.studio().columns(Path(path))


@st.cache_resource(ttl="60s", max_entries=32, show_spinner=False)
def _first_rows(raw: str, changed: float) -> list[PreviewRow]:
    """Three rows; `changed` is part of the key, as above. Raises StudioError."""
    return api_cache.studio().preview(json.loads(raw), 3)


def _preview(form: Form) -> None:
    """What a model will read, of the first rows."""
    raw, _unread = form.values()
    file = Path(str(raw.get("source", "")))
    try:
        rows = _first_rows(json.dumps(raw, sort_keys=True), file.stat().st_mtime if file.is_file() else 0.0)
    except StudioError:  # said beside its field
        return
    st.markdown(f"**{_('What the model will read')}**")
    for row in rows:
        with st.container(border=True, key=f"preview_{row.id}", gap="xsmall"):
            st.text(row.text[:_PREVIEW_CHARS] + ("…" if len(row.text) > _PREVIEW_CHARS else ""))
    if not rows:
        st.caption(escape_markdown(_("No row could be read.")))
