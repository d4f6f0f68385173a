"""Files in and out of a browser: a drop zone that streams to the disk whatever the size, and links that download."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from backend.core.errors import StudioError
from backend.core.messages.files import MESSAGES
from backend.core.schemas import ArtifactView, Kind
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import format_size
from studio.ui.shared.i18n import _, lang


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_BOX = st.components.v2.component("slmops_upload", html=_part(".html"), css=_part(".css"), js=_part(".js"))


def upload_box(key: str, accept: list[str], label: str, kinds: str = "") -> str | None:
    """A drop zone for one file with an ending of `accept` (`[".csv", ".zip"]`, any when empty); `kinds` says in words which
    those are, where they are many.

    Returns the upload's id (`backend.api.Studio.upload`) once, in the run that follows its arrival.
    """
    result = _BOX(key=key, data=box_data(accept, label, kinds), on_done_change=lambda: None)
    return uploaded_path(result.done)


def uploaded_path(upload_id: Any) -> str | None:
    """The id that the browser says, if that upload is there."""
    if not isinstance(upload_id, str):
        return None
    try:
        return api_cache.studio().upload(upload_id).id
    except StudioError:
        return None


def box_data(accept: list[str], label: str, kinds: str = "") -> dict[str, Any]:
    """What the drop zone needs to know: its words in the session's language, endings, the limit in bytes."""
    limit = api_cache.studio().settings.max_upload_bytes
    problems = {code: " ".join(map(_, words)) for code, words in MESSAGES.items() if code.startswith("files.upload")}
    up_to = _("up to {size}").format(size=format_size(limit))
    words = {
        "label": label,
        "drop": _("Drop a file here"),
        "choose": _("Choose a file"),
        "another": _("Choose another file"),
        "cancel": _("Cancel"),
        "limits": " · ".join([kinds or ", ".join(accept), up_to] if accept else [up_to]),
        "sending": _("Uploading {name}"),
        "arrived": _("{name} uploaded"),
        "kind": _("“{name}” is not a supported type ({kinds}). Choose another file."),
        "folder": _("This is a folder. Choose a file, or zip the folder."),
        "several": _("Upload one file at a time."),
        "too_large": problems["files.upload_too_large"].format(limit=format_size(limit)),
        "broken": _("Connection lost. Check that the studio is running, then upload again."),
        "problems": problems,
    }
    return {"words": words, "accept": [ending.lower() for ending in accept], "limit": limit, "lang": lang()}


def download_link(
    artifact: ArtifactView,
    label: str,
    format: str | None = None,
    plain: bool = False,
    split: str = "",
    primary: bool = False,
) -> None:
    """A link to the artifact's bytes: a zip file, or for a dataset one of its formats, of which some hold one `split`.
    `plain`: without a frame; `primary`: the one to take."""
    query = {name: value for name, value in (("format", format), ("split", split)) if value}
    st.link_button(
        label,
        f"api/artifacts/{artifact.id}/download{'?' if query else ''}{urlencode(query)}",
        key=f"download_{artifact.id}_{format or 'zip'}",
        icon=":material/download:",
        type="primary" if primary else "tertiary" if plain else "secondary",
        help=None if format else download_words(artifact),
    )


def download_words(artifact: ArtifactView) -> str:
    """What comes: `Zip file, about 92.4 MB`."""
    bytes_ = artifact.facts["zip_bytes"] if artifact.kind is Kind.PACKAGE else artifact.size_bytes
    return _("Zip file, about {size}").format(size=format_size(bytes_))
