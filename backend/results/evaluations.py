"""Measurements side by side: which models were asked the same rows, who is on the Pareto front, what was gained against whom.

Reads nothing but the facts of artifacts. Two evaluations compare only when they share a benchmark: the same bytes of a
dataset, the same split and number of rows, which means the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import inf
from typing import Any

from backend.core.schemas import ArtifactView, Kind, View
from backend.data.baseline_scores import BaselineScores, stored_baseline
from backend.stats.metrics import costs, headline, higher_is_better, qualities

ENDPOINT = "endpoint"
"""The precision of a model behind an address: nobody here knows how it keeps its weights."""
MIN_QUALITY_KEPT = 0.95
"""A model that keeps this share of the reference's quality counts as good enough to be the pick."""
_NEEDED = frozenset({"model_name", "data", "split", "n"})
"""Facts without which an evaluation, of another version say, compares with nothing."""


class Origin(View):
    """One step of a model's making. `how`: imported, lora, tuned (in full), pruned, distilled, quantized or attached; `name` is
    what came out; `source` what went in; `data` and `teacher` (who answered that data) where it was trained."""

    how: str
    name: str
    source: str = ""
    data: str = ""
    teacher: str = ""
    detail: str = ""


class EvaluationView(View):
    """One evaluation. `model` is None and `kind` "endpoint" for a model behind an address; `student_count`: how many of the
    measured models learned from its answers; `task`: of the answers, "" for an evaluation of before; `metrics` by their names,
    in seconds, bytes and shares of 1; `baseline`: the quick baseline on the same rows, None for an evaluation of before;
    `constrained`: to what its answers were, "" for free ones."""

    id: str
    name: str
    model: str | None
    model_name: str
    kind: str
    precision: str
    data: str
    data_name: str
    data_digest: str
    split: str
    n: int
    task: str = ""
    constrained: str = ""
    metrics: dict[str, float]
    baseline: BaselineScores | None = None
    origins: list[Origin] = []
    student_count: int = 0
    project: str
    created: datetime

    @property
    def benchmark(self) -> str:
        return f"{self.data_digest[:16]}.{self.split}.{self.n}"

    def interval(self, metric: str) -> tuple[float, float] | None:
        """The 95 % interval of a share, where the evaluation has one."""
        low, high = self.metrics.get(f"{metric}_low"), self.metrics.get(f"{metric}_high")
        return None if low is None or high is None else (low, high)


def evaluations(artifacts: Iterable[ArtifactView], project: str | None = None) -> list[EvaluationView]:
    """The newest evaluation of each model on each benchmark, constrained ones apart, newest first. `artifacts`: all of the
    store, newest first."""
    known = {view.id: view for view in artifacts}
    found: dict[tuple[str, str, str], EvaluationView] = {}
    for view in known.values():
        if view.kind is Kind.EVALUATION and project in (None, view.project) and view.facts.keys() >= _NEEDED:
            one = _evaluation(view, known)
            found.setdefault((one.model or f"{ENDPOINT}:{one.model_name}", one.benchmark, one.constrained), one)
    teachers = Counter(
        teacher for one in found.values() for teacher in {each.teacher for each in one.origins} if teacher
    )
    counts = {one.id: teachers[known[one.id].facts["model_name"]] for one in found.values()}  # data keep the old name
    return [one.model_copy(update={"student_count": counts[one.id]}) for one in found.values()]


def benchmarks(found: Iterable[EvaluationView]) -> dict[str, list[EvaluationView]]:
    """Key -> the evaluations on it that have a figure of quality and one of cost; the benchmark with most models first, of
    equals the one that was used last."""
    groups: dict[str, list[EvaluationView]] = {}
    for one in found:
        if not (one.metrics.keys().isdisjoint(qualities()) or one.metrics.keys().isdisjoint(costs())):
            groups.setdefault(one.benchmark, []).append(one)
    return dict(sorted(groups.items(), key=lambda item: -len(item[1])))


def measured_qualities(group: Iterable[EvaluationView]) -> list[str]:
    """The measures of quality that any of them has, first the one that such answers are known by, of those that all have where
    there is one: an evaluation of before has fewer. Exact match says the same as accuracy where there are labels."""
    group = list(group)
    there = {name for one in group for name in one.metrics}
    found = [name for name in qualities() if name in there and not (name == "exact_match" and "accuracy" in there)]
    first = headline([name for name in found if all(name in one.metrics for one in group)]) or headline(found)
    return sorted(found, key=lambda name: name != first)


def quick_baseline(group: Iterable[EvaluationView]) -> BaselineScores | None:
    """What no language model reaches on the rows of a benchmark; None where it was not measured."""
    return next((one.baseline for one in group if one.baseline and one.baseline.figures), None)


