"""The user's language: gettext with English sentences as keys, one translator per browser session.

All catalogues `locale/<language>/LC_MESSAGES/*.po` are read as they are; there is no compiled file to forget.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from io import BytesIO

import streamlit as st
from babel import localedata

from backend.core.units import number_text
from studio.paths import LOCALE

LANGUAGES = {"en": "English", "es": "Español"}
COOKIE = "slmops_lang"
_KEY = "lang"
_LANGUAGE_COMPONENT = st.components.v2.component(
    "studio_language",
    html="<i hidden></i>",
    js=f"""
export default function ({{ data }}) {{
  document.documentElement.lang = data.lang;
  if (data.chosen) document.cookie = "{COOKIE}=" + data.lang + "; path=/; max-age=31536000; SameSite=Lax";
}}
""",
)
"""Tells the browser the page's language (Streamlit fixes it to English) and lets it remember a choice over a reload."""


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


class Translator:
    """Turns a sentence into the language that `code` names when it is called; knows its plurals and how it writes numbers."""

    def __init__(self, code: Callable[[], str]) -> None:
        self._code = code

    @property
    def locale(self) -> str:
        return self._code()

    def __call__(self, text: str) -> str:
        return _catalogue(self._code()).gettext(text)

    def ngettext(self, one: str, several: str, count: int) -> str:
        """The form for that number, its places still open."""
        return _catalogue(self._code()).ngettext(one, several, count)


def translator(language: str) -> Translator:
    """What turns a sentence into that language, outside a session too."""
    return Translator(lambda: language)


def language(cookie: str | None, locale: str | None) -> str:
    """The code that was chosen in a browser, else the browser's own (`es-ES`, or a whole list of them), else English."""
    wanted = [cookie, (locale or "en").split(",")[0].split("-")[0].strip().lower()]
    return next((code for code in wanted if code in LANGUAGES), "en")


def lang() -> str:
    """The session's language code."""
    try:
        return str(st.session_state[_KEY])  # asked for every text: one look, not two
    except KeyError:
        chosen = st.session_state[_KEY] = language(st.context.cookies.get(COOKIE), st.context.locale)
        return chosen


def region(language: str) -> str:
    """The browser's own form of a language for dates, such as `en_GB`; the bare code where it prefers another language."""
    tag = (st.context.locale or language).split(",")[0].strip().replace("-", "_")
    return tag if tag.split("_")[0].lower() == language and localedata.exists(tag) else language


_ = Translator(lang)
"""A text in the session's language. Call it when drawing, never at import."""


def ngettext(one: str, many: str, count: int) -> str:
    """The right plural, with `{n}` filled in."""
    return _catalogue(lang()).ngettext(one, many, count).format(n=number_text(count, lang()))


def choose_language(code: str) -> None:
    """Callback: the session's language from the run that follows on."""
    st.session_state[_KEY] = code
    _chosen()


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
        on_change=_chosen,
    )
    _LANGUAGE_COMPONENT(
        key="told", data={"lang": lang(), "chosen": st.session_state.get("lang_chosen", False)}, height=0
    )


def _chosen() -> None:
    st.session_state["lang_chosen"] = True
