"""Check a dataset before it is trained on: duplicates, leaks, contradictions, labels, classes, damaged text, personal
data, keys, control tokens, lengths, suspected wrong labels.

Needs a dataset, and a model where tokens are to be counted. Leaves a report: `checks.json` (the score card: ready, ready with
warnings, or not ready), `checks.jsonl` (every row of every finding) and `review.jsonl` (rows that a person should look at). A
dataset that is not ready ends the job with findings, and as failed only where that was asked for. What each gate found is kept:
a stopped job goes on after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, ModelRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.chat_template import Encoder
from backend.data.gates.base import Found, Gate
from backend.data.gates.check import Checking, Settings
from backend.data.gates.model import ScoreCard
from backend.data.gates.registry import GATES, NAMES
from backend.data.gates.report import REPORT, load_found, save_found, write_report

_BASE_SECONDS, _ROW_SECONDS, _PAIR_SECONDS = 3.0, 0.0001, 0.0004
_BASE_MEMORY, _ROW_MEMORY = 250_000_000, 3_000
_TOKEN_SECONDS = 0.0003


if TYPE_CHECKING:
    GateName = str
else:
    GateName = Literal[NAMES]


class Accepted(BaseModel):
    """A finding that a person lets stand, and why; in text `gate=reason`."""

    model_config = ConfigDict(extra="forbid")

    gate: GateName
    reason: str = Field(min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        gate, _equals, reason = value.partition("=")
        return {"gate": gate.strip(), "reason": reason.strip()}


class CheckDataParams(Params):
    data: DatasetRef = Field(title="Dataset", description="Dataset to check, with all its splits.")
    model: ModelRef | None = Field(
        None,
        title="Model",
        description="Counts tokens with this model's template and finds its control tokens.",
    )
    max_length: int = Field(
        0,
        title="Maximum length",
        description="In tokens. Counts longer rows; 0 uses the model's context. Needs a model.",
        ge=0,
        le=1_000_000,
    )
    near_duplicates: float = Field(
        0.8,
        title="Near-duplicate threshold",
        description="Inputs at least this similar (1: identical) are near duplicates.",
        ge=0.5,
        le=1,
    )
    leave_out: Annotated[list[GateName], Labels({each.name: each.title for each in GATES})] = Field(
        [],
        title="Checks to skip",
        description="Checks to skip. The report lists them as not checked.",
    )
    accepted: list[Accepted] = Field(
        [],
        title="Accepted",
        description="Accepted findings, each with a reason. Reported, but not counted against the dataset.",
    )
    stop: bool = Field(
        False,
        title="Stop if not ready",
        description="Fails if the dataset is not ready, so nothing trains on it.",
    )
    name: Name = ""


class CheckDataResult(Result):
    """Metrics: rows, data_errors, data_warnings, and found_<gate> for each finding."""


def check(params: CheckDataParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if params.max_length and not params.model:
        problems.append(Problem(code="gates.length_no_model", field="max_length"))
    return problems or check_fits(quote(params, world), world)


def quote(params: CheckDataParams, world: World) -> Quote:
    """All gates but two look at each row once; near copies and suspected labels compare."""
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = sum(facts.get("rows", {}).values())
    work = rows * max(1.0, (facts.get("prompt_chars", 60.0) + facts.get("answer_chars", 20.0)) / 80)
    pairs = sum(gate.needs == "pairs" and gate.name not in params.leave_out for gate in GATES)
    seconds = _BASE_SECONDS + work * (_ROW_SECONDS + pairs * _PAIR_SECONDS + bool(params.model) * _TOKEN_SECONDS)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=int(_BASE_MEMORY + _ROW_MEMORY * work),
        disk_bytes=int(100_000 + 60 * rows),
        forecast={"report": REPORT},
    )


def run(params: CheckDataParams, ctx: Context) -> CheckDataResult:
    source = ctx.input(params.data)
    model = ctx.input(params.model) if params.model else None
    progress = Progress(ctx, 1, "reading")
    checking = Checking(source.path, settings_of(params, model), progress.add)
    passes = checking.passes()
    progress.total = float(len(passes) * max(1, len(checking.rows)))
    found = [
        each for number, gates in enumerate(passes) for each in _run(gates, checking, ctx, progress, number) if each
    ]
    card = checking.card([each.finding for each in found])
    made = _save(params, ctx, source, model, card, found)
    if params.stop and (blocking := blocking_findings(card)):
        raise StudioError.of([_stopped(source.name, card), *blocking])
    ctx.progress(progress.total, progress.total, "done")
    return CheckDataResult(artifact=made.id, metrics=_metrics(card), findings=blocking_findings(card))


def _stopped(name: str, card: ScoreCard) -> Problem:
    gates = ", ".join(each.gate for each in card.findings if each.severity == "error" and not each.accepted)
    return Problem(code="gates.stopped", args={"ref": name, "gates": gates})


def settings_of(params: CheckDataParams, model: ArtifactView | None) -> Settings:
    return Settings(
        threshold=params.near_duplicates,
        encoder=Encoder(model.path) if model else None,
        max_length=params.max_length,
        context=int(model.facts.get("context") or 0) if model else 0,
        leave_out=params.leave_out,
        accepted={each.gate: each.reason for each in params.accepted},
    )


def _run(
    gates: Sequence[Gate], checking: Checking, ctx: Context, progress: Progress, number: int
) -> list[Found | None]:
    """One pass, but for gates that an earlier attempt has finished."""
    files = {gate.name: ctx.checkpoints / f"{gate.name}.json" for gate in gates}
    progress.done = float(number * max(1, len(checking.rows)))
    progress.add(0, gates[0].title if len(gates) == 1 else "analyzing rows")
    missing = [gate for gate in gates if not files[gate.name].is_file()]
    for gate, found in zip(missing, checking.run(missing) if missing else [], strict=True):
        save_found(files[gate.name], found)
        if found:
            level = "info" if found.finding.accepted else "warning"
            ctx.log(f"{gate.title}: {found.finding.problem.sentence()}", level)
    return [load_found(files[gate.name]) for gate in gates]


def _save(
    params: CheckDataParams,
    ctx: Context,
    source: ArtifactView,
    model: ArtifactView | None,
    card: ScoreCard,
    found: list[Found],
) -> ArtifactView:
    out = ctx.scratch("out")
    write_report(out, card, found)
    facts: dict[str, Any] = {
        "report": REPORT,
        "data": source.id,
        "data_name": source.name,
        "verdict": card.verdict,
        "passed": card.verdict != "not_ready",
        "failed": [each.gate for each in card.findings if each.severity == "error" and not each.accepted],
        **_metrics(card),
    }
    parents = [source.id, *([model.id] if model else [])]
    made: ArtifactView = ctx.artifact(
        Kind.REPORT, params.name or f"{source.name} checks"[:100], out, facts=facts, parents=parents
    )
    return made


def blocking_findings(card: ScoreCard) -> list[Problem]:
    """What makes a dataset not ready."""
    return [each.problem for each in card.findings if each.severity == "error" and not each.accepted]


def _metrics(card: ScoreCard) -> dict[str, float]:
    counted = [each for each in card.findings if not each.accepted]
    numbers = {
        "rows": card.rows,
        "data_errors": sum(each.severity == "error" for each in counted),
        "data_warnings": sum(each.severity == "warning" for each in counted),
        **{f"found_{each.gate}": each.count for each in card.findings},
    }
    return {name: float(value) for name, value in numbers.items()}


STAGE = Stage(
    name="check_data",
    title="Check data",
    page="data",
    open=("data", "model", "max_length", "near_duplicates"),
    offers={"data": ("dataset",)},
    kind=Kind.REPORT,
    params=CheckDataParams,
    result=CheckDataResult,
    check=check,
    quote=quote,
    run=run,
    example={"data": "voice-commands"},
)
