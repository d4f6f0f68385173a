"""The table of pages: the one place to add a page. A row is a file of `pages/`, its title, its icon and its section."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.paths import pages
from studio.ui.i18n import _

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage


@dataclass(frozen=True)
class Row:
    """`file` without suffix is also the address, whatever the language; `section` is empty for the top of the menu;
    a `hidden` page is reached by links only."""

    file: str
    title: str
    icon: str
    help: str
    section: str = ""
    default: bool = False
    hidden: bool = False

    @property
    def path(self) -> Path:
        return pages() / self.file


HOME = Row("home.py", "Home", ":material/home:", "Runs, the worker and the disk", default=True)
RUN = Row("run.py", "Run", ":material/account_tree:", "One run with its stages", hidden=True)
NAV = (HOME, RUN)


def menu() -> dict[str, list[StreamlitPage]]:
    """Section -> pages, titles in the user's language, as `st.navigation` wants them."""
    import streamlit as st

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
