"""Searches the hyperparameters of a training: tries several, and keeps the model with the lowest validation loss.

Needs a model or student and a dataset with training and validation rows. Each trial is a whole training with other values of
the fields that have a range; the defaults are tried first. Trials that fall behind end early. Leaves what the best trial made
(an adapter, or a model where it distils) and a report with all trials (kind report, report.json). After a kill the search goes
on with the trial that was at work, from its checkpoint.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.artifacts import write_json
from backend.core.errors import Problem
from backend.core.fields import Labels, Name
from backend.core.refs import CaptureRef, DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import AnyStage, Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.stages import distill, finetune
from backend.training.search_space import Range, parse_settings, parse_space, searchable
from backend.training.trial_context import TrialContext, made_in

TARGETS: dict[str, AnyStage] = {each.name: each for each in (finetune.STAGE, distill.STAGE)}
REPORT = "hyperparameters"
_PRUNED_SHARE = 0.75
"""Of the time of all trials, where some end early; a guess that earlier runs calibrate."""


class SearchParams(Params):
    training: Annotated[Literal["finetune", "distill"], Labels({"finetune": "Fine-tune", "distill": "Distill"})] = (
        Field(
            "finetune",
            title="Training",
            description="What each trial does: fine-tune with an adapter, or distill into a student.",
        )
    )
    model: TorchRef = Field(
        "smollm2-135m-instruct",
        title="Model",
        description="Model to train; the student when distilling.",
    )
    data: DatasetRef = Field("", title="Dataset", description="Training rows teach, validation rows select.")
    teacher: TorchRef | None = Field(
        None, title="Teacher", description="Only for distillation methods that load the teacher."
    )
    capture: CaptureRef | None = Field(
        None, title="Capture", description="Only for distillation from captured probabilities."
    )
    space: list[str] = Field(
        ["learning_rate=2e-4..5e-3 log", "rank=8|16|32", "epochs=1..4"],
        title="Ranges",
        description="Fields and their ranges: `learning_rate=1e-4..1e-2 log`, `rank=8|16|32`, `epochs=1..4`. "
        "Names are those of the command line.",
    )
    settings: list[str] = Field(
        [],
        title="Fixed values",
        description="Other fields with one value for all trials, such as `batch_size=16`.",
    )
    trials: int = Field(12, ge=2, le=1000, title="Trials", description="Maximum number of trials.")
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
    name: Name = ""

    def target(self) -> AnyStage:
        """The stage that each trial runs."""
        return TARGETS[self.training]

    def base(self, fixed: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a trial without the values that are searched."""
        inputs = {"model" if self.training == "finetune" else "student": self.model, "data": self.data}
        inputs |= {name: ref for name, ref in (("teacher", self.teacher), ("capture", self.capture)) if ref}
        return fixed | inputs


class SearchResult(Result):
    """Metrics: those of the best trial, and trials, trials_pruned, trials_failed, seconds."""


