"""The tour of a first visit: five short steps, each beside the entry of the menu that it is about."""

from __future__ import annotations

import streamlit as st

from studio import nav
from studio.ui.shared.i18n import _

COOKIE = "slmops_tour"
"""Set by the browser once the tour was taken or put aside."""
_STATE, _DISMISSED = "tour", "tour_dismissed"


def tour_state() -> int:
    """How often this session has asked for the tour: the browser begins it when the number grows."""
    return int(st.session_state.get(_STATE, 0))


def start_tour() -> None:
    """Callback."""
    st.session_state[_STATE] = tour_state() + 1
    st.session_state[_DISMISSED] = True


def dismiss() -> None:
    """Callback: not now, and not at the next visit."""
    st.session_state[_STATE] = -1
    st.session_state[_DISMISSED] = True


def tour_card() -> None:
    """The offer of the tour, on Home, until it is taken or put aside in this browser."""
    if st.session_state.get(_DISMISSED) or st.context.cookies.get(COOKIE) == "done":
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="tour_card"):
        st.markdown(_("**New here?** See how a file becomes your own model, in one minute."), width="stretch")
        st.button(_("Take the tour"), key="tour_start", icon=":material/tour:", on_click=start_tour)
        st.button(_("Not now"), key="tour_dismiss", type="tertiary", on_click=dismiss)


def steps() -> list[dict[str, str]]:
    """Page (of the menu), title and text of each step."""
    return [
        {
            "page": nav.DATA.path.stem,
            "title": _("Start with examples"),
            "text": _(
                "Drop a file of questions and answers, or use a sample. Problems are listed before anything starts."
            ),
        },
        {
            "page": nav.TEACHER.path.stem,
            "title": _("No answers yet? Ask a teacher"),
            "text": _("A large model answers your rows. You review what it is unsure of."),
        },
        {
            "page": nav.FINETUNE.path.stem,
            "title": _("Train a small model"),
            "text": _("Fine-tune on your answers, or distill the teacher. Time and memory are estimated first."),
        },
        {
            "page": nav.QUANTIZE.path.stem,
            "title": _("Make it smaller"),
            "text": _("Quantize to 4 bits and package it, ready for your own hardware."),
        },
        {
            "page": nav.PLAYGROUND.path.stem,
            "title": _("Try it and compare"),
            "text": _("Ask two models at once, then compare quality, speed and size. Press Ctrl+K to find anything."),
        },
    ]
