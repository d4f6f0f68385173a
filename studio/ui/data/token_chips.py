"""The tokens of a row as chips: the text of each, its id on hover, what is a control token, what carries loss.

A component of our own, as texts of rows are never markup here. Loss is a thick line below and a tint, a control token a dashed
frame and monospace: neither is told by its colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _

MOST = 4_000
"""Chips that are drawn; a row of more is shown up to there."""


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_CHIPS = st.components.v2.component(
    "slmops_tokens", html='<div class="tokens"></div>', css=_part(".css"), js=_part(".js")
)


def token_chips(key: str, pieces: Sequence[Any]) -> None:
    """`pieces`: each with `text`, `id`, `kind` (`control` for a control token) and `loss`."""
    _CHIPS(key=key, data=chips_data(pieces))
    if len(pieces) > MOST:
        st.caption(_("Showing the first {n} tokens.").format(n=number(MOST)))


def chips_data(pieces: Sequence[Any]) -> dict[str, Any]:
    return {
        "pieces": [
            {"text": piece.text, "id": piece.id, "control": piece.kind == "control", "loss": bool(piece.loss)}
            for piece in pieces[:MOST]
        ],
        "words": {
            "label": _("Row tokens"),
            "loss": _("trained (counts toward loss)"),
            "read": _("context only"),
            "control": _("control token"),
            "id": _("Token {id}"),
        },
    }
