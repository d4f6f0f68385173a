"""Diagnosis: why a training gave a poor result. Four checks, each with figures, a state and the remedy.

Needs a model or adapter that fine-tuning, or distillation from answers alone, left here. Data: contradictions, copies, empty
rows, shares of answers, the quick baseline on validation rows. Template: what training read against what inference reads,
token by token; answers that were too long or have no end; whether the model ends its answers. Rate: the kept loss curve, and
short trainings on the same rows with a quarter of the learning rate, the same, four times. Capacity: whether the settings
memorize a few rows, with twice the rank if they don't. Leaves a report: report.json, report.html and report.md. A check that
fails ends the job with findings. After a kill it goes on with the check, or the short training, that was at work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import Field

from backend.checks.check import Check, check_dicts, failed
from backend.checks.diagnosis import (
    CHECKS,
    FACTORS,
    REPORT,
    capacity_check,
    cause,
    data_check,
    rate_check,
    template_check,
)
from backend.checks.document import write
from backend.checks.findings import check_findings
from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.refs import TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import ArtifactInfo, Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data import baseline
from backend.inference import time_estimates
from backend.models import costs
from backend.stages.diagnosed import training_of
from backend.stages.diagnosed_rows import ASKED, data_figures, template_figures
from backend.stages.diagnosed_tries import MEASUREMENTS, Tries, short_trainings

_CURVE_POINTS = 100
_PARTS = len(FACTORS) + 2
"""Short trainings at most, which the progress counts."""


class DiagnoseParams(Params):
    model: TorchRef = Field(
        title="Trained model",
        description="Model or adapter whose training is examined; what it was trained with is read from it.",
    )
    updates: int = Field(
        60,
        ge=MEASUREMENTS,
        le=1200,
        title="Updates to memorize",
        description="Within how many updates the settings should memorize 16 rows. Long answers need more.",
    )
    curve: list[tuple[float, float]] = Field(
        [],
        title="Loss curve",
        description="Update and loss of the training. Filled in at the start, where they are kept.",
    )
    name: Name = ""


class DiagnoseResult(Result):
    """Metrics: checks_passed, checks_failed."""


def check(params: DiagnoseParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    known = world.describe(params.model)
    if problems or known is None:
        return problems
    training = training_of(known)
    if training is None:
        return [Problem(code="diagnose.unknown", args={"ref": params.model}, field="model")]
    if not all(world.describe(ref) for ref in (training.base, training.data)):
        return [Problem(code="diagnose.gone", args={"ref": params.model}, field="model")]
    return check_fits(quote(params, world), world)


def quote(params: DiagnoseParams, world: World) -> Quote:
    """All short trainings with all their updates, the quick baseline and a few answers; memory of the largest of these."""
    known = world.describe(params.model)
    training = training_of(known) if known else None
    if known is None or training is None:
        return Quote(seconds=1, memory_bytes=1, disk_bytes=1)
    base, data = _info(world, training.base), _info(world, training.data)
    training = training.resolved(base.facts)
    quotes = [each.stage.quote(each.params, world) for each in short_trainings(training, params.updates)]
    rows = data.facts.get("rows", {})
    measured = min(rows.get("train", 0), baseline.MAX_TRAIN) + min(rows.get("validation", 0), baseline.MAX_TEST)
    seconds, memory = baseline.cost(measured, data.facts.get("prompt_chars", 60.0))
    facts = {**costs.merged(known.facts), "format": "torch"}
    seconds += time_estimates.answer_seconds(facts, time_estimates.Load.of(data.facts, ASKED, 0))
    needed = [int(memory), costs.answer_bytes(facts), *(each.memory_bytes for each in quotes)]
    return Quote(
        seconds=sum(each.seconds for each in quotes) + seconds / world.speed(),
        memory_bytes=max(needed),
        vram=max((each.vram for each in quotes), key=lambda held: sum(held.values())),
        disk_bytes=max(each.disk_bytes for each in quotes) + 1_000_000,
        forecast={"report": REPORT},
    )


def freeze(params: DiagnoseParams, studio: Any) -> DiagnoseParams:
    """With the curve of the training, as far as its job is kept; a model that is still to be made has none."""
    try:
        view = studio.artifact(params.model, (Kind.MODEL, Kind.ADAPTER))
    except StudioError:
        return params
    points = [(point.step, round(point.value, 5)) for point in studio.points(view.job_id or "", "loss")]
    every = -(-len(points) // _CURVE_POINTS) or 1
    return params.model_copy(update={"curve": points[::every]})


def run(params: DiagnoseParams, ctx: Context) -> DiagnoseResult:
    view = ctx.input(params.model)
    training = training_of(ArtifactInfo(view.kind, view.facts, path=str(view.path)))
    if training is None:
        raise StudioError("diagnose.unknown", field="model", ref=view.name)
    base, data = ctx.input(training.base), ctx.input(training.data)
    training = training.resolved(base.facts)
    tries = Tries(training, (base, data), params.curve, params.updates, ctx, partial(_progress, ctx))
    ways: list[Callable[[], Check]] = [
        lambda: data_check(data_figures(data.path, lambda rows: ctx.raise_if_cancelled())),
        lambda: template_check(template_figures(view, base, data, training.params.max_length, ctx)),
        lambda: rate_check(tries.rates),
        lambda: capacity_check(tries.capacity()),
    ]
    checks = []
    for name, done, way in zip(CHECKS, (0, 0, 0, len(FACTORS)), ways, strict=True):
        ctx.raise_if_cancelled()
        _progress(ctx, done, "measuring")
        checks.append(_kept(ctx, name, way))
        ctx.log(f"{name}: {'passed' if checks[-1].passed else 'FAILED'}. {checks[-1].sentence()}")
    made = _save(params, ctx, view, data, checks)
    wrong = len(failed(checks))
    metrics = {"checks_passed": float(len(checks) - wrong), "checks_failed": float(wrong)}
    return DiagnoseResult(artifact=made.id, metrics=metrics, findings=check_findings(checks))


def _progress(ctx: Context, done: float, note: str) -> None:
    ctx.progress(done, _PARTS, note)


def _info(world: World, ref: str) -> ArtifactInfo:
    found = world.describe(ref)
    assert found
    return found


def _kept(ctx: Context, name: str, way: Callable[[], Check]) -> Check:
    """What an attempt before has found, else what is found now."""
    file = ctx.dir / f"{name}.json"
    if not file.is_file():
        write_json(file, way().model_dump(mode="json"))
    return Check.model_validate_json(file.read_text("utf-8"))


def _save(
    params: DiagnoseParams, ctx: Context, view: ArtifactView, data: ArtifactView, checks: list[Check]
) -> ArtifactView:
    """Facts without `passed`: a diagnosis speaks for no package and against none."""
    facts: dict[str, Any] = {
        "report": REPORT,
        "trained": view.id,
        "model_name": view.name,
        "data": data.id,
        "data_name": data.name,
    }
    facts |= {"failed": failed(checks), "cause": cause(checks)}
    out = ctx.scratch("out")
    write({**facts, "checks": check_dicts(checks)}, out)
    name = params.name or f"{view.name} diagnosis"[:100]
    return ctx.artifact(Kind.REPORT, name, out, facts=facts, parents=[view.id, data.id])


STAGE = Stage(
    name="diagnose",
    title="Diagnose",
    page="finetune",
    open=("model",),
    offers={"model": ("finetune", "distill")},
    inactive=lambda values: {"curve"},
    kind=Kind.REPORT,
    params=DiagnoseParams,
    result=DiagnoseResult,
    check=check,
    quote=quote,
    run=run,
    freeze=freeze,
    example={"model": "voice-commands-lora"},
)
