"""Charts of a search as plain dicts (no `go.Figure`): history, importance, parallel coordinates."""

from __future__ import annotations

from itertools import count, pairwise
from math import log10
from textwrap import wrap
from typing import Any

from backend.results.search_report import SearchReport, Trial
from studio.ui.search.report import figures, judged, label, trial_name, value_text, values_text
from studio.ui.shared.charts import axis_text, plain, ticks
from studio.ui.shared.formatting import format_metric, percent
from studio.ui.shared.i18n import _

Figure = dict[str, Any]
_LETTER, _PHONE = 6.8, 222
"""Pixels of a letter of a name, with its part of a gap; between the first and the last axis on a screen of 390."""
_ROOM = 64
_ACCENT, _GRAY = "#6366f1", "#94a3b8"


def history_chart(report: SearchReport) -> Figure:
    """The figure that is to be small, of every trial, and the best so far; hollow what keeps too little quality."""
    name, done = judged(report), report.complete
    at = [trial.number + 1 for trial in done]
    values = [trial.value or 0.0 for trial in done]
    best = [min(done[: index + 1], key=_rank).value for index in range(len(done))]
    marker = {"color": _GRAY, "size": 9, "symbol": ["circle-open" if trial.violation else "circle" for trial in done]}
    told = ["<br>".join(map(plain, _told(report, trial))) for trial in done]
    dots = {"type": "scatter", "mode": "markers", "x": at, "y": values, "name": _("Trial"), "text": told}
    line = {"type": "scatter", "mode": "lines", "x": at, "y": best, "name": _("Best so far"), "hoverinfo": "skip"}
    layout = _layout(_("Trial"), format_metric(name, 0.0)[0]) | {"legend": {"orientation": "h", "x": 0, "y": 1.1}}
    layout["xaxis"] |= {"tick0": 1, "dtick": -(-max(at, default=1) // 10)}
    layout["yaxis"] |= _marks(name, values)
    return {
        "data": [
            {**dots, "hoverinfo": "text", "marker": marker},
            {**line, "line": {"color": _ACCENT, "shape": "hv"}},
        ],
        "layout": layout,
    }


def _marks(metric: str, values: list[float]) -> Figure:
    """Round figures in the metric's unit at its axis; those that Plotly chooses where there is one value."""
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    marks = ticks(metric, low, high, log=False) if high > low else []
    return {"tickvals": marks, "ticktext": [axis_text(metric, mark) for mark in marks]} if marks else {}


def _rank(trial: Trial) -> tuple[float, float]:
    return trial.violation, trial.value or 0.0


def _told(report: SearchReport, trial: Trial) -> list[str]:
    """Of a point: what was measured, and its values."""
    metrics = trial.metrics or {report.metric: trial.value or 0.0}
    told = [format_metric(name, metrics[name]) for name in figures(report)[:2] if name in metrics]
    size = [format_metric("size_bytes", trial.value or 0.0)] if report.original else []
    return [
        trial_name(trial),
        *(f"{title}: {text}" for title, text in (*told, *size)),
        values_text(report, trial.values),
    ]


def importance_chart(report: SearchReport) -> Figure:
    """The share of each field in what makes the quality of a trial, the largest on top."""
    shares = sorted(report.importances.items(), key=lambda pair: pair[1])
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [share for _name, share in shares],
        "y": [plain(label(report, name)) for name, _share in shares],
        "text": [percent(share) for _name, share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "none",
        "marker": {"color": _ACCENT},
    }
    layout = _layout(_("Share"), "")
    marks = (0.0, 0.5, 1.0)
    layout["xaxis"] |= {"tickvals": marks, "ticktext": [percent(mark, 0, 0) for mark in marks], "range": [0, 1.15]}
    return {"data": [bars], "layout": layout}


def parallel_chart(report: SearchReport, ink: str) -> Figure:
    """A line for each trial through its values to what it is judged by, the better the darker."""
    done = report.complete
    values = [trial.value or 0.0 for trial in done]
    axes = [_axis(report, field, [trial.values[field] for trial in done]) for field in report.fields]
    if report.original:
        quality = [trial.metrics[report.metric] for trial in done]
        axes.append(_measured(report.metric, quality))
    axes.append(_measured(judged(report), values))
    lines = {"color": values, "colorscale": [[0, _ACCENT], [1, "#cbd5e1"]], "cmin": min(values), "cmax": max(values)}
    font = {"color": ink, "size": 12}
    chart = {"type": "parcoords", "dimensions": axes, "line": lines, "labelfont": font, "tickfont": font}
    room = _room(axes[0])
    tilted = _crowded([axis["label"] for axis in axes], room)
    return {
        "data": [{**chart, "rangefont": {"color": "rgba(0,0,0,0)"}, "labelangle": -45 if tilted else 0}],
        "layout": {
            "height": 360 if tilted else 320,
            "margin": {"l": room, "r": 68, "t": 88 if tilted else 48, "b": 16},
        },
    }


def _crowded(labels: list[str], room: int) -> bool:
    """Whether neighbours would touch on a phone; `room`: pixels left of the first."""
    widths = [max(map(len, label.split("<br>"))) * _LETTER for label in labels]
    space = (_PHONE - (room - _ROOM)) / max(1, len(labels) - 1)
    return any((one + other) / 2 > space for one, other in pairwise(widths))


def _measured(metric: str, values: list[float]) -> Figure:
    return {"label": _two_lines(format_metric(metric, 0.0)[0]), "values": values, **_marks(metric, values)}


def _room(first: Figure) -> int:
    """Pixels for the words at the first axis, which stand left of it."""
    return min(180, max(_ROOM, 7 * max(map(len, first.get("ticktext", [])), default=0) + 12))


def _two_lines(text: str) -> str:
    """As narrow as two lines allow: more than two would reach into the axis, and names in one line touch on a phone."""
    lines = (wrap(text, width, break_long_words=False, break_on_hyphens=False) for width in count(10))
    return "<br>".join(next(found for found in lines if len(found) <= 2))


def _axis(report: SearchReport, field: str, values: list[Any]) -> Figure:
    """Numbers by their size, or its logarithm where it was searched so; words by their place."""
    found: Figure = {"label": _two_lines(label(report, field))}
    if field in report.logs:
        marks = sorted({min(values), max(values)})
        return (
            found
            | {"values": [log10(v) for v in values], "tickvals": [log10(v) for v in marks]}
            | {"ticktext": [value_text(report, field, v) for v in marks]}
        )
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return found | {"values": values}
    words = sorted({value_text(report, field, v) for v in values})
    places = [words.index(value_text(report, field, v)) for v in values]
    return found | {"values": places, "tickvals": list(range(len(words))), "ticktext": words}


def _layout(x: str, y: str) -> Figure:
    return {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "dragmode": False,
        "xaxis": {"title": {"text": x}, "automargin": True},
        "yaxis": {"title": {"text": y}, "automargin": True},
    }
