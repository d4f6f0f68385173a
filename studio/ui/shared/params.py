"""Parameters of a stage as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.core.schemas import ArtifactView
from studio.ui.shared.formatting import decimal, field_label, option_label
from studio.ui.shared.i18n import _


def param_title(stage: str, name: str) -> str:
    """A parameter that an earlier version of the stage had keeps its name."""
    try:
        return field_label(stage, name)[0]
    except KeyError:
        return name


def param_text(stage: str, name: str, value: Any, known: Mapping[str, ArtifactView]) -> str:
    """Artifacts by name, numbers and choices in the user's language, as plain text; "–" for nothing."""
    if isinstance(value, list):
        return ", ".join(param_text(stage, name, each, known) for each in value) or "–"
    if isinstance(value, str) and value in known:
        return known[value].name
    if isinstance(value, float):
        return decimal(value, 0, 8)
    if value in (None, "", {}):
        return "–"
    try:
        shown = str(value) if isinstance(value, dict) else option_label(stage, name, value)
    except KeyError:
        shown = str(value)
    return shown[:300]


def changes_text(stage: str, values: Mapping[str, Any], known: Mapping[str, ArtifactView], most: int = 3) -> str:
    """`Rank 32 · Epochs 3`: the first of the parameters that were changed, as plain text."""
    parts = []
    for name, value in list(values.items())[:most]:
        shown = param_text(stage, name, value, known)
        if value is True:
            parts.append(param_title(stage, name))
        else:
            parts.append(f"{param_title(stage, name)} {shown if len(shown) <= 40 else shown[:39] + '…'}")
    more = len(values) - most
    return " · ".join([*parts, *([_("and {n} more").format(n=more)] if more > 0 else [])])
