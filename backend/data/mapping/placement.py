"""What a source says of the place of a row: its split, and the time at which it was written."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from backend.data.mapping.values import Unusable, as_text

SPLIT_MARKERS = {
    **dict.fromkeys(("train", "training", "tr", "fit", "entrenamiento", "entrenar"), "train"),
    **dict.fromkeys(
        ("validation", "valid", "val", "dev", "development", "eval", "validación", "validacion"), "validation"
    ),
    **dict.fromkeys(("test", "testing", "holdout", "hold-out", "tst", "prueba"), "test"),
    **dict.fromkeys(("pool", "unlabelled", "unlabeled", "unsupervised"), "pool"),
}
"""Words in a split column -> our splits."""
_FORMS = ("%d/%m/%Y", "%d.%m.%Y", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M", "%d-%m-%Y")
"""Beside ISO 8601. The day stands before the month, as in most of the world, unless the dates of the file say otherwise."""


def split_of(value: Any, column: str) -> str:
    """Our split for a marker; "" without one. Raises Unusable for an unknown marker."""
    text = as_text(value, column).strip().casefold()
    if not text:
        return ""
    if text not in SPLIT_MARKERS:
        raise Unusable("data.split_marker", text[:40], column=column)
    return SPLIT_MARKERS[text]


def time_of(value: Any, column: str, month_first: bool = False) -> float:
    """Seconds since 1970 for a date, a number as it is. Raises Unusable where it is neither."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
    text = as_text(value, column).strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return time_of(datetime.fromisoformat(text), column)
    except ValueError:
        pass
    for form in _FORMS:
        form = form.replace("%d/%m", "%m/%d").replace("%d-%m", "%m-%d") if month_first else form
        try:
            return time_of(datetime.strptime(text, form), column)
        except ValueError:
            continue
    raise Unusable("data.time_unreadable", text[:40], column=column)
