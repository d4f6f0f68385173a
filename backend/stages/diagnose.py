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
from typing import Any

from pydantic import Field

from backend.checks.check import Check, check_dicts, failed
from backend.checks.diagnosis import (
    CHECKS,
    FACTORS,
    MEMORIZED,
    REPORT,
    CapacityFigures,
    RateFigures,
    capacity_check,
    cause,
    data_check,
    rate_check,
    template_check,
)
from backend.checks.document import document
from backend.checks.findings import check_findings
from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.refs import TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import ArtifactInfo, Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data import baseline
from backend.data.dataset import DataFolder
from backend.data.gates.same_rows import row_key
from backend.inference import time_estimates
from backend.models import costs
from backend.results.report import html, markdown
from backend.stages.diagnosed import Training, Tried, spread, subset, training_of, try_out
from backend.stages.diagnosed_rows import ASKED, data_figures, template_figures

RATE_UPDATES, RATE_BATCHES, RATE_MEASURED = 8, 4, 64
"""Of each short training: updates, batches of rows, rows whose loss is measured."""
MEMORY_ROWS, _MEASUREMENTS = 16, 12
_CURVE_POINTS = 100
_PARTS = {CHECKS[0]: 1, CHECKS[1]: 1, CHECKS[2]: len(FACTORS), CHECKS[3]: 2}
"""Of the progress."""


class DiagnoseParams(Params):
    model: TorchRef = Field(
        title="Trained model",
        description="Model or adapter whose training is examined; what it was trained with is read from it.",
    )
    updates: int = Field(
        60,
        ge=_MEASUREMENTS,
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

    @property
    def pause(self) -> int:
        """Updates between two measurements of the loss on memorized rows."""
        return self.updates // _MEASUREMENTS


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
    short = [_rate_training(training, factor) for factor in FACTORS]
    short += 2 * [_memory_training(training, params, training.params.rate)]
    quotes = [each.stage.quote(each.params, world) for each in short]
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
    tries = _Tries(params, training, base, data, ctx)
    ways: list[Callable[[], Check]] = [
        lambda: data_check(data_figures(data.path, lambda rows: ctx.raise_if_cancelled())),
        lambda: template_check(template_figures(view, base, data, training.params.max_length, ctx)),
        lambda: rate_check(tries.rate()),
        lambda: capacity_check(tries.capacity()),
    ]
    checks = []
    for name, way in zip(CHECKS, ways, strict=True):
        ctx.raise_if_cancelled()
        ctx.progress(_before(name), sum(_PARTS.values()), "measuring")
        checks.append(_kept(ctx, name, way))
        ctx.log(f"{name}: {'passed' if checks[-1].passed else 'FAILED'}. {checks[-1].sentence()}")
    made = _save(params, ctx, view, data, checks)
    wrong = len(failed(checks))
    metrics = {"checks_passed": float(len(checks) - wrong), "checks_failed": float(wrong)}
    return DiagnoseResult(artifact=made.id, metrics=metrics, findings=check_findings(checks))


class _Tries:
    """The short trainings of a diagnosis."""

    def __init__(
        self, params: DiagnoseParams, training: Training, base: ArtifactView, data: ArtifactView, ctx: Context
    ) -> None:
        self.params, self.training, self.base, self.data, self.ctx = params, training, base, data, ctx

    def rate(self) -> RateFigures:
        """The same rows with each of FACTORS times the learning rate."""
        per_update = self.training.params.batch_size * self.training.params.accumulation
        rows = spread(DataFolder(self.data.path), RATE_BATCHES * per_update, lambda row: row.id)
        data = subset(self.data, rows, RATE_MEASURED, self.ctx.dir / "rate_rows")
        found = [
            self._tried(_rate_training(self.training, factor), data, f"rate-{at}", 0.0, _before(CHECKS[2]) + at)
            for at, factor in enumerate(FACTORS)
        ]
        start = next((tried.start for tried in found if tried.start is not None), 0.0)
        quarter, same, fourfold = (tried.last for tried in found)
        return RateFigures(
            rate=self.training.params.rate,
            updates=RATE_UPDATES,
            start=start,
            losses=(quarter, same, fourfold),
            curve=self.params.curve,
            chance=self.training.params.chance_loss,
        )

    def capacity(self) -> CapacityFigures:
        """A few different rows again and again, with the learning rate that did best; with twice the rank if they stay
        unknown."""
        rates = self.rate()  # read again, not measured
        usual = self.training.params.usual_rate(self.base.facts).usual
        rate = rates.times(rates.best) if rates.learns else usual
        rows = spread(DataFolder(self.data.path), MEMORY_ROWS, row_key)
        data = subset(self.data, rows, MEMORY_ROWS, self.ctx.dir / "memory_rows")
        training, at = _memory_training(self.training, self.params, rate), _before(CHECKS[3])
        tried = self._tried(training, data, "memory", MEMORIZED, at)
        twice = None
        if tried.last > MEMORIZED and self.training.rank:
            doubled = training.ranked(2 * self.training.rank)
            twice = self._tried(doubled, data, "memory-twice", MEMORIZED, at + 1).last
        return CapacityFigures(
            rows=len(rows),
            updates=training.params.max_steps,
            loss=tried.last,
            needed=tried.reached(MEMORIZED),
            rank=self.training.rank,
            twice_loss=twice,
            trained=self.training.updates,
        )

    def _tried(self, training: Training, data: ArtifactView, name: str, enough: float, before: float) -> Tried:
        def hears(event: dict[str, Any]) -> None:
            share = event["done"] / event["total"] if event["total"] else 0.0
            self.ctx.progress(before + share, sum(_PARTS.values()), event["note"])

        return try_out(training, data, self.ctx, name, enough, hears)


def _rate_training(training: Training, factor: float) -> Training:
    rate = min(1.0, factor * training.params.rate)
    about = {"evaluate_steps": RATE_UPDATES, "evaluate_rows": RATE_MEASURED, "schedule": "constant"}
    return training.changed(learning_rate=rate, max_steps=RATE_UPDATES, **about)


def _memory_training(training: Training, params: DiagnoseParams, rate: float) -> Training:
    """All rows in one update."""
    about = {"evaluate_steps": params.pause, "evaluate_rows": MEMORY_ROWS, "schedule": "cosine", "warmup_ratio": 0.1}
    batch = min(training.params.batch_size, MEMORY_ROWS)
    sizes = {"batch_size": batch, "accumulation": max(1, MEMORY_ROWS // batch)}
    return training.changed(learning_rate=rate, max_steps=params.pause * _MEASUREMENTS, **sizes, **about)


def _before(name: str) -> int:
    """Parts of the progress before this check."""
    return sum(_PARTS[each] for each in CHECKS[: CHECKS.index(name)])


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
    report = {**facts, "checks": check_dicts(checks)}
    write_json(out / "report.json", report)
    shown = document(report)
    (out / "report.html").write_text(html(shown), encoding="utf-8")
    (out / "report.md").write_text(markdown(shown), encoding="utf-8")
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
