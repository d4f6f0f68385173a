"""How Olive does what a job did: commands and a workflow to copy, and what they do otherwise."""

from __future__ import annotations

import streamlit as st

from backend.api.runs import has_olive_ways
from backend.core.errors import StudioError
from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _

HEIGHT = 260
"""Pixels of a workflow, which scrolls."""


def olive_ways(job: JobView) -> None:
    """Folded, and looked up only when it is open; nothing for a job that Olive can't do."""
    if not has_olive_ways(job):
        return
    box = st.expander("Olive", key=f"olive_{job.id}", type="compact", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            ways = api_cache.studio().olive_ways(job.id)
        except StudioError as error:
            st.caption(escape_markdown(error.text(_)))
            return
        for way in ways:
            st.code(way.text, language="bash", wrap_lines=True)
            if way.workflow:
                st.caption("olive.json")
                st.code(way.json, language="json", height=HEIGHT)
            st.caption("\n".join(f"- {escape_markdown(each.sentence(_))}" for each in way.differs))
