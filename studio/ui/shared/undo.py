"""What was deleted a moment ago can be taken back by one click, on whatever page one is by then."""

from __future__ import annotations

import time
from collections.abc import Collection

import streamlit as st

from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext

SECONDS = 12
"""How long the bar stays."""
_KEY = "undo_offered"
_STYLE = """<style>
.st-key-undo_bar { position: fixed; bottom: 22px; left: 50%; transform: translateX(-50%); width: max-content;
  max-width: calc(100vw - 32px); z-index: 999; padding: 6px 8px 6px 16px; border-radius: 10px;
  background: light-dark(#1f2430, #eef0f6); box-shadow: 0 6px 24px rgb(0 0 0 / .28) }
.st-key-undo_bar p { color: light-dark(#fff, #14161d) }
.st-key-undo_bar button, .st-key-undo_bar button p { color: light-dark(#c7d2fe, #4338ca) !important; font-weight: 600 }
</style>"""


def offer_undo(names: Collection[str], ids: Collection[str]) -> None:
    """Callback: `names` of what went to the trash (for the sentence), and all `ids` that went."""
    words = ngettext("{n} item moved to trash", "{n} items moved to trash", len(names))
    if len(names) == 1:
        words = _("“{name}” moved to trash").format(name=next(iter(names)))
    st.session_state[_KEY] = {"words": words, "ids": list(ids), "until": time.monotonic() + SECONDS}


def undo_bar() -> None:
    """Draws the bar while there is something to take back."""
    if _KEY in st.session_state:
        st.fragment(run_every=SECONDS + 1)(_bar)()


def _bar() -> None:
    told = st.session_state.get(_KEY)
    if told is None or told["until"] < time.monotonic():
        st.session_state.pop(_KEY, None)
        return
    st.html(_STYLE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="undo_bar"):
        st.markdown(escape_markdown(told["words"]), width="content")
        st.button(_("Undo"), key="undo", icon=":material/undo:", type="tertiary", on_click=_undo)


def _undo() -> None:
    told = st.session_state.pop(_KEY, None)
    if told:
        api_cache.run_action(lambda: api_cache.studio().restore(told["ids"]))
