"""What a search measured, as the charts and tables of the comparison read it."""

from __future__ import annotations

import json
from typing import Any

from backend.core.schemas import ArtifactView, Kind
from backend.results.evaluations import EvaluationView
from studio.ui.shared.formatting import format_metric, option_label, percent
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, Tag

ORIGINAL = "original"
COSTS = ("size_bytes", "decode_tokens_per_s", "ttft_ms", "peak_memory_bytes")
Report = dict[str, Any]


def read_report(view: ArtifactView) -> Report:
    """The report.json of a search."""
    found: Report = json.loads((view.path / "report.json").read_text("utf-8"))
    return found


def scheme_label(name: str) -> str:
    return _("Original") if name == ORIGINAL else option_label("scheme_search", "schemes", name)


def evaluation_views(report: Report, view: ArtifactView) -> list[EvaluationView]:
    """The original and every recipe that ran, as points of one benchmark."""
    good = [point for point in report["points"] if "metrics" in point]
    points = [_point(ORIGINAL, Kind.MODEL, "fp32", report["original"], view)]
    return points + [_point(one["name"], Kind.ONNX, one["precision"], one["metrics"], view) for one in good]


def _point(name: str, kind: Kind, precision: str, metrics: dict[str, float], view: ArtifactView) -> EvaluationView:
    return EvaluationView(
        id=name,
        name=name,
        model=None,
        model_name=scheme_label(name),
        kind=kind,
        precision=precision,
        data=view.facts["data"],
        data_name="",
        data_digest="",
        split="validation",
        n=int(metrics["n"]),
        metrics=metrics,
        project=view.project,
        created=view.created,
    )


def figures(report: Report) -> list[str]:
    """The metrics of the table, the measure of quality first; perplexity where answers are texts."""
    texts = [] if report["metric"] == "accuracy" else ["perplexity"]
    return [report["metric"], "kl", *texts, *COSTS]


def columns(report: Report) -> list[Column]:
    high = {report["metric"], "decode_tokens_per_s"}
    found: list[Column] = [{"title": _("Recipe"), "kind": "name"}]
    for name in figures(report):
        found.append({"title": format_metric(name, 0.0)[0], "kind": "figure", "high": name in high})
    return found


def rows(report: Report) -> list[list[Cell]]:
    """The original, then every recipe; those that failed or had no time last."""
    made = [_row(report, ORIGINAL, report["original"])]
    made += [_row(report, one["name"], one["metrics"]) for one in report["points"] if "metrics" in one]
    empty: list[Cell] = [{"text": "–", "value": ""} for _name in figures(report)]
    for one in (point for point in report["points"] if "failure" in point):
        made.append([{"text": scheme_label(one["name"]), "mark": "bad", "said": _("failed")}, *empty])
    return made + [[{"text": scheme_label(name), "sub": _("out of time")}, *empty] for name in report["untried"]]


def _row(report: Report, name: str, metrics: dict[str, float]) -> list[Cell]:
    tags: list[Tag] = [{"text": _("Selected"), "tone": "accent"}] if name == report["choice"] else []
    tags += [{"text": _("Pareto front"), "tone": ""}] if name in report["front"] else []
    cells: list[Cell] = [{"text": scheme_label(name), "tags": tags}]
    for metric in figures(report):
        if metric not in metrics:
            cells.append({"text": "–", "value": ""})
            continue
        cell: Cell = {"text": format_metric(metric, metrics[metric])[1], "value": metrics[metric]}
        if metric == "size_bytes":
            cell["sub"] = percent(metrics[metric] / report["original"][metric])
        cells.append(cell)
    return cells
