"""What a search tried, as its table tells it."""

from __future__ import annotations

from typing import Any

from backend.core.schemas import ArtifactView, Kind
from backend.results.evaluations import EvaluationView
from backend.results.search_report import SCHEME, SearchReport, Trial
from studio.ui.shared.formatting import (
    decimal,
    escape_markdown,
    field_label,
    format_metric,
    format_size,
    number,
    option_label,
    percent,
)
from studio.ui.shared.i18n import _
from studio.ui.shared.table import Cell, Column, Tag

COSTS = ("size_bytes", "decode_tokens_per_s", "ttft_ms", "peak_memory_bytes")
_HIGH = frozenset({"decode_tokens_per_s", "accuracy", "token_f1"})


def label(report: SearchReport, field: str) -> str:
    """The field's title in the form of its stage."""
    return _("Scheme") if field == SCHEME else field_label(report.stage, field)[0]


def value_text(report: SearchReport, field: str, value: Any) -> str:
    if field == SCHEME:
        return option_label("search", "schemes", value)
    if isinstance(value, float):  # rates are small
        return decimal(float(f"{value:.3g}"), 0, 7)
    if isinstance(value, int) and not isinstance(value, bool):
        return number(value)
    return option_label(report.stage, field, value)


def values_text(report: SearchReport, values: dict[str, Any]) -> str:
    """`Rank 8, Epochs 2`; a scheme alone by its name."""
    told = {field: value_text(report, field, values[field]) for field in report.fields if field in values}
    return told[SCHEME] if list(told) == [SCHEME] else ", ".join(f"{label(report, f)} {v}" for f, v in told.items())


def trial_name(trial: Trial) -> str:
    return _("Trial {number}").format(number=trial.number + 1)


def judged(report: SearchReport) -> str:
    """The metric that is to be small."""
    return "size_bytes" if report.original else report.metric


def figures(report: SearchReport) -> list[str]:
    """The metrics of the table, the measure of quality first; perplexity where answers are texts."""
    texts = [] if report.metric == "accuracy" else ["perplexity"]
    measured = [report.metric, "kl", *texts, *COSTS] if report.original else []
    return [name for name in measured if any(name in trial.metrics for trial in report.complete)] or [report.metric]


def columns(report: SearchReport) -> list[Column]:
    found: list[Column] = [{"title": _("Trial"), "kind": "name"}]
    found += [{"title": label(report, field), "kind": "figure"} for field in report.fields]
    for name in figures(report):
        found.append({"title": format_metric(name, 0.0)[0], "kind": "figure", "high": name in _HIGH})
    return [*found, {"title": _("Seconds"), "kind": "figure"}]


def rows(report: SearchReport) -> list[list[Cell]]:
    """The original where there is one, then every trial; those that failed, ended early or had no time are last when sorted."""
    made: list[list[Cell]] = []
    empty: Cell = {"text": "–", "value": ""}
    if report.original:
        unset = [empty] * len(report.fields)
        made = [[{"text": _("Original")}, *unset, *_measured(report, report.original), empty]]
    made += [_row(report, trial) for trial in report.trials]
    for values in report.untried:
        said: list[Cell] = [_value(report, field, values.get(field)) for field in report.fields]
        left = [empty] * (len(figures(report)) + 1)
        made.append([{"text": "–", "sub": _("out of time")}, *said, *left])
    return made


def _row(report: SearchReport, trial: Trial) -> list[Cell]:
    tags: list[Tag] = [{"text": _("Best"), "tone": "accent"}] if trial.number == report.best else []
    tags += [{"text": _("Pareto front"), "tone": ""}] if trial.number in report.front else []
    ends = {"pruned": _("Ended early"), "fail": _("Failed")}
    if trial.state in ends:
        tags.append({"text": ends[trial.state], "tone": "red" if trial.state == "fail" else ""})
    values = [_value(report, field, trial.values.get(field)) for field in report.fields]
    metrics = trial.metrics or ({} if trial.value is None else {report.metric: trial.value})
    seconds: Cell = {"text": number(round(trial.seconds)), "value": trial.seconds}
    named: Cell = {"text": trial_name(trial), "tags": tags, "value": trial.number}
    return [named, *values, *_measured(report, metrics), seconds]


def _value(report: SearchReport, field: str, value: Any) -> Cell:
    text = "–" if value is None else value_text(report, field, value)
    return {"text": text, "value": value if isinstance(value, int | float) else text}


def _measured(report: SearchReport, metrics: dict[str, float]) -> list[Cell]:
    cells: list[Cell] = []
    for name in figures(report):
        if name not in metrics:
            cells.append({"text": "–", "value": ""})
            continue
        cell: Cell = {"text": format_metric(name, metrics[name])[1], "value": metrics[name]}
        if name == "size_bytes" and report.original:
            cell["sub"] = percent(metrics[name] / report.original[name])
        cells.append(cell)
    return cells


def verdict(report: SearchReport) -> str:
    """The best trial in words."""
    best = report.chosen
    values = escape_markdown(values_text(report, best.values))
    if not report.original:
        title, loss = format_metric(report.metric, best.value or 0.0)
        words = _("**Trial {number}** of {total}: {values}. {metric} {loss}.")
        told = {"number": best.number + 1, "total": len(report.trials), "metric": escape_markdown(title)}
        return words.format(**told, values=values, loss=loss)
    size = best.metrics["size_bytes"]
    words = _("**{values}**: {size} ({share} of the original), {kept} of its validation quality.")
    share = percent(size / report.original["size_bytes"])
    told_size = words.format(values=values, size=format_size(size), share=share, kept=percent(report.kept))
    return told_size + _tested(report)


def _tested(report: SearchReport) -> str:
    if not report.test:
        return ""
    line = _("On the test rows: {metric} {choice}, original {original}.")
    values = {who: format_metric(report.metric, found[report.metric])[1] for who, found in report.test.items()}
    return "\n\n" + escape_markdown(line.format(metric=format_metric(report.metric, 0.0)[0], **values))


def evaluation_views(report: SearchReport, view: ArtifactView) -> list[EvaluationView]:
    """The original and every trial that was measured, as points of one benchmark."""
    points = [_point("original", _("Original"), Kind.MODEL, "fp32", report.original, view)]
    for trial in report.complete:
        kind = Kind.ONNX if report.stage == "quantize" else Kind.MODEL
        precision = str(trial.params.get("precision", report.settings.get("precision", "int4")))
        name = values_text(report, trial.values) if report.fields == [SCHEME] else trial_name(trial)
        shown = precision if kind is Kind.ONNX else "fp32"
        points.append(_point(str(trial.number), name, kind, shown, trial.metrics, view))
    return points


def _point(
    id_: str, name: str, kind: Kind, precision: str, metrics: dict[str, float], view: ArtifactView
) -> EvaluationView:
    return EvaluationView(
        id=id_,
        name=name,
        model=None,
        model_name=name,
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
