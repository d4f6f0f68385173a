"""Two runs side by side: parameters and inputs that differ, and what came out, with an interval where the rows are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, JobView, Kind, RunView, View
from backend.planning.run_facts import changed_params, inputs
from backend.results.answers import Answers
from backend.stats.intervals import paired_difference_interval
from backend.stats.metrics import headline, metrics, qualities

SHARE_OF_RIGHT = ("accuracy", "exact_match")
"""Metrics that count right answers, so that two models on the same rows differ by counted rows."""


class ParamDifference(View):
    """A parameter that the two runs have otherwise; `first` or `second` is None where a run has no such stage."""

    stage: str
    stage_id: str
    field: str
    first: Any
    second: Any


class ResultDifference(View):
    """One metric of two matching stages. `low` and `high`: the 95 % interval of second minus first, on the same rows."""

    stage: str
    stage_id: str
    metric: str
    first: float | None
    second: float | None
    low: float | None = None
    high: float | None = None

    @property
    def difference(self) -> float | None:
        return None if self.first is None or self.second is None else self.second - self.first


class RunComparison(View):
    """`same_rows`: evaluations of both asked the same rows; None where there are no two evaluations to compare."""

    params: list[ParamDifference]
    only_first: list[ArtifactView]
    only_second: list[ArtifactView]
    results: list[ResultDifference]
    same_rows: bool | None


def compare(first: RunView, second: RunView, known: Mapping[str, ArtifactView]) -> RunComparison:
    """`known`: all artifacts by id."""
    pairs = matched(first, second)
    one, other = inputs(first, known), inputs(second, known)
    results, rows = [], list[bool]()
    for left, right in pairs:
        if left and right:
            results += _results(left, right, known, rows)
    results.sort(key=lambda each: each.metric not in qualities())
    return RunComparison(
        params=[difference for left, right in pairs for difference in _params(left, right)],
        only_first=[view for view in one if view.id not in {each.id for each in other}],
        only_second=[view for view in other if view.id not in {each.id for each in one}],
        results=results,
        same_rows=all(rows) if rows else None,
    )


def matched(first: RunView, second: RunView) -> list[tuple[JobView | None, JobView | None]]:
    """Stages that do the same in both: those of the same id and kind, else the only ones of their kind that are left."""
    left = {job.stage_id: job for job in first.jobs}
    right = {job.stage_id: job for job in second.jobs}
    pairs = {id_: right[id_] for id_, job in left.items() if id_ in right and right[id_].stage == job.stage}
    rest = [job for id_, job in left.items() if id_ not in pairs]
    others = [job for id_, job in right.items() if id_ not in pairs]
    often, there = Counter(job.stage for job in rest), Counter(job.stage for job in others)
    for job in rest:
        if often[job.stage] == there[job.stage] == 1:
            pairs[job.stage_id] = next(each for each in others if each.stage == job.stage)
    taken = {job.id for job in pairs.values()}
    alone = [(None, job) for job in second.jobs if job.id not in taken]
    return [*((job, pairs.get(job.stage_id)) for job in first.jobs), *alone]


def _params(left: JobView | None, right: JobView | None) -> list[ParamDifference]:
    """Of a stage that only one run has, what was changed in it."""
    job = left or right
    assert job
    one = changed_params(left.stage, left.params) if left else {}
    other = changed_params(right.stage, right.params) if right else {}
    found = []
    for field in dict.fromkeys([*one, *other]):
        values = [each.params.get(field) if each else None for each in (left, right)]
        if values[0] != values[1]:
            place = {"stage": job.stage, "stage_id": job.stage_id, "field": field}
            found.append(ParamDifference(**place, first=values[0], second=values[1]))
    return found


def _results(
    left: JobView, right: JobView, known: Mapping[str, ArtifactView], rows: list[bool]
) -> list[ResultDifference]:
    """Metrics of both by the registry's order, the headline first."""
    one, other = _numbers(left), _numbers(right)
    evaluations = [known.get(str(job.result.get("artifact"))) for job in (left, right)]
    pair = [view for view in evaluations if view and view.kind is Kind.EVALUATION]
    same = len(pair) == 2 and _rows_of(pair[0], known) == _rows_of(pair[1], known)
    if len(pair) == 2:
        rows.append(same)
    first_of_all = headline(one)
    ends = {f"{name}{end}" for name in one for end in ("_low", "_high")}
    order = [name for name in metrics() if name in one and name in other and name not in {"seconds", *ends}]
    order.sort(key=lambda name: name != first_of_all)
    found = []
    for name in order:
        low, high = _interval(pair) if same and name in SHARE_OF_RIGHT else (None, None)
        place = {"stage": left.stage, "stage_id": left.stage_id, "metric": name}
        found.append(ResultDifference(**place, first=one[name], second=other[name], low=low, high=high))
    return found


def _numbers(job: JobView) -> dict[str, float]:
    found: dict[str, float] = job.result.get("metrics", {})
    return found


def _rows_of(view: ArtifactView, known: Mapping[str, ArtifactView]) -> tuple[Any, ...]:
    """Equal where the same rows were asked."""
    data = known.get(str(view.facts.get("data")))
    return data.digest if data else view.facts.get("data"), view.facts.get("split"), view.facts.get("n")


def _interval(pair: list[ArtifactView]) -> tuple[float, float] | tuple[None, None]:
    try:
        counts = Answers(pair[1].path, pair[0].path).paired()
    except (StudioError, KeyError, ValueError):  # of another version, or damaged: the shares themselves stand
        return None, None
    return paired_difference_interval(counts.both, counts.only_first, counts.only_second, counts.neither)
