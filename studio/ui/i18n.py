"""The user's language: gettext with English sentences as keys, one translator per browser session.

All catalogues `locale/<language>/LC_MESSAGES/*.po` are read as they are; there is no compiled file to forget.
"""

from __future__ import annotations

import gettext
from functools import cache
from io import BytesIO

import streamlit as st

from studio.paths import LOCALE

LANGUAGES = {"en": "English", "es": "Español"}
_KEY = "lang"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    files = sorted((LOCALE / language / "LC_MESSAGES").glob("*.po"))
    if not files:
        return gettext.NullTranslations()
    whole = Catalog(locale=language)
    for path in files:
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    whole[message.id] = message
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def lang() -> str:
    """The session's language code: the one that was chosen, else the browser's, else English."""
    if _KEY not in st.session_state:
        browser = (st.context.locale or "en").split("-")[0]
        st.session_state[_KEY] = browser if browser in LANGUAGES else "en"
    return str(st.session_state[_KEY])


def _(text: str) -> str:
    """`text` in the session's language. Call it when drawing, never at import."""
    return _catalogue(lang()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """The right plural, with `{n}` filled in."""
    return _catalogue(lang()).ngettext(one, many, count).format(n=count)


def choose_language(code: str) -> None:
    """Callback: the session's language from the run that follows on."""
    st.session_state[_KEY] = code


def language_switch() -> None:
    lang()
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_KEY,
        required=True,
        label_visibility="collapsed",
        width="stretch",
        persist_state="session",
    )
