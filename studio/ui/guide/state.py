"""What somebody has chosen on the guided way, per project: in the session and as a draft, so that a reload finds it again."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import streamlit as st

from backend.api.guide import DEFAULT, GOALS, PRESETS
from studio.ui.shared import api_cache
from studio.ui.shared.project import project

DRAFT = "guide"
PERSONAL = ("mask", "send", "ask")
"""What can happen to personal data in rows for an endpoint elsewhere, the safest first."""


def chosen() -> dict[str, Any]:
    """`goal`, `source` (parameters of the dataset stage), `preset`, `fixes`, `teacher`, `student`, `personal`, `key`; what
    nobody chose yet is empty."""
    mark = f"guide.{project().id}"
    if mark not in st.session_state:
        st.session_state[mark] = _empty() | _known(api_cache.studio().draft(project().id, DRAFT))
    found: dict[str, Any] = st.session_state[mark]
    return found


def take(**values: Any) -> None:
    """Callback: choose these values."""
    now = chosen()
    now |= values
    api_cache.studio().save_draft(project().id, DRAFT, now)


def take_file(path: str) -> None:
    """Another file: what was said of the last one does not count for it."""
    take(source={"source": path}, fixes=[], teacher="", key=uuid4().hex)


def add_to_source(**values: Any) -> None:
    """Callback: parameters of the dataset beside the file."""
    take(source={**chosen()["source"], **values})


def forget_part() -> None:
    """Callback: ask again which part of the file is read, or who answers in it."""
    take(source={name: value for name, value in chosen()["source"].items() if name != "records"})


def forget_file() -> None:
    """Callback: back to the drop zone; the goal stays."""
    take(**_empty() | {"goal": chosen()["goal"]})


def forget() -> None:
    """Callback: begin anew."""
    take(**_empty())


def _empty() -> dict[str, Any]:
    return {
        "goal": "",
        "source": {},
        "preset": DEFAULT,
        "fixes": [],
        "teacher": "",
        "student": "",
        "personal": PERSONAL[0],
        "key": uuid4().hex,
    }


def _known(draft: dict[str, Any]) -> dict[str, Any]:
    """A draft of another version may hold goals and presets that are gone."""
    kept = {name: value for name, value in draft.items() if name in _empty()}
    if kept.get("goal") not in GOALS:
        kept.pop("goal", None)
    if kept.get("preset") not in PRESETS:
        kept.pop("preset", None)
    if kept.get("personal") not in PERSONAL:
        kept.pop("personal", None)
    return kept
