"""Searches the settings of another stage: tries several with Optuna and keeps what the best trial made.

Needs a model and a dataset with validation rows. Each trial is a whole run of `finetune`, `distill`, `prune` or `quantize` with
other values of the fields that have a range; the defaults are tried first. Trainings are compared by validation loss; those
that fall behind end early. Of pruned and quantized models the smallest wins that keeps enough of the original's quality on the
validation rows; pruned ones can be trained before they are measured. Leaves what the best trial made and a report with all
trials (kind report, report.json). After a kill the search goes on with the trial that was at work, from its checkpoint.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.artifacts import MANIFEST, made_in, read_manifest, write_json
from backend.core.errors import Problem
from backend.core.fields import Labels, Name
from backend.core.refs import CaptureRef, DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.core.thresholds import findings, threshold_field
from backend.core.units import percent_text
from backend.models.quantization import SCHEME_LABELS, SCHEMES, SchemeName
from backend.results.search_report import REPORT, SearchReport
from backend.stages import searched
from backend.stages.searched import SEARCHED, Asked
from backend.training.processes import alone, check_processes

_PRUNED_SHARE = 0.75
"""Of the time of all trials, where some end early; a guess that earlier runs calibrate."""
_QUOTED = 32
"""Combinations that are quoted one by one."""
_REPORTED = ("kl", "perplexity", "size_bytes", "decode_tokens_per_s", "ttft_ms", "peak_memory_bytes")


class SearchParams(Params):
    stage: Annotated[
        Literal["finetune", "distill", "prune", "quantize"],
        Labels({name: each.stage.title for name, each in SEARCHED.items()}),
    ] = Field(title="Stage", description="What each trial runs.")
    model: TorchRef = Field(
        "smollm2-135m-instruct",
        title="Model",
        description="Model that each trial starts from; the student when distilling.",
    )
    data: DatasetRef = Field("", title="Dataset", description="Training rows teach, validation rows select.")
    teacher: TorchRef | None = Field(
        None, title="Teacher", description="Only for distillation methods that load the teacher."
    )
    capture: CaptureRef | None = Field(
        None, title="Capture", description="Only for distillation from captured probabilities."
    )
    schemes: Annotated[list[SchemeName], SCHEME_LABELS] = Field(
        [scheme.name for scheme in SCHEMES],
        title="Schemes",
        description="Schemes to try: rounding, weights per block, and what stays in 8 bits.",
    )
    space: list[str] = Field(
        [],
        title="Ranges",
        description="Fields and their ranges: `learning_rate=1e-4..1e-2 log`, `rank=8|16|32`, `epochs=1..4`. "
        "Names are those of the command line. Leave blank for the usual ones.",
    )
    settings: list[str] = Field(
        [],
        title="Fixed values",
        description="Other fields with one value for all trials, such as `batch_size=16`.",
    )
    heal: float = Field(
        1.0,
        ge=0,
        le=100,
        title="Epochs after pruning",
        description="Trains each pruned model on the training rows before it is measured. 0 measures it untrained.",
    )
    keep: float = Field(
        0.99,
        title="Minimum quality retained",
        description="Selects the smallest model that keeps this share of the original quality on the validation rows.",
        gt=0,
        le=1,
    )
    rows: int = Field(
        100,
        title="Rows",
        description="Validation rows per trial. More rows are more reliable but slower.",
        ge=1,
        le=10_000,
    )
    trials: int = Field(
        12,
        ge=2,
        le=1000,
        title="Trials",
        description="Maximum number of trials. All combinations are tried where there are fewer.",
    )
    minutes: int = Field(
        60,
        ge=1,
        le=100_000,
        title="Time budget (minutes)",
        description="When it is used up, no further trial starts; the best one is kept.",
    )
    sampler: Annotated[Literal["tpe", "random"], Labels({"tpe": "TPE (learns from trials)", "random": "Random"})] = (
        Field("tpe", title="Sampler", description="How the next values are chosen. TPE needs fewer trials.")
    )
    prune: bool = Field(
        True,
        title="Stop poor trials early",
        description="Ends a trial whose validation loss is above the median at the same point.",
    )
    max_too_long: float = threshold_field("max_too_long")
    name: Name = ""

    def asked(self, facts: dict[str, Any]) -> Asked:
        """What is searched, of a model with these facts."""
        inputs = {"data": self.data, "teacher": self.teacher, "capture": self.capture}
        given = {SEARCHED[self.stage].model: self.model, **{name: ref for name, ref in inputs.items() if ref}}
        return Asked.read(self.stage, facts, given, self.schemes, self.space, self.settings)


class SearchResult(Result):
    """Metrics: those of the best trial, and trials, trials_pruned, trials_failed, seconds; quality_kept where size counts."""


def _unread(stage: Any) -> set[str]:
    """The fields that tell nothing to a search of this stage."""
    every = {name for each in SEARCHED.values() for name in each.reads}
    return every - set(SEARCHED[stage].reads) if stage in SEARCHED else set()


def _examples(values: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, str]:
    """The usual ranges of the chosen stage; for one that has none, a field that no scheme sets."""
    chosen = SEARCHED.get(str(values.get("stage")))
    return {"space": ", ".join(chosen.space(facts) or ["symmetric=true|false"])} if chosen else {}


def check(params: SearchParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    known = world.describe(params.model)
    asked = params.asked(known.facts if known else {})
    problems += asked.problems
    for name in sorted(_unread(params.stage)):
        if getattr(params, name) != SearchParams.model_fields[name].get_default(call_default_factory=True):
            problems.append(Problem(code="train.unread", field=name))
    problems += check_rows(params.data, "validation", world, "data")
    if asked.healed(params.heal):
        problems += check_rows(params.data, "train", world, "data")
    if problems:
        return problems
    if asked.fixed.get("evaluate_rows") == 0:
        return [Problem(code="search.unmeasured", field="settings")]
    if len(asked.kinds) > 1:
        return [Problem(code="search.kinds", field="space")]
    problems = asked.check(alone(world))
    if asked.healed(params.heal) or "epochs" in asked.stage.params.model_fields:
        problems += check_processes(1, world, shared=False)
    fits = [] if any(each.blocking for each in problems) else check_fits(quote(params, world), world)
    told = problems + [each for each in fits if each.code not in {problem.code for problem in problems}]
    low = {each.code for each in told if each.code in ("core.memory_low", "core.vram_low")}
    return [each for each in told if each.code.replace("_tight", "_low") not in low or each.code in low]


def quote(params: SearchParams, world: World) -> Quote:
    """All trials, or what the time budget leaves; memory of the most demanding one; disk of the best, the one at work and the
    result."""
    known = world.describe(params.model)
    asked = params.asked(known.facts if known else {})
    points = asked.grid(min(params.trials, _QUOTED)) or [asked.middle]
    one = alone(world)
    quotes = [asked.quote(point, params.heal, params.rows, one) for point in [*points, *asked.ends]]
    each_one = sum(each.seconds for each in quotes[: len(points)]) / len(points)
    share = _PRUNED_SHARE if params.prune and not asked.by_size else 1.0
    count = len(asked.grid(params.trials)) or params.trials
    seconds = min(each_one * count * share, params.minutes * 60 + each_one)
    if asked.by_size:
        seconds += searched.original_seconds(params.model, params.data, params.rows, world)
    forecast = min(quotes[: len(points)], key=lambda each: each.disk_bytes).forecast
    memory, disk = (max(getattr(each, name) for each in quotes) for name in ("memory_bytes", "disk_bytes"))
    vram = max((each.vram for each in quotes), key=lambda held: sum(held.values()))
    return Quote(seconds=seconds, memory_bytes=memory, vram=vram, disk_bytes=3 * disk, forecast=forecast)


def run(params: SearchParams, ctx: Context) -> SearchResult:
    from backend.ml.evaluation.objectives import ByLoss, BySize
    from backend.ml.training.trials import Budget, Search

    begun = time.monotonic()
    model = ctx.input(params.model)
    asked = params.asked(model.facts)
    total = len(asked.grid(params.trials)) or params.trials
    objective = ByLoss()
    if asked.by_size:
        objective = BySize(ctx, model, ctx.input(params.data), params.keep, params.rows, total)
    early = params.prune and not asked.by_size
    search = Search(ctx, asked.ranges, params.sampler, early, asked.first, Budget(params.trials, params.minutes))
    search.run(partial(_trial, asked, params.heal, objective))
    best = search.best
    assert best is not None
    folder = search.folder(best.number)
    report = SearchReport(
        stage=params.stage,
        settings=asked.base,
        fields=[each.name for each in asked.ranges],
        logs=[each.name for each in asked.ranges if each.log],
        trials=[each.model_copy(update={"params": asked.params(each.values)}) for each in search.told()],
        untried=search.untried(),
        best=best.number,
        importances=search.importances(),
        metric=objective.metric,
        original=dict(objective.original),
        keep=params.keep if asked.by_size else 0.0,
        test=objective.test(made_in(folder), folder.name),
    )
    made = _keep(params, ctx, folder, report, [model.id, ctx.input(params.data).id])
    told = Result.model_validate_json((folder / "result.json").read_text("utf-8"))
    found = _findings(report) + findings({"too_long": objective.too_long}, params.model_dump())
    metrics = _metrics(report, told.metrics) | {"seconds": time.monotonic() - begun}
    return SearchResult(artifact=made.id, metrics=metrics, findings=[*told.findings, *found])


def _trial(asked: Asked, heal: float, objective: Any, ctx: Context, number: int, values: dict[str, Any]) -> Any:
    """Run the stage with these values, unless an attempt before has, and judge what it left."""
    file = ctx.dir / "result.json"
    if not file.is_file():
        write_json(file, asked.run(values, heal, ctx, objective.given).model_dump(mode="json"))
    result = Result.model_validate_json(file.read_text("utf-8"))
    return objective.judge(made_in(ctx.dir), result.metrics, number)


def _metrics(report: SearchReport, told: dict[str, float]) -> dict[str, float]:
    """What the job says: of the best trial what it is judged by, and how many were tried."""
    states = [trial.state for trial in report.trials]
    counts = {"trials": float(len(states))}
    counts |= {"trials_pruned": float(states.count("pruned")), "trials_failed": float(states.count("fail"))}
    if not report.original:
        return told | counts
    measured = report.chosen.metrics
    shown = {name: measured[name] for name in (report.metric, *_REPORTED) if name in measured}
    return shown | counts | {"quality_kept": report.kept}


def _findings(report: SearchReport) -> list[Problem]:
    """That no trial keeps the quality that was asked for, or that there was none to keep."""
    if report.without_quality:
        return [Problem(code="search.no_quality", field="model", blocking=False)]
    args = {"value": percent_text(report.kept), "limit": percent_text(report.keep)} if report.original else {}
    return [] if report.passed else [Problem(code="good.search", args=args, blocking=False)]


def _keep(params: SearchParams, ctx: Context, folder: Path, report: SearchReport, inputs: list[str]) -> ArtifactView:
    """What the best trial made, and the report. The trial's folder stays, for an attempt that dies in between."""
    path = made_in(folder)
    about = read_manifest(path)
    out = ctx.scratch("out")
    out.rmdir()
    shutil.copytree(path, out, copy_function=os.link, ignore=shutil.ignore_patterns(MANIFEST))
    named = params.name or f"{about.name}-best"[:100]
    parents = inputs if report.original else about.parents
    made = ctx.artifact(about.kind, named, out, facts=about.facts, parents=parents, license=about.license)
    told = ctx.scratch("report")
    report.write(told)
    facts = {"report": REPORT, "model": made.id, "data": inputs[1], "trials": len(report.trials)}
    facts |= {"passed": report.passed, "failed": [] if report.passed else ["quality"]}
    ctx.artifact(Kind.REPORT, f"search-{named}"[:100], told, facts=facts, parents=[made.id, *parents])
    return made


STAGE = Stage(
    name="search",
    title="Search",
    page="finetune",
    proposes={page: {"stage": page} for page in ("finetune", "distill", "quantize")},
    open=("stage", "model", "data", "schemes", "keep", "space", "trials", "minutes"),
    offers={"data": ("dataset",)},
    inactive=lambda values: _unread(values.get("stage")),
    examples=_examples,
    kind=Kind.ADAPTER,
    kind_of=lambda params: next(iter(params.asked({}).kinds)),
    params=SearchParams,
    result=SearchResult,
    check=check,
    quote=quote,
    run=run,
    example={"stage": "finetune", "model": "smollm2-135m-instruct", "data": "${data}", "trials": 8, "minutes": 30},
)
