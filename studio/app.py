"""Entrypoint of the web process: page settings, menu, language, then the chosen page."""

from __future__ import annotations

import streamlit as st

from studio.nav import HOME
from studio.paths import HERE, STATIC
from studio.ui.help.page import help_link
from studio.ui.palette.component import palette
from studio.ui.shared import address
from studio.ui.shared.api_cache import show_errors
from studio.ui.shared.bell import bell
from studio.ui.shared.formatting import version_line
from studio.ui.shared.framework import framework_words
from studio.ui.shared.i18n import language_switch
from studio.ui.shared.menu import menu
from studio.ui.shared.project import project_switch, unknown_project
from studio.ui.shared.project_menu import missing_project, project_menu
from studio.ui.shared.undo import undo_bar

PRODUCT = "SLMOps Studio"

st.set_page_config(
    page_title=PRODUCT,
    page_icon=str(STATIC / "icon.svg"),  # a :material/…: icon would be fetched from outside
    layout="wide",
    initial_sidebar_state=260,
)
st.html(HERE / "look.css")
with show_errors():
    page = st.navigation(menu(), expanded=True)
    address.begin(page.url_path)
    title = f"{page.title} · {PRODUCT}"
    st.set_page_config(page_title=title)
    st.logo(str(STATIC / "logo.svg"), size="large", icon_image=str(STATIC / "icon.svg"))
    with st.sidebar:
        mine = st.container()
        palette()
        with mine:  # above the search, but drawn after what was chosen there
            project_switch()
            project_menu()
        bell(title)
        st.space("stretch")
        help_link(page.url_path or HOME.path.stem)
        language_switch()
        st.caption(version_line())
        framework_words()
        address.history()
    if missing := unknown_project():
        missing_project(missing)
    else:
        page.run()
    undo_bar()
