"""The sources that the form of the page Data offers: the demo, and the uploads that a dataset can be made of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from backend.api.forms import SOURCE_SUFFIXES
from studio.ui.data.look import FOLLOWING, STAGE
from studio.ui.forms.pickers import disambiguate
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import clock, format_size
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.upload import upload_box

TAKEN = "data_taken"
"""When the session took its last file."""


def upload_source() -> None:
    """The box for a new file, which the form takes."""
    st.header(_("Your file"), anchor=False)
    if made := source_box("data_upload"):
        take_upload(str(api_cache.studio().upload(made).path))


def source_box(key: str) -> str | None:
    """A box for a file of examples; the id of the upload when one has come."""
    kinds = _("CSV, Excel, JSON, Parquet, YAML, text or Markdown; zip and gzip too")
    return upload_box(key, list(SOURCE_SUFFIXES), _("Drop your file of examples here"), kinds)


def source_choices(demo: str) -> dict[str, str]:
    """Path -> words; the demo first, then the uploads, newest first."""
    sources = {demo: _("Demo: smart home voice commands, English and Spanish")}
    for upload in api_cache.studio().uploads():
        origin = upload.origin
        rows = Path(upload.name).suffix.lower() in SOURCE_SUFFIXES and not api_cache.studio().holds_model(upload.path)
        if origin or rows:
            name = f"{origin.host}/{origin.repo}" if origin else upload.name
            sources[str(upload.path)] = f"{name} · {format_size(upload.bytes)} · {clock(upload.created)}"
    return disambiguate(sources)


def chosen_source(sources: dict[str, str], demo: str) -> str:
    """What the form holds, else what its draft says, else the demo: a browser can send any text."""
    touched = st.session_state.get(_key("touched"), {})  # a file that has just come is not in its widget yet
    drafted = api_cache.studio().draft(project().id, STAGE).get("source")
    held = (st.session_state.get(_key("source")) or touched.get("source"), drafted)
    return next((source for source in held if source in sources), demo)


def another_file() -> None:
    """Before the form is made: what was said of one source does not count for another that somebody has just chosen."""
    placed = st.session_state.get(_key("placed"), {}).get("source")
    if placed is not None and st.session_state.get(_key("source"), placed) != placed:
        _forget()


def take_upload(path: str, license: str = "") -> None:
    """A new file, of which nothing was said yet but perhaps its license."""
    take_source({"source": path, "license": license} if license else {"source": path})


def take_source(said: dict[str, Any]) -> None:
    """A file with all that was said of it: `source` and other parameters of the dataset."""
    _forget()
    st.session_state[TAKEN] = datetime.now(UTC)
    st.session_state[_key("touched")].update(said)
    for name in said:
        st.session_state.pop(_key(name), None)


def _forget() -> None:
    touched = st.session_state.setdefault(_key("touched"), {})
    for name in FOLLOWING:
        touched.pop(name, None)
        st.session_state.pop(_key(name), None)


def _key(name: str) -> str:
    return f"form.{project().id}.{STAGE}.{name}"