def check(params: SearchParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    ranges, wrong = parse_space(params.space, params.target().params)
    fixed, refused = parse_settings(params.settings, params.target().params)
    problems += wrong + refused
    if not ranges and not wrong:
        problems.append(Problem(code="search.empty", field="space"))
    twice = [each.name for each in ranges if each.name in fixed]
    problems += [Problem(code="search.twice", args={"name": name}, field="settings") for name in twice]
    if params.training == "finetune":
        unread = [name for name in ("teacher", "capture") if getattr(params, name)]
        problems += [Problem(code="train.unread", field=name) for name in unread]
    problems += check_rows(params.data, "validation", world, "data")
    if problems:
        return problems
    if fixed.get("evaluate_rows") == 0:
        return [Problem(code="search.unmeasured", field="settings")]
    if len(_kinds(params)) > 1:
        return [Problem(code="search.kinds", field="space")]
    return _check_trials(params, ranges, fixed, world)


def _check_trials(params: SearchParams, ranges: list[Range], fixed: dict[str, Any], world: World) -> list[Problem]:
    """What the training says against either end of the ranges, each thing once and where it can be changed here."""
    target = params.target()
    found: dict[str, Problem] = {}
    for end in (0, -1):
        values = {each.name: each.ends[end] for each in ranges}
        for problem in target.check(target.parse(params.base(fixed) | values), world):
            if problem.code.startswith("fits."):  # of one trial: the search has other fields
                continue
            place = {"student": "model"}.get(problem.field or "", problem.field)
            if place not in SearchParams.model_fields:
                place = "space" if place in values else "settings" if place in fixed else None
            found.setdefault(problem.code, problem.model_copy(update={"field": place}))
    fits = [] if any(each.blocking for each in found.values()) else check_fits(quote(params, world), world)
    told = [*found.values(), *(each for each in fits if each.code not in found)]
    low = {each.code for each in told if each.code in ("core.memory_low", "core.vram_low")}
    return [each for each in told if each.code.replace("_tight", "_low") not in low or each.code in low]


def _kinds(params: SearchParams) -> set[Kind | None]:
    """What trials leave, by the method that they have; the ranges and values are known to be good."""
    ranges, _wrong = parse_space(params.space, params.target().params)
    fixed, _refused = parse_settings(params.settings, params.target().params)
    methods = [each.ends for each in ranges if each.name == "method"]
    tried = [fixed | {"method": value} for value in methods[0]] if methods else [fixed]
    return {params.target().makes(params.target().parse(params.base(values))) for values in tried}


def quote(params: SearchParams, world: World) -> Quote:
    """All trials at the middle of their ranges, or what the time budget leaves; memory of the most demanding end."""
    target = params.target()
    ranges, _wrong = parse_space(params.space, target.params)
    fixed, _refused = parse_settings(params.settings, target.params)
    points = [{each.name: each.middle for each in ranges}]
    points += [{each.name: each.ends[end] for each in ranges} for end in (0, -1)]
    quotes = [target.quote(target.parse(params.base(fixed) | values), world) for values in points]
    each_one = quotes[0].seconds
    share = _PRUNED_SHARE if params.prune else 1.0
    most = params.minutes * 60 + each_one
    return Quote(
        seconds=min(each_one * params.trials * share, most),
        memory_bytes=max(each.memory_bytes for each in quotes),
        vram=max((each.vram for each in quotes), key=lambda held: sum(held.values())),
        disk_bytes=3 * max(each.disk_bytes for each in quotes),
        forecast=quotes[0].forecast,
    )


def run(params: SearchParams, ctx: Context) -> SearchResult:
    from backend.ml.training.trials import Budget, Search

    begun = time.monotonic()
    target = params.target()
    ranges, _wrong = parse_space(params.space, target.params)
    fixed, _refused = parse_settings(params.settings, target.params)
    base = params.base(fixed)

    def run_one(inner: TrialContext, values: dict[str, Any]) -> dict[str, float]:
        result = target.run(target.parse(base | values), inner)
        write_json(inner.dir / "result.json", result.model_dump(mode="json"))
        return dict(result.metrics)

    first = {name: info.get_default(call_default_factory=True) for name, info in searchable(target.params).items()}
    asked = target.parse(base)
    first["learning_rate"] = asked.resolved(ctx.input(params.model).facts).learning_rate
    search = Search(ctx, ranges, params.sampler, params.prune, first)
    search.run(Budget(params.trials, params.minutes), run_one)
    best = search.best
    assert best is not None
    found: dict[str, Any] = {
        "training": params.training,
        "settings": base,
        "fields": [each.name for each in ranges],
        "logs": [each.name for each in ranges if each.log],
        "trials": search.told(),
        "best": best.number,
        "importances": search.importances(),
    }
    made = _keep(params, ctx, search.folder(best.number), found)
    told = target.result.model_validate_json((search.folder(best.number) / "result.json").read_text("utf-8"))
    states = [trial["state"] for trial in found["trials"]]
    counts = {"trials": float(len(states)), "seconds": time.monotonic() - begun}
    counts |= {"trials_pruned": float(states.count("pruned")), "trials_failed": float(states.count("fail"))}
    return SearchResult(artifact=made.id, metrics={**told.metrics, **counts}, findings=told.findings)


def _keep(params: SearchParams, ctx: Context, folder: Any, found: dict[str, Any]) -> ArtifactView:
    """What the best trial made, and the report. The trial's folder stays, for an attempt that dies in between."""
    path, about = made_in(folder)
    out = ctx.scratch("out")
    out.rmdir()
    shutil.copytree(path, out, copy_function=os.link)
    named = params.name or f"{about['name']}-best"[:100]
    made = ctx.artifact(
        about["kind"], named, out, facts=about["facts"], parents=about["parents"], license=about["license"]
    )
    report = ctx.scratch("report")
    write_json(report / "report.json", found)
    facts = {"report": REPORT, "model": made.id, "data": about["facts"]["data"], "trials": len(found["trials"])}
    name = f"search-{named}"[:100]
    ctx.artifact(Kind.REPORT, name, report, facts={**facts, "failed": []}, parents=[made.id, *about["parents"]])
    return made


STAGE = Stage(
    name="hyperparameter_search",
    title="Search hyperparameters",
    page="finetune",
    open=("training", "model", "data", "space", "trials", "minutes"),
    offers={"data": ("dataset",)},
    inactive=lambda values: {"teacher", "capture"} if values.get("training") != "distill" else set(),
    kind=Kind.ADAPTER,
    kind_of=lambda params: next(iter(_kinds(params))),
    params=SearchParams,
    result=SearchResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "${data}", "trials": 8, "minutes": 30},
)
