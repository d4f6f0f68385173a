"""Light, dark, or as the system says.

A component of our own: no call of Streamlit changes the theme. Its client keeps the choice per path in the browser's storage
under the key that `theme.js` writes, and reads it when a page is loaded.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from studio.ui.shared.i18n import _


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_THEME = st.components.v2.component(
    "slmops_theme",
    html='<div class="title"></div><div class="choices" role="radiogroup"></div>',
    css=_part(".css"),
    js=_part(".js"),
)


def theme_switch(paths: list[str]) -> None:
    """`paths`: the addresses of all pages, for which the choice holds in this browser; a choice loads the page anew."""
    choices = {"System": _("System"), "Light": _("Light"), "Dark": _("Dark")}
    _THEME(key="theme", data={"label": _("Theme"), "paths": paths, "choices": list(choices.items())})
