"""The menu that Streamlit draws of the table of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from studio.nav import NAV
from studio.ui.shared.i18n import _, lang

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


_KEPT = "menu"


def menu() -> dict[str, list[StreamlitPage]]:
    """Section -> pages, titles in the user's language, as `st.navigation` wants them; made once a session and language."""
    language, kept = lang(), st.session_state.get(_KEPT)
    if not kept or kept[0] != language:
        kept = st.session_state[_KEPT] = (language, _made())
    sections: dict[str, list[StreamlitPage]] = kept[1]
    return sections


def _made() -> dict[str, list[StreamlitPage]]:
    sections: dict[str, list[StreamlitPage]] = {}
    for row in NAV:
        page = st.Page(
            row.path,
            title=_(row.title),
            icon=row.icon,
            help=_(row.help),
            url_path=row.path.stem,
            default=row.default,
            visibility="hidden" if row.hidden else "visible",
        )
        sections.setdefault(_(row.section) if row.section else "", []).append(page)
    return sections
