"""Lines by step as the browser draws them: smoothed, on a logarithmic scale, within a range that a few outliers don't set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import quantiles
from typing import Any

from studio.ui.shared.charts import text_colour
from studio.ui.shared.formatting import format_metric, number
from studio.ui.shared.i18n import _

MAX_POINTS = 400
"""Points of a line: more could not be told apart on a screen."""
OUTLIER = 2.0
"""How far above all but the highest twentieth of its values a chart may reach before its range ends there."""
_LEGEND = 34
_FEW = 20


@dataclass(frozen=True)
class Line:
    """`dots`: points that no line joins."""

    name: str
    points: list[tuple[float, float]]
    dashed: bool = False
    dots: bool = False


def marks(evaluations: Sequence[tuple[float, float]], result: Mapping[str, float]) -> list[Line]:
    """Points to set on the line of the validation loss: the best evaluation and, once the run has stopped early, the last.
    `result`: the metrics of the finished job, empty before."""
    if len(evaluations) < 2:
        return []
    by_loss = min(evaluations, key=lambda point: (isnan(point[1]), point[1]))
    best = next((point for point in evaluations if point[0] == result.get("best_step")), by_loss)
    found = [Line(_("Best"), [best])]
    return [*found, Line(_("Stopped early"), [evaluations[-1]])] if "planned_steps" in result else found


def stop_sentence(result: Mapping[str, float]) -> str:
    """Where a training stopped and which weights it kept; "" where it ran to its end and kept the last."""
    steps, kept = result.get("steps", 0.0), result.get("kept_step")
    told = []
    if planned := result.get("planned_steps"):
        told.append(_("Stopped early at step {step} of {planned}.").format(step=number(steps), planned=number(planned)))
    if "last_eval_loss" in result and kept is not None:
        score = next((name for name in ("eval_accuracy", "eval_token_f1") if name in result), "eval_loss")
        name, value = format_metric(score, result[score])
        last = format_metric(score, result[f"last_{score}"])[1]
        words = _("Kept the weights of step {step}. {metric}: {value}, at the last step {last}.")
        told.append(words.format(step=number(kept), metric=name, value=value, last=last))
    return " ".join(told)


def thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """By step, of the same step the last (a job that died does some steps again); not more than can be seen."""
    found = sorted(dict(points).items())
    thin = -(-len(found) // MAX_POINTS) or 1
    return found[:-1:thin] + found[-1:]


def smoothed(points: Sequence[tuple[float, float]], weight: float) -> list[tuple[float, float]]:
    """Exponential moving average, corrected for its start as in Adam (Kingma and Ba 2015): `weight` 0 changes nothing."""
    mean, found = 0.0, []
    for count, (step, value) in enumerate(points, 1):
        mean = weight * mean + (1 - weight) * value
        found.append((step, mean / (1 - weight**count)))
    return found


def robust_top(lines: Sequence[Line]) -> float | None:
    """Where the axis should end so that a few high values (the first steps) don't press the rest flat; None where none do."""
    values = [value for line in lines for _step, value in line.points]
    if len(values) < _FEW:
        return None
    common = quantiles(values, n=20)[-1]
    low = min(values)
    return low + (common - low) * 1.15 if max(values) - low > OUTLIER * (common - low) > 0 else None


def line_figure(lines: Sequence[Line], title: str, *, log: bool = False, last: float = 0) -> dict[str, Any]:
    """An ECharts option. `title` names the vertical axis; `last`: a step that the horizontal one reaches at least."""
    top = None if log else robust_top(lines)
    value: dict[str, Any] = {"type": "log" if log else "value", "scale": True, "name": title}
    if top is not None:
        value |= {"max": float(f"{top:.3g}"), "axisLabel": {"showMaxLabel": False, "color": text_colour()}}
    steps = [line.points[-1][0] for line in lines if line.points]
    series = [
        {
            "name": line.name,
            "type": "line",
            "clip": True,
            "showSymbol": line.dashed or line.dots or len(line.points) == 1,
            "symbol": "diamond" if line.dots else "emptyCircle",
            "symbolSize": 12 if line.dots or len(line.points) == 1 else 6,
            "lineStyle": {"width": 0 if line.dots else 2, "type": "dashed" if line.dashed else "solid"},
            "data": [point for point in line.points if not log or point[1] > 0],
        }
        for line in lines
    ]
    ink = text_colour()
    named = {"nameLocation": "middle", "nameTextStyle": {"fontSize": 12, "color": ink}, "axisLabel": {"color": ink}}
    return {
        "animation": False,
        "grid": {"left": 34, "right": 16, "top": _LEGEND, "bottom": 24, "containLabel": True},
        "legend": {
            "data": [line.name for line in lines if line.points],
            "top": 0,
            "right": 0,
            "type": "scroll",
            "itemWidth": 16,
            "itemGap": 8,
            "textStyle": {"color": ink, "fontSize": 11},
        },
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            **named,
            "type": "value",
            "min": 0,
            "max": max([last, *steps]),
            "name": _("Optimizer step"),
            "nameGap": 26,
            "splitLine": {"show": False},
        },
        "yAxis": {**named, "nameGap": 40, **value},
        "series": series,
    }
