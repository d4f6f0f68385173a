"""The quality checklist: what a model has to show before it is handed over.

Needs a model (torch, adapter, ONNX or packaged) and a dataset. Asks it domain questions, a thousand requests in a row, short to
long texts and texts that nobody expects, in a process of its own. Leaves a report: report.json, report.html and report.md. A
check that fails fails the report, and the job ends with findings.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from pydantic import Field

from backend.checks import behavior
from backend.checks.asked_model import AskedModel, Died, Refused
from backend.checks.behavior import AnswerFormat, ModelProbe
from backend.checks.check import Check, at_most, check_dicts, failed
from backend.checks.document import write
from backend.checks.findings import check_findings
from backend.checks.hard_inputs import EDGE_CASES, INJECTIONS
from backend.checks.lineage import as_export, bases_of, facts_of
from backend.core.errors import Problem, StudioError
from backend.core.fields import MeasuredSplit, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, RefTo
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, answer_of, gold_rows
from backend.inference import time_estimates
from backend.inference.long_rows import told
from backend.inference.protocol import max_answer_tokens
from backend.models import costs

AnyModelRef = Annotated[str, RefTo((Kind.PACKAGE, Kind.MODEL, Kind.ADAPTER, Kind.ONNX))]
MIN_SCORE = 0.3
"""Least F1 of words of free answers, unless another is given."""
MEASURED_CHECKS = (
    *("answers", "format", "repeatable", "memory", "length_pace", "length_format"),
    *("edge_answered", "edge_ended", "edge_leaks", "edge_injection"),
)
"""What can't be measured when the model stops."""
MIN_EDGE_ENDED = 0.8
"""Least share of answers to unexpected texts that end by themselves: a few may run on until they are cut off."""


class ChecklistParams(Params):
    model: AnyModelRef = Field(title="Model", description="Model or package to check.")
    data: DatasetRef = Field(title="Dataset", description="Dataset to evaluate, with its own prompt.")
    split: MeasuredSplit = Field(
        "validation",
        description="Rows to use. Keep the test rows for the final score or report.",
    )
    rows: int = Field(
        100,
        title="Maximum rows",
        description="Number of distinct rows to score.",
        ge=4,
        le=1000,
    )
    requests: int = Field(
        1000,
        title="Requests",
        description="Sequential requests sent while memory is monitored. Rows are reused.",
        ge=100,
        le=100_000,
    )
    floor: float = Field(
        0.0,
        title="Minimum score",
        description="Minimum share of correct answers. 0 uses the majority-class baseline, or 0.3.",
        ge=0,
        le=1,
    )
    min_format: float = Field(
        0.95,
        title="Minimum well-formed share",
        description="Minimum share of answers that are a label, valid JSON, or of ordinary length.",
        ge=0,
        le=1,
    )
    max_growth: float = Field(
        0.05,
        title="Maximum memory growth",
        description="Maximum memory growth over 1,000 requests, as a share of initial memory.",
        ge=0,
        le=10,
    )
    max_slowdown: float = Field(
        2.0,
        title="Maximum long-text slowdown",
        description="Maximum read time per token of long texts, relative to short ones.",
        ge=1,
        le=100,
    )
    max_new_tokens: int = Field(
        0,
        title="Maximum answer length (tokens)",
        description="Maximum answer length. 0 derives it from the labels or known answers.",
        ge=0,
        le=1024,
    )
    name: Name = ""


class ChecklistResult(Result):
    """Metrics: checks_passed, checks_failed, and answers, format, memory as far as they were measured."""


def check(params: ChecklistParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    problems += check_rows(params.data, params.split, world)
    return problems or check_fits(quote(params, world), world)


def quote(params: ChecklistParams, world: World) -> Quote:
    """One prompt at a time; the prompts of three lengths weigh as much as 40 ordinary ones each time."""
    facts, data = facts_of(params.model, world), world.describe(params.data)
    asked = params.requests + len(EDGE_CASES) + len(INJECTIONS) + 8 * behavior.TEXTS_PER_LENGTH
    load = time_estimates.Load.of(data.facts if data else {}, asked, params.max_new_tokens)
    seconds = time_estimates.LOAD_SECONDS[costs.runtime_of(facts)] + asked * time_estimates.one_seconds(facts, load)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=costs.answer_bytes(facts),
        disk_bytes=100_000,
        forecast={"report": "checklist"},
    )


