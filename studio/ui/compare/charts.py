"""Plotly charts as plain dicts (no `go.Figure`, which costs more than the page), in colours that hold on light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from textwrap import wrap
from typing import Any

from backend.api.metrics import higher_is_better
from backend.core.schemas import Kind
from backend.results.evaluations import ENDPOINT, EvaluationView, pareto_front
from studio.ui.compare.labels import model_kind_label, names, short_name
from studio.ui.shared.charts import axis_range, axis_text, plain, ticks
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _

COLOURS = {
    (Kind.MODEL, "fp32"): "#6366f1",
    (Kind.ADAPTER, "fp32"): "#0284c7",
    (Kind.ONNX, "fp32"): "#0d9488",
    (Kind.ONNX, "int4"): "#d97706",
    (Kind.ONNX, "int8"): "#65a30d",
    (ENDPOINT, ENDPOINT): "#db2777",
}
_GRID = "rgba(128,132,150,0.22)"
LEVEL = "#94a3b8"
"""What is no model."""
HEIGHT, PLOT_HEIGHT = 460, 340
"""Pixels of the chart, and of its inside about."""
_NEAR, _LINE, _GAP = 14, 15, 6
"""Pixels from a point to its name, of one line of a name, and between two names."""
_MOST_NAMES, _LETTERS, _LETTER, _NARROW = 3, 15, 6.4, 190
"""Names on the front, letters of one line of a name, pixels of a letter, and of the chart's inside on a phone."""
Figure = dict[str, Any]


def colour(one: EvaluationView) -> str:
    """One for each kind and precision, the same in all charts; gray for any other."""
    return COLOURS.get((one.kind, one.precision), "#64748b")


Level = tuple[float, str]
"""A height that all are compared with, and its words."""


def pareto_chart(
    shown: Sequence[EvaluationView], name: dict[str, str], x: str, y: str, log: bool, level: Level | None = None
) -> Figure:
    """Quality `y` over cost `x`, a colour per precision, bubbles as large as the memory, the front as a line with names,
    `level` as a dashed one."""
    best = pareto_front(shown, x, y)
    traces = [_front_line(best, x, y)]
    traces += [
        _bubbles([one for one in shown if model_kind_label(one) == family], x, y, shown, name)
        for family in dict.fromkeys(model_kind_label(one) for one in shown)
    ]
    values = [one.metrics[x] for one in shown]
    heights = [each for one in shown for each in (one.metrics[y], *(one.interval(y) or ()))]
    heights += [level[0]] if level else []
    room = (0.12, 0.4) if higher_is_better(y) else (0.4, 0.12)
    across = _axis(x, values, log, (0.12, 0.4) if higher_is_better(x) else (0.4, 0.12))
    axes = {"xaxis": across, "yaxis": _axis(y, heights, False, room)}
    return {
        "data": [*traces, *_level_line(level, across)],
        "layout": {
            **axes,
            "height": HEIGHT,
            "annotations": _front_names(shown, name, x, y, axes, level),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {"align": "left"},
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        },
    }


def _level_line(level: Level | None, across: Figure) -> list[Figure]:
    """Dashed, from side to side; its words are in the legend, where no name can be."""
    if level is None:
        return []
    ends = [10**end for end in across["range"]] if across["type"] == "log" else across["range"]
    line = {"color": LEVEL, "width": 1.5, "dash": "dash"}
    named = {"name": plain(level[1]), "mode": "lines", "line": line, "hoverinfo": "skip"}
    return [{"type": "scatter", "x": ends, "y": [level[0], level[0]], **named}]


def _front_line(best: Sequence[EvaluationView], x: str, y: str) -> Figure:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": _("Pareto front"),
        "x": [one.metrics[x] for one in best],
        "y": [one.metrics[y] for one in best],
        "line": {"width": 3, "shape": "hv", "color": "rgba(99,102,241,0.55)"},
        "hoverinfo": "skip",
    }


def _front_names(
    shown: Sequence[EvaluationView], name: dict[str, str], x: str, y: str, layout: Figure, level: Level | None
) -> list[Figure]:
    """Names of the front on its side where no point can be, each further than the one before and than the whiskers within its
    reach, none on the line of `level`, with a thin line back. Broken into short lines and moved to the inside, so that a small
    screen cuts none off."""
    up, right, log = higher_is_better(y), higher_is_better(x), layout["xaxis"]["type"] == "log"
    across, heights = layout["xaxis"]["range"], layout["yaxis"]["range"]
    pixels = PLOT_HEIGHT / (heights[1] - heights[0])

    def left(one: EvaluationView) -> float:
        value = log10(max(one.metrics[x], 1e-9)) if log else one.metrics[x]
        return float((value - across[0]) / (across[1] - across[0]) * _NARROW)

    def above(one: EvaluationView) -> float:
        low, high = one.interval(y) or (one.metrics[y], one.metrics[y])
        return float(abs((high if up else low) - heights[0 if up else 1]) * pixels)

    line = abs(level[0] - heights[0 if up else 1]) * pixels if level else 0.0
    labels, taken = [], 0.0
    for one in _named(sorted(pareto_front(shown, x, y), key=lambda one: one.metrics[y], reverse=not up)):
        lines = wrap(short_name(name[one.id], 2 * _LETTERS), _LETTERS)
        wide = _LETTER * max(map(len, lines))
        begin = min(max(left(one) - (0 if right else wide), 0.0), _NARROW - wide)
        place = abs(one.metrics[y] - heights[0 if up else 1]) * pixels
        near = [above(other) for other in shown if begin - _GAP < left(other) < begin + wide + _GAP]
        start = max(place + _NEAR, taken, *(end + _GAP for end in near))
        if level and start - _GAP < line < start + _LINE * len(lines) + _GAP:
            start = line + _GAP
        taken = start + _LINE * len(lines) + _GAP
        labels.append(
            {
                "x": log10(max(one.metrics[x], 1e-9)) if log else one.metrics[x],
                "y": one.metrics[y],
                "ax": begin + wide / 2 - left(one),
                "ay": (place - start) if up else (start - place),
                "text": "<br>".join(map(plain, lines)),
                "align": "center",
                "xanchor": "center",
                "yanchor": "bottom" if up else "top",
                "font": {"size": 12},
                "arrowhead": 0,
                "arrowwidth": 1,
                "arrowcolor": _GRID,
            }
        )
    return labels


