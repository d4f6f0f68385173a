"""The palette, the sheet of shortcuts and the tour in the browser, in dialogs of its own.

A component of our own: a run of a page's script for every letter that is typed would be slow. It asks
`studio.webapp.palette` for what it lists when it opens; see palette.js.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from studio import nav
from studio.ui.palette.actions import act
from studio.ui.palette.shortcuts import GO
from studio.ui.shared.i18n import _, lang
from studio.ui.shared.project import project
from studio.ui.shared.tour import steps, tour_state


def _part(suffix: str) -> str:
    return Path(__file__).with_name(f"palette{suffix}").read_text("utf-8")


_PALETTE = st.components.v2.component("slmops_palette", html=_part(".html"), css=_part(".css"), js=_part(".js"))


def palette() -> None:
    """Draws its button and does what was chosen; call it in the sidebar, after `st.navigation` and before the project's
    switch."""
    chosen = _PALETTE(
        key="palette",
        data={
            "lang": lang(),
            "project": project().id,
            "words": _words(),
            "shortcuts": _shortcuts(),
            "go": {letter: row.path.stem for letter, row in GO.items()},
            "default": nav.HOME.path.stem,
            "tour": tour_state(),
            "steps": steps(),
        },
        on_go_change=lambda: None,
    ).go
    if isinstance(chosen, dict):
        act(chosen)


def _words() -> dict[str, Any]:
    return {
        "open": _("Search"),
        "title": _("Command palette"),
        "placeholder": _("Go to a page, model or run…"),
        "none": _("No results."),
        "broken": _("The studio is not responding."),
        "results": _("Results: {n}"),
        "name": _("Name of the new project"),
        "kinds": {
            "page": _("Pages"),
            "action": _("Actions"),
            "run": _("Runs"),
            "model": _("Models"),
            "data": _("Datasets"),
            "project": _("Projects"),
        },
        "hint": _("↑ ↓ to move, Enter to open, Esc to close"),
        "sheet": _("Keyboard shortcuts"),
        "letters": _("Single-letter shortcuts"),
        "close": _("Close"),
        "tour": _("Tour"),
        "next": _("Next"),
        "back": _("Back"),
        "done": _("Done"),
        "skip": _("Skip"),
        "of": _("{n} of {total}"),
    }


def _shortcuts() -> list[tuple[str, str]]:
    """Keys -> what they do, as the sheet lists them."""
    return [
        ("Ctrl K", _("Command palette")),
        ("?", _("Keyboard shortcuts")),
        *((f"G {letter.upper()}", _(row.title)) for letter, row in GO.items()),
    ]