def run(params: ChecklistParams, ctx: Context) -> ChecklistResult:
    view, source = ctx.input(params.model), ctx.input(params.data)
    model = as_export(view, ctx) if view.kind is Kind.PACKAGE else view
    data = DataFolder(source.path)
    rows = gold_rows(source, params.split, min(params.rows, params.requests))
    progress = Progress(ctx, params.requests + len(EDGE_CASES) + len(INJECTIONS) + 1, "loading the model")
    progress()
    checks = _run_checks(params, ctx, model, data, rows, progress)
    made = _save_report(params, ctx, view, source, checks)
    ctx.progress(progress.total, progress.total, "done")
    return ChecklistResult(artifact=made.id, metrics=_metrics(checks), findings=check_findings(checks))


def _run_checks(
    params: ChecklistParams, ctx: Context, model: ArtifactView, data: DataFolder, rows: list[Row], progress: Progress
) -> list[Check]:
    known = [answer for row in data.rows("train") if (answer := answer_of(row)) is not None]
    form = AnswerFormat.of(data.template, known)
    encoder = Encoder(model.path)
    max_new_tokens = params.max_new_tokens or max_answer_tokens(data, encoder)
    bases = {each.id: each for each in bases_of(model, ctx)}
    found: list[Check] = []
    try:
        with AskedModel(model, bases, ctx.scratch("asked_model"), progress) as asked_model:
            context = int(asked_model.loaded()["context"])
            ask = ModelProbe(asked_model, encoder, data.template, context, max_new_tokens)
            if long := [row.id for row in rows if ask.is_long(row.input)]:
                ctx.log(f"{told(long, len(rows), context)} Their beginnings are left out.", "warning")
            progress.add(0, "sending requests")
            requests = behavior.send_requests(ask, rows, params.requests, progress.add)
            found.append(behavior.answers_check(rows, requests.answers, *_min_score(params, data, known)))
            found.append(behavior.format_check(form, requests.answers, params.min_format))
            found += [behavior.repeat_check(requests), behavior.memory_check(requests, params.max_growth)]
            progress.add(0, "testing short and long texts")
            found += behavior.length_checks(ask, form, rows, params.max_slowdown)
            progress.add(1, "testing unexpected texts")
            found += behavior.edge_checks(ask, MIN_EDGE_ENDED, progress.add)
    except (Died, Refused, StudioError) as error:
        return [at_most("alive", 1, 0, args={"reason": str(error)[:200]}), *_with_not_measured(found, str(error))]
    return [at_most("alive", 0, 0), *found]


def _min_score(params: ChecklistParams, data: DataFolder, known: list[str]) -> tuple[bool, float]:
    """Whether answers are labels, and the least score."""
    labels = data.template.answer == "label"
    if params.floor or not labels or not known:
        return labels, params.floor or MIN_SCORE
    return labels, Counter(known).most_common(1)[0][1] / len(known)


def _with_not_measured(found: list[Check], reason: str) -> list[Check]:
    """What was measured until then, and the rest as not measured."""
    names = {each.name for each in found}
    return [
        *found,
        *(at_most(name, None, 0, args={"reason": reason[:200]}) for name in MEASURED_CHECKS if name not in names),
    ]


def _save_report(
    params: ChecklistParams, ctx: Context, view: ArtifactView, source: ArtifactView, checks: list[Check]
) -> ArtifactView:
    wrong = failed(checks)
    facts = {
        "report": "checklist",
        "model": view.id,
        "model_name": view.name,
        "data": source.id,
        "data_name": source.name,
        "split": params.split,
        "requests": params.requests,
        "passed": not wrong,
        "failed": wrong,
        **_metrics(checks),
    }
    out = ctx.scratch("out")
    write({**facts, "checks": check_dicts(checks)}, out)
    for each in checks:
        ctx.log(f"{each.name}: {'passed' if each.passed else 'FAILED'}. {each.sentence()}")
    name = params.name or f"{view.name} checklist"
    made: ArtifactView = ctx.artifact(Kind.REPORT, name, out, facts=facts, parents=[view.id, source.id])
    return made


def _metrics(checks: list[Check]) -> dict[str, float]:
    wrong = len(failed(checks))
    kept = {"answers": "answers_score", "format": "format_kept", "memory": "memory_growth"}
    numbers = {kept[each.name]: each.value for each in checks if each.name in kept and each.value is not None}
    return {"checks_passed": float(len(checks) - wrong), "checks_failed": float(wrong), **numbers}


STAGE = Stage(
    name="checklist",
    title="Quality checklist",
    page="quantize",
    open=("model", "data", "split", "rows", "requests", "floor"),
    offers={"model": ("quantize", "search", "distill", "preference", "finetune"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.REPORT,
    params=ChecklistParams,
    result=ChecklistResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "student-int4", "data": "voice-commands", "requests": 1000},
)
