"""What a run has given, in the roles that people ask about: the model to hand over, its teacher, the model as it was before,
the quick baseline; and what is missing. Reads jobs and facts of artifacts only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from backend.core.refs import reference_id
from backend.core.schemas import ArtifactView, JobView, Kind, RunView, State, View
from backend.data.baseline_scores import BaselineScores
from backend.results.evaluations import (
    EvaluationView,
    benchmarks,
    evaluations,
    measured_qualities,
    quick_baseline,
    recommended,
    reference,
)

_MODELS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)


class RunResult(View):
    """`model`: the one to hand over, None where none was made; `quality`: the metric that the evaluations are judged by, ""
    where nothing was measured. `best`: the evaluation of `model`; on the same rows those of `teacher`, `before` (the same
    model, untuned) and `tuned` (what it was quantized from). `checks`: the report of the data. `failed`: the first job that
    did."""

    model: ArtifactView | None = None
    package: ArtifactView | None = None
    data: ArtifactView | None = None
    checks: ArtifactView | None = None
    quality: str = ""
    best: EvaluationView | None = None
    teacher: EvaluationView | None = None
    before: EvaluationView | None = None
    tuned: EvaluationView | None = None
    baseline: BaselineScores | None = None
    group: list[EvaluationView] = []
    failed: JobView | None = None

    @property
    def missing(self) -> list[str]:
        """Of `model`, `measured`, `package`: what the run has not given."""
        there = {"model": self.model, "measured": self.best, "package": self.package}
        return [name for name, found in there.items() if found is None]


def run_result(run: RunView, artifacts: Sequence[ArtifactView]) -> RunResult:
    """`artifacts`: all of the store, newest first."""
    known = {view.id: view for view in artifacts}
    made = {job.stage_id: str(job.result.get("artifact", "")) for job in run.jobs}
    own = _own(run, known)
    package = _last(own, Kind.PACKAGE)
    group = _measured(own, artifacts)
    model = _handed_over(run, own, made, known, package, group)
    quality = next(iter(measured_qualities(group)), "")
    best = next((one for one in group if model and one.model == model.id and quality in one.metrics), None)
    parts = [each for each in group if best and each.id != best.id]
    return RunResult(
        model=model,
        package=package,
        data=_data(own, best, known),
        checks=next((one for one in own[::-1] if one.facts.get("report") == "check_data"), None),
        quality=quality,
        best=best,
        teacher=next((one for one in parts if one.id in _of_teachers(run, made)), None),
        before=next((one for one in parts if one.model in known and not known[one.model or ""].job_id), None),
        tuned=next((one for one in parts if model and one.model in model.parents), None),
        baseline=quick_baseline([best]) if best else None,
        group=group,
        failed=next((job for job in run.jobs if job.state is State.FAILED), None),
    )


def _own(run: RunView, known: Mapping[str, ArtifactView]) -> list[ArtifactView]:
    """What the jobs have made, in their order; a check that failed has left its report all the same."""
    left = {view.job_id: view for view in known.values() if view.job_id}
    found = [known.get(str(job.result.get("artifact", ""))) or left.get(job.id) for job in run.jobs]
    return [view for view in found if view]


def _last(own: Sequence[ArtifactView], *kinds: Kind) -> ArtifactView | None:
    return next((one for one in reversed(own) if one.kind in kinds), None)


def _measured(own: Sequence[ArtifactView], artifacts: Sequence[ArtifactView]) -> list[EvaluationView]:
    """The run's evaluations on the rows that most of them share."""
    ids = {one.id for one in own if one.kind is Kind.EVALUATION}
    found = evaluations(view for view in artifacts if view.kind is not Kind.EVALUATION or view.id in ids)
    return next(iter(benchmarks(found).values()), [])


def _handed_over(
    run: RunView,
    own: Sequence[ArtifactView],
    made: Mapping[str, str],
    known: Mapping[str, ArtifactView],
    package: ArtifactView | None,
    group: list[EvaluationView],
) -> ArtifactView | None:
    """What was packed, or was going to be; else what is recommended of all that was measured, else the last model."""
    for job in run.jobs:
        if job.stage == "package" and (found := known.get(_resolved(job.params.get("model"), made))):
            return found
    asked = {one.id for one in own if one.kind in _MODELS}
    mine = [one for one in group if one.model in asked]
    quality = next(iter(measured_qualities(group)), "")
    if mine and quality:
        chosen = recommended(group, reference(group), quality)
        return known.get((chosen if chosen.model in asked else mine[0]).model or "")
    if package:
        return next((known[id_] for id_ in package.parents if id_ in known and known[id_].kind in _MODELS), None)
    return _last(own, *_MODELS)


def _data(
    own: Sequence[ArtifactView], best: EvaluationView | None, known: Mapping[str, ArtifactView]
) -> ArtifactView | None:
    return known.get(best.data) if best else _last(own, Kind.DATASET)


def _of_teachers(run: RunView, made: Mapping[str, str]) -> set[str]:
    """Ids of the evaluations of the models and endpoints that taught in this run."""
    taught: set[str] = set()
    for job in run.jobs:
        asked = {"teacher": ("model", "endpoint"), "capture": ("teacher",), "distill": ("teacher",)}.get(job.stage, ())
        taught |= {_resolved(job.params.get(name), made) for name in asked} - {""}
    measured = [job for job in run.jobs if job.stage == "evaluate" and job.result.get("artifact")]
    return {
        str(job.result["artifact"])
        for job in measured
        if {_resolved(job.params.get(name), made) for name in ("model", "endpoint")} & taught
    }


def _resolved(ref: Any, made: Mapping[str, str]) -> str:
    """An id of the parameters, or what the step that they name has made."""
    step = reference_id(ref) if isinstance(ref, str) else None
    return made.get(step, "") if step is not None else str(ref or "")
