"""The menu that Streamlit draws of the table of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from studio.nav import NAV
from studio.ui.shared.i18n import _

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


def menu() -> dict[str, list[StreamlitPage]]:
    """Section -> pages, titles in the user's language, as `st.navigation` wants them."""
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
