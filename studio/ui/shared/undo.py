"""What was done a moment ago can be taken back by one click, on whatever page one is by then."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import streamlit as st

from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext

SECONDS = 15.0
"""How long the bar stays."""
_OFFERED, _SAID = "undo_offered", "undo_said"
_CSS = """<style>
.st-key-undo_bar { position: fixed; bottom: 22px; left: 50%; transform: translateX(-50%); width: max-content;
  max-width: calc(100vw - 32px); z-index: 999990; padding: 6px 8px 6px 16px; border-radius: 10px;
  background: light-dark(#1e1b4b, #e0e7ff); box-shadow: 0 4px 16px rgb(0 0 0 / .25) }
.st-key-undo_bar [data-testid=stMarkdownContainer] { margin-bottom: 0 }
.st-key-undo_bar p { color: light-dark(#fff, #1e1b4b) !important; margin: 0 }
.st-key-undo_bar button, .st-key-undo_bar button p { color: light-dark(#c7d2fe, #4338ca) !important; font-weight: 600 }
</style>"""


@dataclass(frozen=True)
class _Offer:
    """`take_back` returns what is then to be said, "" for nothing; `until`: seconds of the monotonic clock."""

    said: str
    take_back: Callable[[], str]
    until: float


def offer(said: str, take_back: Callable[[], str]) -> None:
    """Callback: `said` is what was done; the newest offer replaces the one before."""
    st.session_state[_OFFERED] = _Offer(said, take_back, time.monotonic() + SECONDS)


def offer_undo(names: Collection[str], ids: Collection[str]) -> None:
    """Callback: `names` of what went to the trash (for the sentence), and all `ids` that went."""
    words = ngettext("{n} item moved to trash", "{n} items moved to trash", len(names))
    if len(names) == 1:
        words = _("“{name}” moved to trash").format(name=next(iter(names)))
    offer(words, partial(_restore, list(ids)))


def undo_bar() -> None:
    """Draws the bar while there is something to take back; on every page, over it."""
    if said := st.session_state.pop(_SAID, None):
        st.toast(said, icon=":material/undo:")
    if _pending() is not None:
        st.fragment(run_every=1.0)(_bar)()


def _bar() -> None:
    told = _pending()
    if told is None:
        st.rerun()
    st.html(_CSS)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="undo_bar"):
        st.markdown(escape_markdown(told.said), width="content")
        st.button(_("Undo"), key="undo", icon=":material/undo:", type="tertiary", on_click=_undo, args=(told,))


def _pending() -> _Offer | None:
    told: _Offer | None = st.session_state.get(_OFFERED)
    return told if told and time.monotonic() < told.until else None


def _undo(told: _Offer) -> None:
    def take_back() -> None:
        st.session_state[_SAID] = told.take_back()  # a fragment's callback may not draw

    st.session_state.pop(_OFFERED, None)
    api_cache.run_action(take_back)


def _restore(ids: list[str]) -> str:
    api_cache.studio().restore(ids)
    return ""
