"""Tags as badges, and the field in which they are typed."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _


def tag_badges(tags: Collection[str]) -> None:
    for tag in tags:
        st.badge(escape_markdown(tag), icon=":material/sell:", color="gray")


def tag_field(key: str, tags: Collection[str], label: str | None = None) -> list[str]:
    """Tags to choose from those in use, or to type."""
    known = list(dict.fromkeys([*tags, *api_cache.tags()]))
    chosen = st.multiselect(
        label or _("Tags"),
        known,
        default=list(tags),
        key=key,
        accept_new_options=True,
        placeholder=_("Add a tag"),
    )
    return [str(tag) for tag in chosen]
