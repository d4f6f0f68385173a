"""What charts share: axes with round numbers and words at their ticks (in the browser and in a report), and the button that
saves a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

import streamlit as st

from backend.api.metrics import metrics, qualities
from studio.ui.shared.formatting import decimal, format_metric
from studio.ui.shared.i18n import _, lang

SHARES = frozenset(name for name in qualities() if metrics()[name].unit == "share")


_INK = {"light": "#4a5064", "dark": "#c3c8d9"}


def text_colour() -> str:
    """Of words in a chart that is painted on a canvas, where no style sheet reaches; Streamlit's own gray has 3.7:1 on white.
    Where the theme isn't known yet, one that can be read on both."""
    return _INK.get(st.context.theme.type or "", "#6e7386")


def axis_range(values: Sequence[float], log: bool, room: tuple[float, float]) -> tuple[float, float]:
    """Where an axis begins and ends so that all `values` have room; `room`: free space below and above, in parts of what
    the values span."""
    low, high = (min(values), max(values)) if values else (1.0, 1.0)
    if log:
        low, high = max(low, 1e-9), max(high, 1e-9)
        wide = max(log10(high / low), 0.3)
        return float(low * 10 ** (-room[0] * wide)), float(high * 10 ** (room[1] * wide))
    wide = (high - low) or abs(high) * 0.2 or 1.0
    return low - room[0] * wide, high + room[1] * wide


def ticks(metric: str, low: float, high: float, log: bool) -> list[float]:
    """Round numbers between `low` and `high` that the metric can reach: on a logarithmic axis that spans enough 1, 2, 5 or
    1, 3 or powers of ten, else even steps."""
    if log and high / low > 6:
        powers = range(floor(log10(low)), ceil(log10(high)) + 1)
        steps = (1, 2, 5) if high / low < 40 else (1, 3) if high / low < 4000 else (1,)
        marks = [step * 10.0**power for power in powers for step in steps]
    else:
        raw = (high - low) / 7
        power = 10.0 ** floor(log10(raw))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
        marks = [round(at * step, 12) for at in range(ceil(low / step), floor(high / step) + 1)]
    most = min(high, 1.0) if metric in SHARES else high
    return [mark for mark in marks if max(low, 0.0) <= mark <= most]


def axis_text(metric: str, value: float) -> str:
    """A figure at an axis: without `.0` before its unit."""
    return re.sub(r"[.,]0(?=[\s%]|$)", "", format_metric(metric, value)[1])


def chart_config(file: str) -> dict[str, Any]:
    """One button, which saves the chart as PNG, in the session's language."""
    words = {
        "Download plot as a PNG": _("Save as PNG"),
        "Taking snapshot - this may take a few seconds": _("Saving image…"),
        "Snapshot succeeded": _("Image saved"),
    }
    mark = decimal(0.5, 1, 1)[1]
    numbers = {"decimal": mark, "thousands": "." if mark == "," else ","}
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": file, "scale": 2},
        "locale": lang(),
        "locales": {lang(): {"dictionary": words, "format": numbers}},
    }


def plain(text: str) -> str:
    """Plotly reads a little HTML in labels; this keeps it text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
