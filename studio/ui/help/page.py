"""The page Help: a chapter at a time, chosen in the address (`?chapter=`)."""

from __future__ import annotations

import streamlit as st

from studio.nav import HELP
from studio.ui.help.chapters import OF_PAGE, chapters
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _, lang

_CHAPTER = "chapter"


def help_page() -> None:
    known = {chapter.id: chapter for chapter in chapters(lang())}
    st.title(_(HELP.title), anchor=False)
    if st.query_params.get(_CHAPTER) in known:
        st.session_state[_CHAPTER] = st.query_params[_CHAPTER]
    shown = st.pills(
        _("Chapters"),
        list(known),
        format_func=lambda id_: known[id_].title,
        default=None if _CHAPTER in st.session_state else next(iter(known)),
        key=_CHAPTER,
        required=True,
        label_visibility="collapsed",
        on_change=_choose,
    )
    chapter = known[shown or next(iter(known))]
    with st.container(width=760, key="help_chapter"):
        st.header(chapter.title, anchor=False)
        st.markdown(chapter.text)


def help_link(page: str) -> None:
    """The way to the chapter about a page; draw it in the sidebar."""
    chapter = OF_PAGE.get(page)
    if chapter and page != HELP.path.stem:
        page_link(HELP.path, label=_("Help for this page"), icon=HELP.icon, query_params={_CHAPTER: chapter})


def _choose() -> None:
    st.query_params[_CHAPTER] = st.session_state[_CHAPTER]
