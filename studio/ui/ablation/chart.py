"""The chart of an ablation: a dot per seed, the mean with its interval, the teacher as a line."""

from __future__ import annotations

from html import escape
from textwrap import wrap
from typing import Any

from backend.planning.ablation.results import Ablation, Arm
from studio.ui.ablation.labels import variant_label
from studio.ui.shared.charts import axis_range, axis_text, ticks
from studio.ui.shared.formatting import format_metric, percent
from studio.ui.shared.i18n import _

COLOURS = {"base": "#64748b", "gold": "#d97706", "sequence": "#0284c7", "logit": "#6366f1", "teacher": "#0d9488"}
_GRID = "rgba(128,132,150,0.22)"
Figure = dict[str, Any]


def drawn(arms: list[Arm]) -> list[Arm]:
    """All variants, or without the untrained student, which would press the others together where it is far below."""
    others = [arm for arm in arms if arm.variant != "base"]
    if not others:
        return arms
    low, high = min(arm.low for arm in others), max(arm.high for arm in others)
    return [arm for arm in arms if arm.variant != "base" or arm.mean > 2 * low - high]


def ablation_chart(found: Ablation) -> Figure:
    """Places on the x axis are the variants in the order of the table."""
    arms = drawn(found.arms)
    heights = [each for arm in arms for each in (arm.low, arm.high, *arm.scores.values())]
    low, high = axis_range(heights, False, (0.08, 0.08))
    marks = ticks(found.metric, low, high, False)
    labels = [
        "<br>".join(map(escape, wrap(variant_label(arm.variant, arm.precision), 11, break_long_words=False)))
        for arm in arms
    ]
    return {
        "data": [_means(arms), _seeds(arms)],
        "layout": {
            "height": 380,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "dragmode": False,
            "hovermode": "closest",
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
            "shapes": [_line(arm.mean) for arm in arms if arm.variant == "teacher"],
            "xaxis": {
                "tickvals": list(range(len(arms))),
                "ticktext": labels,
                "range": [-0.6, len(arms) - 0.4],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
                "automargin": True,
                "autotickangles": [0, 90],
            },
            "yaxis": {
                "title": {"text": format_metric(found.metric, 0.0)[0]},
                "range": [low, high],
                "tickvals": marks,
                "ticktext": [axis_text(found.metric, mark) for mark in marks],
                "gridcolor": _GRID,
                "zeroline": False,
                "fixedrange": True,
                "automargin": True,
            },
        },
    }


def _means(arms: list[Arm]) -> Figure:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("Mean and 95% CI"),
        "x": list(range(len(arms))),
        "y": [arm.mean for arm in arms],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [arm.high - arm.mean for arm in arms],
            "arrayminus": [arm.mean - arm.low for arm in arms],
            "thickness": 2,
            "width": 8,
            "color": "rgba(128,132,150,0.9)",
        },
        "marker": {"size": 14, "color": [COLOURS[arm.variant] for arm in arms]},
        "text": [f"{percent(arm.mean)} ({percent(arm.low)} – {percent(arm.high)})" for arm in arms],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _seeds(arms: list[Arm]) -> Figure:
    places = [(at, seed, score, arm) for at, arm in enumerate(arms) for seed, score in arm.scores.items() if seed]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("One seed"),
        "x": [at + 0.16 for at, *_rest in places],
        "y": [score for _at, _seed, score, _arm in places],
        "marker": {
            "size": 8,
            "symbol": "circle-open",
            "line": {"width": 2},
            "color": [COLOURS[arm.variant] for *_rest, arm in places],
        },
        "text": [f"{_('Seed')} {seed}: {percent(score)}" for _at, seed, score, _arm in places],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _line(height: float) -> Figure:
    line = {"color": COLOURS["teacher"], "width": 1.5, "dash": "dot"}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height, "line": line}
