"""The rows to review, one after the other, decided by keys.

A component of our own: a run of the page's script for every key would take longer than reading a row. It asks and tells
`studio.webapp.review` by itself; see box.js.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from backend.api.reviews import Chosen
from backend.core.messages import MESSAGES
from backend.core.schemas import ArtifactView
from studio.ui.shared.formatting import option_label
from studio.ui.shared.i18n import _, lang


def _part(suffix: str) -> str:
    return Path(__file__).with_suffix(suffix).read_text("utf-8")


_BOX = st.components.v2.component("slmops_review", html=_part(".html"), css=_part(".css"), js=_part(".js"))


def review_box(view: ArtifactView, chosen: Chosen) -> None:
    """Draws the reviewer of the chosen rows of a dataset."""
    _BOX(key=f"review_{view.id}-{chosen.report}-{chosen.test}", data=box_data(view, chosen))


def box_data(view: ArtifactView, chosen: Chosen) -> dict[str, Any]:
    """What the reviewer needs to know: the dataset, its labels, all words in the session's language."""
    codes = [code for code in MESSAGES if code.startswith(("review.", "core.artifact_"))]
    problems = {code: " ".join(map(_, MESSAGES[code])) for code in codes}
    return {
        "dataset": view.id,
        "report": chosen.report,
        "test": chosen.test,
        "labels": list(view.facts.get("labels") or []),
        "lang": lang(),
        "words": {**_row_words(), **_words_of(chosen), **_state_words(), "keys": _keys(), "problems": problems},
    }


def _row_words() -> dict[str, Any]:
    return {
        "title": _("Answers to review"),
        "row": _("Row to review"),
        "actions": _("Decide"),
        "move": _("Navigate"),
        "accept": _("Accept"),
        "reject": _("Reject"),
        "edit": _("Edit"),
        "undo": _("Undo"),
        "back": _("Previous row"),
        "on": _("Next row"),
        "rating": _("Rating"),
        "rate": _("{n} of 5"),
        "input": _("Input"),
        "own": _("Corrected answer"),
        "gold": _("Known answer"),
        "differs": _("Differs from the known answer"),
        "confidence": _("Confidence {share}"),
        "context": _("Earlier messages: {n}"),
        "rationale": _("Teacher’s rationale"),
        "note": _("Note"),
        "roles": {"system": _("Instruction"), "user": _("User"), "assistant": _("Assistant")},
        "editor": _("Correct answer"),
        "labels": _("Labels"),
        "save": _("Save and continue"),
        "cancel": _("Cancel"),
    }


def _words_of(chosen: Chosen) -> dict[str, Any]:
    return {
        "answer": _("Answer") if chosen.report else _("Teacher’s answer"),
        "why": _("Suspect: {why}"),
        "splits": {name: option_label("evaluate", "split", name) for name in ("validation", "test")},
    }


def _state_words() -> dict[str, Any]:
    return {
        "progress": _("Reviewed"),
        "counts": _("{reviewed} of {total} reviewed · accepted {accepted} · corrected {edited} · rejected {rejected}"),
        "did": {"accepted": _("Accepted"), "edited": _("Corrected"), "rejected": _("Rejected")},
        "undone": _("Undone"),
        "saved": _("All saved"),
        "saving": _("Saving…"),
        "waiting": _("Unsaved: {n}. Retrying…"),
        "broken": _("The studio is not responding. Check that it is running; the page reconnects automatically."),
        "nothing": _("No matching rows."),
        "allDone": _("All answers reviewed."),
        "again": _("Show all rows"),
        "show": _("Show"),
        "label": _("Label"),
        "anyLabel": _("All labels"),
        "shows": [
            ["unreviewed", _("Not reviewed")],
            ["all", _("All")],
            ["accepted", _("Accepted")],
            ["edited", _("Corrected")],
            ["rejected", _("Rejected")],
        ],
        "help": _("Keyboard shortcuts"),
        "keysOn": _("Shortcuts active"),
    }


def _keys() -> list[tuple[str, str]]:
    """Key -> what it does; the same letters in every language."""
    return [
        ("A", _("Accept answer")),
        ("R", _("Reject and drop the row")),
        ("E", _("Edit the answer; Ctrl+Enter saves (Enter for labels), Esc cancels")),
        ("1 – 5", _("Rate; press again to clear")),
        ("U", _("Undo last action")),
        ("← →", _("Next or previous without deciding")),
        ("N", _("Add a note")),
    ]