def _named(best: list[EvaluationView]) -> list[EvaluationView]:
    """So many of the front that their names have room: both ends, and those between at even steps."""
    last = len(best) - 1
    if last < _MOST_NAMES:
        return best
    return [best[round(at * last / (_MOST_NAMES - 1))] for at in range(_MOST_NAMES)]


def _bubbles(
    some: Sequence[EvaluationView], x: str, y: str, shown: Sequence[EvaluationView], name: dict[str, str]
) -> Figure:
    """`some` are of one kind and precision; the largest of all `shown` sets the scale."""
    largest = max((_weight(one) for one in shown), default=1.0) or 1.0
    trace: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": model_kind_label(some[0]),
        "x": [one.metrics[x] for one in some],
        "y": [one.metrics[y] for one in some],
        "text": [_hover(one, name[one.id], x, y) for one in some],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": colour(some[0]),
            "size": [10 + 22 * (_weight(one) / largest) ** 0.5 for one in some],
            "opacity": 0.85,
            "line": {"width": 1},
        },
    }
    if any(one.interval(y) for one in some):
        ranges = [one.interval(y) or (one.metrics[y], one.metrics[y]) for one in some]
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [high - one.metrics[y] for one, (_low, high) in zip(some, ranges, strict=True)],
            "arrayminus": [one.metrics[y] - low for one, (low, _high) in zip(some, ranges, strict=True)],
            "thickness": 1,
            "width": 4,
            "color": colour(some[0]),
        }
    return trace


def _weight(one: EvaluationView) -> float:
    return one.metrics.get("peak_memory_bytes") or one.metrics.get("size_bytes") or 0.0


def _hover(one: EvaluationView, name: str, x: str, y: str) -> str:
    lines = [f"<b>{plain(name)}</b>"]
    for metric in dict.fromkeys((y, x, "latency_ms_p50", "size_bytes", "peak_memory_bytes")):
        if metric in one.metrics:
            label, value = format_metric(metric, one.metrics[metric])
            lines.append(f"{label}: {value}")
    return "<br>".join(lines)


def bars_chart(group: Sequence[EvaluationView], metric: str, level: Level | None = None) -> Figure:
    """One bar a model, in the order of `group` from the top; `level` as the last."""
    name = names(group)
    labels = [name[one.id] for one in group] + ([level[1].split(":")[0]] if level else [])
    colours = [colour(one) for one in group] + ([LEVEL] if level else [])
    values = [one.metrics.get(metric) for one in group] + ([level[0]] if level else [])
    places = list(range(len(values)))
    largest = max((value for value in values if value is not None), default=1.0)
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": places,
                "x": [value or 0.0 for value in values],
                "text": ["–" if value is None else format_metric(metric, value)[1] for value in values],
                "textposition": "outside",
                "cliponaxis": False,
                "hoverinfo": "skip",
                "marker": {"color": colours, "cornerradius": 4},
            }
        ],
        "layout": {
            "height": 46 + 30 * len(values),
            "margin": {"l": 8, "r": 8, "t": 4, "b": 4},
            "dragmode": False,
            "bargap": 0.4,
            "xaxis": {"visible": False, "range": [0, 1.45 * largest or 1.0], "fixedrange": True},
            "yaxis": {
                "tickvals": places,
                "ticktext": [plain(short_name(label, 28)) for label in labels],
                "range": [len(values) - 0.4, -0.6],
                "showgrid": False,
                "fixedrange": True,
                "automargin": True,
            },
        },
    }


def _axis(metric: str, values: Sequence[float], log: bool, room: tuple[float, float]) -> Figure:
    """An axis with its own ticks; `room`: free space below and above, in parts of the span."""
    low, high = axis_range(values, log, room)
    marks = ticks(metric, low, high, log)
    return {
        "title": {"text": format_metric(metric, 0.0)[0]},
        "type": "log" if log else "linear",
        "range": [log10(low), log10(high)] if log else [low, high],
        "tickvals": marks,
        "ticktext": [axis_text(metric, mark) for mark in marks],
        "gridcolor": _GRID,
        "zeroline": False,
        "fixedrange": True,
    }
