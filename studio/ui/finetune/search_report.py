"""What a search of hyperparameters tried, as tables and charts read it. Charts are plain dicts (no `go.Figure`)."""

from __future__ import annotations

import json
from itertools import count
from math import log10
from textwrap import wrap
from typing import Any

from backend.core.schemas import ArtifactView
from studio.ui.shared.charts import plain
from studio.ui.shared.formatting import decimal, field_label, format_metric, number, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, Tag

Report = dict[str, Any]
Figure = dict[str, Any]
LOSS = "eval_loss"
_ACCENT, _GRAY = "#6366f1", "#94a3b8"


def read_report(view: ArtifactView) -> Report:
    """The report.json of a search."""
    found: Report = json.loads((view.path / "report.json").read_text("utf-8"))
    return found


def complete(report: Report) -> list[dict[str, Any]]:
    """The trials that came to an end, in their order."""
    return [trial for trial in report["trials"] if trial["state"] == "complete"]


def best_of(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = next(trial for trial in report["trials"] if trial["number"] == report["best"])
    return found


def label(report: Report, field: str) -> str:
    """The field's title in the form of its training."""
    return field_label(report["training"], field)[0]


def value_text(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, float):  # rates are small
        return decimal(float(f"{value:.3g}"), 0, 7)
    return number(value) if isinstance(value, int) else str(value)


def columns(report: Report) -> list[Column]:
    figures: list[Column] = [{"title": label(report, field), "kind": "figure"} for field in report["fields"]]
    last: Column = {"title": _("Seconds"), "kind": "figure"}
    return [
        {"title": _("Trial"), "kind": "name"},
        {"title": format_metric(LOSS, 0.0)[0], "kind": "figure"},
        *figures,
        last,
    ]


def rows(report: Report) -> list[list[Cell]]:
    """One for each trial; those that ended early or failed say so and are last when sorted by loss."""
    return [_row(report, trial) for trial in report["trials"]]


def _row(report: Report, trial: dict[str, Any]) -> list[Cell]:
    tags: list[Tag] = [{"text": _("Best"), "tone": "accent"}] if trial["number"] == report["best"] else []
    ends = {"pruned": _("Ended early"), "fail": _("Failed")}
    if trial["state"] in ends:
        tags.append({"text": ends[trial["state"]], "tone": "red" if trial["state"] == "fail" else ""})
    loss = trial["loss"]
    shown: Cell = {"text": "–", "value": ""} if loss is None else {"text": format_metric(LOSS, loss)[1], "value": loss}
    name = _("Trial {number}").format(number=trial["number"] + 1)
    cells: list[Cell] = [{"text": name, "tags": tags, "value": trial["number"]}, shown]
    for field in report["fields"]:
        value = trial["values"].get(field, "")
        cells.append({"text": value_text(value), "value": value if isinstance(value, int | float) else str(value)})
    return [*cells, {"text": number(round(trial["seconds"])), "value": trial["seconds"]}]


def history_chart(report: Report) -> Figure:
    """The loss of every trial and the best so far."""
    done = complete(report)
    at = [trial["number"] + 1 for trial in done]
    losses = [trial["loss"] for trial in done]
    best = [min(losses[: index + 1]) for index in range(len(losses))]
    told = [_told(report, trial) for trial in done]
    dots = {"type": "scatter", "mode": "markers", "x": at, "y": losses, "name": _("Trial"), "text": told}
    line = {"type": "scatter", "mode": "lines", "x": at, "y": best, "name": _("Best so far"), "hoverinfo": "skip"}
    return {
        "data": [
            {**dots, "hoverinfo": "text", "marker": {"color": _GRAY, "size": 9}},
            {**line, "line": {"color": _ACCENT, "shape": "hv"}},
        ],
        "layout": _layout(_("Trial"), format_metric(LOSS, 0.0)[0]) | {"legend": {"orientation": "h", "x": 0, "y": 1.1}},
    }


def _told(report: Report, trial: dict[str, Any]) -> str:
    """Of a point: its loss and values."""
    values = [f"{label(report, field)}: {value_text(trial['values'].get(field))}" for field in report["fields"]]
    head = f"{format_metric(LOSS, 0.0)[0]}: {format_metric(LOSS, trial['loss'])[1]}"
    return "<br>".join(plain(text) for text in (head, *values))


def importance_chart(report: Report) -> Figure:
    """The share of each field in what makes a trial good, the largest on top."""
    shares = sorted(report["importances"].items(), key=lambda pair: pair[1])
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


def parallel_chart(report: Report, ink: str) -> Figure:
    """A line for each trial through its values to its loss, the better the darker."""
    done = complete(report)
    losses = [trial["loss"] for trial in done]
    axes = [_axis(report, field, [trial["values"][field] for trial in done]) for field in report["fields"]]
    axes.append({"label": _two_lines(format_metric(LOSS, 0.0)[0]), "values": losses})
    lines = {"color": losses, "colorscale": [[0, _ACCENT], [1, "#cbd5e1"]], "cmin": min(losses), "cmax": max(losses)}
    font = {"color": ink, "size": 12}
    chart = {"type": "parcoords", "dimensions": axes, "line": lines, "labelfont": font, "tickfont": font}
    return {
        "data": [{**chart, "rangefont": {"color": "rgba(0,0,0,0)"}}],
        "layout": {"height": 320, "margin": {"l": 64, "r": 68, "t": 48, "b": 16}},
    }


def _two_lines(text: str) -> str:
    """As narrow as two lines allow: more than two would reach into the axis, and names in one line touch on a phone."""
    lines = (wrap(text, width, break_long_words=False, break_on_hyphens=False) for width in count(10))
    return "<br>".join(next(found for found in lines if len(found) <= 2))


def _axis(report: Report, field: str, values: list[Any]) -> Figure:
    """Numbers by their size, or its logarithm where it was searched so; words by their place."""
    found: Figure = {"label": _two_lines(label(report, field))}
    if field in report["logs"]:
        marks = sorted({min(values), max(values)})
        return (
            found
            | {"values": [log10(v) for v in values], "tickvals": [log10(v) for v in marks]}
            | {"ticktext": [value_text(v) for v in marks]}
        )
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return found | {"values": values}
    words = sorted({value_text(v) for v in values})
    places = [words.index(value_text(v)) for v in values]
    return found | {"values": places, "tickvals": list(range(len(words))), "ticktext": words}


def _layout(x: str, y: str) -> Figure:
    return {
        "height": 300,
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "dragmode": False,
        "xaxis": {"title": {"text": x}, "automargin": True},
        "yaxis": {"title": {"text": y}, "automargin": True},
    }
