"""Plotly charts of a quality report, as plain dicts, in colours that hold on light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.core.messages.words import DROPS
from backend.data.filter_report import Diversity, Point
from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _

Figure = dict[str, Any]
COLOURS = {"kept": "#6366f1", "dropped": "#d97706", "seed": "#64748b"}
MAX_CLASSES = 25
_LONGEST = 60


def plain(text: str) -> str:
    """A label as text: Plotly reads a little HTML. Long ones are cut."""
    short = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")


def reason_label(reason: str) -> str:
    return _(DROPS.get(reason, reason))


def state_words(state: str) -> str:
    return {"kept": _("Kept"), "dropped": _("Dropped"), "seed": _("Existing")}[state]


def reasons_chart(dropped: dict[str, int]) -> Figure:
    """One bar per reason, the most frequent on top."""
    found = sorted(dropped.items(), key=lambda item: item[1])
    return _bars(
        [plain(reason_label(reason)) for reason, _count in found],
        [("", [count for _reason, count in found], COLOURS["dropped"])],
    )


def classes_chart(before: Diversity, after: Diversity) -> Figure:
    """Two bars per class, before and after; of many classes those with the most rows."""
    total = {name: count + after.classes.get(name, 0) for name, count in before.classes.items()}
    names = sorted((name for name in total if total[name]), key=lambda name: total[name])[-MAX_CLASSES:]
    return _bars(
        [plain(name) for name in names],
        [
            (_("After"), [after.classes.get(name, 0) for name in names], COLOURS["kept"]),
            (_("Before"), [before.classes[name] for name in names], COLOURS["seed"]),
        ],
    )


def _bars(names: Sequence[str], series: Sequence[tuple[str, Sequence[int], str]]) -> Figure:
    places = list(range(len(names)))
    largest = max((value for _name, values, _colour in series for value in values), default=1) or 1
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": name,
                "y": places,
                "x": list(values),
                "text": [number(value) for value in values],
                "textposition": "outside",
                "cliponaxis": False,
                "hoverinfo": "skip",
                "marker": {"color": colour, "cornerradius": 3},
            }
            for name, values, colour in series
        ],
        "layout": {
            "height": 50 + (10 + 12 * len(series)) * len(names),
            "margin": {"l": 8, "r": 8, "t": 4, "b": 4},
            "dragmode": False,
            "bargap": 0.35,
            "showlegend": len(series) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "reversed"},
            "xaxis": {"visible": False, "range": [0, 1.25 * largest], "fixedrange": True},
            "yaxis": {
                "tickvals": places,
                "ticktext": list(names),
                "showgrid": False,
                "fixedrange": True,
                "automargin": True,
            },
        },
    }


def map_chart(points: Sequence[Point]) -> Figure:
    """Every row a point, close to those with similar words; the axes have no unit."""
    axis = {"showticklabels": False, "zeroline": False, "gridcolor": "rgba(128,132,150,0.22)", "fixedrange": True}
    return {
        "data": [
            _scatter([point for point in points if point.state == state], state)
            for state in COLOURS
            if any(point.state == state for point in points)
        ],
        "layout": {
            "height": 420,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {"align": "left"},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "xaxis": axis,
            "yaxis": axis,
        },
    }


def _scatter(some: Sequence[Point], state: str) -> Figure:
    words = [
        f"{plain(point.text)}<br><b>{plain(point.label)}</b>" if point.label else plain(point.text) for point in some
    ]
    return {
        "type": "scattergl",
        "mode": "markers",
        "name": state_words(state),
        "x": [point.x for point in some],
        "y": [point.y for point in some],
        "text": words,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": COLOURS[state],
            "size": 7,
            "opacity": 0.75,
            "symbol": "x" if state == "dropped" else "circle",
        },
    }