def pareto_indices(points: Sequence[tuple[float, float]], x: str, y: str) -> list[int]:
    """Indices of the points that no other beats in both, cheapest first; `x` and `y` name the metrics, which says where
    better is. Of equal points the first stays."""
    signs = (-1 if higher_is_better(x) else 1, -1 if higher_is_better(y) else 1)
    order = sorted(range(len(points)), key=lambda at: (signs[0] * points[at][0], signs[1] * points[at][1]))
    front, best = [], inf
    for at in order:
        if signs[1] * points[at][1] < best:
            best = signs[1] * points[at][1]
            front.append(at)
    return front


def pareto_front(group: Sequence[EvaluationView], x: str, y: str) -> list[EvaluationView]:
    """The Pareto front of those that have both metrics, cheapest first."""
    both = [one for one in group if x in one.metrics and y in one.metrics]
    return [both[at] for at in pareto_indices([(one.metrics[x], one.metrics[y]) for one in both], x, y)]


def reference(group: Sequence[EvaluationView]) -> EvaluationView:
    """Whom the others are compared with: the teacher of most of them, else the largest."""
    return max(group, key=lambda one: (one.student_count, one.metrics.get("size_bytes", 0.0), -one.created.timestamp()))


def recommended(group: Sequence[EvaluationView], against: EvaluationView, quality: str) -> EvaluationView:
    """The fastest that keeps 95 % of the reference's quality, else the best of the others; the reference when it is alone."""
    others = [one for one in group if one.id != against.id and quality in one.metrics]
    if not others:
        return against
    good = [one for one in others if (metric_ratio(one, against, quality) or 0.0) >= MIN_QUALITY_KEPT]
    if good:
        return min(good, key=lambda one: one.metrics.get("latency_ms_p50", inf))
    return max(others, key=lambda one: one.metrics[quality] * (1 if higher_is_better(quality) else -1))


def metric_ratio(one: EvaluationView, against: EvaluationView, metric: str) -> float | None:
    """A ratio (0.15 of a cost: 85 % less); above 1 is always better for quality, also for perplexity. None where either has
    no such figure."""
    above, below = one.metrics.get(metric), against.metrics.get(metric)
    if metric in qualities() and not higher_is_better(metric):
        above, below = below, above
    return None if above is None or not below else above / below


def _evaluation(view: ArtifactView, known: dict[str, ArtifactView]) -> EvaluationView:
    facts = view.facts
    model = known.get(facts.get("model", ""))
    data = known.get(facts["data"])
    return EvaluationView(
        id=view.id,
        name=view.name,
        model=facts.get("model"),
        model_name=model.name if model else facts["model_name"],
        kind=model.kind.value if model else ENDPOINT,
        precision=str(model.facts.get("precision", "fp32")) if model else ENDPOINT,
        data=facts["data"],
        data_name=data.name if data else facts["data"],
        data_digest=data.digest if data else facts["data"],
        split=facts["split"],
        n=int(facts["n"]),
        task=str(facts.get("task", "")),
        constrained=str(facts.get("constrained", "")),
        metrics={key: float(value) for key, value in facts.items() if _is_number(value)},
        baseline=stored_baseline(facts),
        origins=lineage(model, known) if model else [],
        project=view.project,
        created=view.created,
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def lineage(model: ArtifactView, known: dict[str, ArtifactView]) -> list[Origin]:
    """How a model came to be, from the imported one on; an attached adapter by its training, not by the model it shares."""
    models = [known[id_] for id_ in model.parents if id_ in known and known[id_].kind is not Kind.DATASET]
    attached = [each for each in models if each.kind is Kind.ADAPTER] if model.kind is Kind.ONNX else []
    source = next(iter([*attached, *filter(None, [known.get(model.facts.get("base", ""))]), *models]), None)
    if source is None or source.id == model.id:
        return [Origin(how="imported", name=model.name)]
    return [*lineage(source, known), _origin(model, source, known)]


def _origin(model: ArtifactView, source: ArtifactView, known: dict[str, ArtifactView]) -> Origin:
    if shared := known.get(model.facts.get("base", "")) if model.kind is Kind.ONNX else None:
        return Origin(how="attached", name=model.name, source=source.name, detail=shared.name)
    if model.kind is Kind.ONNX:
        precision = str(model.facts.get("precision", ""))
        return Origin(how="quantized", name=model.name, source=source.name, detail=precision.upper())
    data = known.get(model.facts.get("data", ""))
    how = _how(model)
    layers = (
        "" if how in ("lora", "tuned", "pretrained") else f"{model.facts.get('layers')}/{source.facts.get('layers')}"
    )
    teacher = str(data.facts.get("teacher", "")) if data else ""
    return Origin(
        how=how, name=model.name, source=source.name, data=data.name if data else "", teacher=teacher, detail=layers
    )


def _how(model: ArtifactView) -> str:
    """Of a model or adapter that was made here."""
    if model.kind is Kind.ADAPTER:
        return "lora"
    told = {"kept_layers": "pruned", "finetune_method": "tuned", "text_tokens": "pretrained"}
    return next((how for fact, how in told.items() if fact in model.facts), "distilled")
