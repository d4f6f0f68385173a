"""Parity: does an export answer as the model that it was made from?

Needs an ONNX model or a package, the torch model among its ancestors (an adapter is merged), and a dataset. Compares files
(template, tokens, stop tokens, context, hashes) and, on rows and fixed hard texts, tokens, probabilities and scores. Leaves a
report: report.json with every check, its value, threshold and sentence. A check that fails fails the report, and the job ends
with findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from backend.checks import comparison, files
from backend.checks.asked_model import AskedModel, Died
from backend.checks.check import Check, check_dicts, failed
from backend.checks.comparison import Comparison, Limits, Question
from backend.checks.findings import check_findings
from backend.checks.hard_inputs import HARD_TEXTS, conversations
from backend.checks.lineage import as_export, bases_of, facts_of, has_original, original_of
from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import MeasuredSplit, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, RefTo
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message, Row, gold_answer, gold_rows
from backend.inference import time_estimates
from backend.inference.long_rows import told
from backend.inference.protocol import max_answer_tokens
from backend.models import costs

ExportRef = Annotated[str, RefTo((Kind.PACKAGE, Kind.ONNX))]
START_SECONDS = 6.0
"""Starting the export's process and the bootstrap, measured on the reference."""
CONTEXT = 2048
"""Tokens that a model reads whose facts don't say."""
LOGIT_BYTES = 700_000_000
"""Logits of the longest question on both sides, with their copies in float64."""


class ParityParams(Params):
    model: ExportRef = Field(title="Export", description="ONNX model or package to compare with its original.")
    data: DatasetRef = Field(title="Dataset", description="Dataset both models answer, with its own prompt.")
    split: MeasuredSplit = "validation"
    rows: int = Field(
        32,
        title="Maximum rows",
        description="Rows both models answer. More rows are more reliable but slower.",
        ge=4,
        le=1000,
    )
    max_new_tokens: int = Field(
        0,
        title="Maximum answer length (tokens)",
        description="Answer tokens to compare. 0 derives it from the labels or known answers.",
        ge=0,
        le=1024,
    )
    min_agreement: float = Field(
        0.0,
        title="Minimum token agreement",
        description="Minimum share of identical answer tokens. 0 uses the default for the precision.",
        ge=0,
        le=1,
    )
    max_kl: float = Field(
        0.0,
        title="Maximum KL divergence, answers",
        description="Maximum change in correct-answer probabilities, in nats. 0 uses the default for the precision.",
        ge=0,
        le=100,
    )
    max_kl_prompt: float = Field(
        0.0,
        title="Maximum KL divergence, prompts",
        description="Maximum change in next-token probabilities of a prompt, in nats. 0 uses the default "
        "for the precision.",
        ge=0,
        le=100,
    )
    max_perplexity: float = Field(
        0.0,
        title="Maximum perplexity ratio",
        description="Perplexity of correct answers relative to the original. 0 uses the default for the precision.",
        ge=0,
        le=100,
    )
    max_task_loss: float = Field(
        0.0,
        title="Maximum score loss",
        description="Maximum score loss, from 0 to 1. 0 uses the default for the precision.",
        ge=0,
        le=1,
    )
    name: Name = ""


class ParityResult(Result):
    """Metrics: checks_passed, checks_failed and, as far as they were measured, those of `comparison.MEASURED_CHECKS`."""


def check(params: ParityParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    problems += check_rows(params.data, params.split, world)
    known = world.describe(params.model)
    if known and known.path and not known.pending and not has_original(Path(known.path), world):
        problems.append(Problem(code="gate.no_original", args={"ref": params.model}, field="model"))
    return problems or check_fits(quote(params, world), world)


def quote(params: ParityParams, world: World) -> Quote:
    """The larger process counts for memory: the original's, in torch."""
    facts, data = {**facts_of(params.model, world), "format": "onnx"}, world.describe(params.data)
    torch = {**facts, "format": "torch"}
    held = data.facts if data else {}
    rows = min(params.rows, held.get("rows", {}).get(params.split, params.rows)) + len(HARD_TEXTS)
    load = time_estimates.Load.of(held, rows, params.max_new_tokens)
    reading = (
        2
        * load.rows
        * (time_estimates.first_token_seconds(torch, load) + time_estimates.first_token_seconds(facts, load))
    )
    seconds = (
        START_SECONDS
        + reading
        + time_estimates.answer_seconds(torch, load)
        + time_estimates.answer_seconds(facts, load)
    )
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=costs.answer_bytes(torch) + LOGIT_BYTES,
        disk_bytes=100_000,
        forecast={"report": "parity"},
    )


def run(params: ParityParams, ctx: Context) -> ParityResult:
    view, source = ctx.input(params.model), ctx.input(params.data)
    original, export = original_of(view, ctx), as_export(view, ctx)
    checks, found = run_checks(params, ctx, export, original, bases_of(export, ctx))
    made = save_report(params, ctx, (view, original, source), checks, found, str(export.facts.get("precision", "")))
    return ParityResult(artifact=made.id, metrics=metrics(checks), findings=check_findings(checks))


def run_checks(
    params: ParityParams, ctx: Context, export: ArtifactView, original: ArtifactView, shared: Sequence[ArtifactView]
) -> tuple[list[Check], Comparison]:
    """Ask both and compare. `shared`: the model that an attached adapter stands on. Raises StudioError without rows."""
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = gold_rows(source, params.split, params.rows)
    progress = Progress(ctx, len(rows) + len(HARD_TEXTS), "comparing the files")
    progress()
    hard = [Row(id=name, input=text) for name, text in HARD_TEXTS.items()]
    encoder = Encoder(original.path)
    asked = [data.template.prompt(row) for row in (*rows, *hard)]
    chats = asked + files.supported_chats(encoder, conversations(data.template.system))
    texts = [row.input for row in (*hard, *rows)]
    folders = [each.path for each in (original, *bases_of(original, ctx))]
    checks = files.compare_files(files.ExportPair(export.path, folders, data.template, chats, texts))
    max_new_tokens = params.max_new_tokens or max_answer_tokens(data, encoder)
    questions = _questions(original, data, (rows, hard), max_new_tokens, ctx)
    bases = {each.id: each for each in shared}
    found = _compare_models(ctx, (export, bases), original, questions, chats, max_new_tokens, progress)
    checks += comparison.comparison_checks(
        found, _limits(params, str(export.facts.get("precision", ""))), data.template.answer == "label"
    )
    for each in checks:
        ctx.log(f"{each.name}: {'passed' if each.passed else 'FAILED'}. {each.sentence()}")
    ctx.progress(progress.total, progress.total, "done")
    return checks, found


def _compare_models(
    ctx: Context,
    asked: tuple[ArtifactView, dict[str, ArtifactView]],
    original: ArtifactView,
    questions: list[Question],
    chats: list[list[Message]],
    max_new_tokens: int,
    progress: Progress,
) -> Comparison:
    from backend.ml.evaluation.parity import compare
    from backend.ml.inference.torch_engine import TorchEngine

    progress.add(0, "loading the model")
    engine = TorchEngine(original, ctx.input)
    prompts = [engine.encoder.render(chat) for chat in chats]
    scratch = ctx.scratch("asked_model")
    try:
        with AskedModel(*asked, scratch, progress) as asked_model:
            asked_model.loaded()
            return compare(engine, asked_model, questions, prompts, max_new_tokens, scratch, progress)
    except (Died, StudioError) as error:  # the export can't even be loaded, which is a finding
        return Comparison(asked=len(questions), prompts=len(prompts), died=str(error))


def _questions(
    original: ArtifactView, data: DataFolder, asked: tuple[list[Row], list[Row]], max_new_tokens: int, ctx: Context
) -> list[Question]:
    """Rows and fixed texts by the original's tokens on both sides, so that a wrong tokenizer and wrong weights are told
    apart. A prompt that does not fit its context loses its beginning, as in training, and its row is named in the log."""
    encoder, found, long = Encoder(original.path), [], []
    context = int(original.facts.get("context") or CONTEXT)
    rows, hard = asked
    for row in (*rows, *hard):
        right = None if gold_answer(row) is None else encoder.gold_text(data.template, row)
        answer = [] if right is None else encoder.gold_ids(data.template, row)
        prompt, most = encoder.prompt_ids(data.template, row), context - max(max_new_tokens, len(answer)) - 1
        long += [row.id] if len(prompt) > most else []
        found.append(Question(row.input, prompt[-max(1, most) :], answer, right))
    if long:
        ctx.log(f"{told(long, len(found), context)} Their beginnings are left out, for both models alike.", "warning")
    return found


def save_report(
    params: ParityParams,
    ctx: Context,
    about: tuple[ArtifactView, ArtifactView, ArtifactView],
    checks: list[Check],
    found: Comparison,
    precision: str,
) -> ArtifactView:
    """Leave the report. `about`: export, original, dataset."""
    view, original, source = about
    wrong = failed(checks)
    facts = {
        "report": "parity",
        "model": view.id,
        "model_name": view.name,
        "original": original.id,
        "original_name": original.name,
        "data": source.id,
        "split": params.split,
        "precision": precision,
        "passed": not wrong,
        "failed": wrong,
        **metrics(checks),
    }
    out = ctx.scratch("out")
    report = {**facts, "checks": check_dicts(checks), "examples": comparison.examples(found)}
    write_json(out / "report.json", report)
    name = params.name or f"{view.name} against {original.name}"
    made: ArtifactView = ctx.artifact(
        Kind.REPORT, name, out, facts=facts, parents=[view.id, original.id, source.id], license=None
    )
    return made


def metrics(checks: list[Check]) -> dict[str, float]:
    wrong = len(failed(checks))
    numbers = {
        each.name: each.value for each in checks if each.name in comparison.MEASURED_CHECKS and each.value is not None
    }
    return {"checks_passed": float(len(checks) - wrong), "checks_failed": float(wrong), **numbers}


def _limits(params: ParityParams, precision: str) -> Limits:
    """Those that fit the precision, but what was given."""
    given = {
        "agreement": params.min_agreement,
        "kl_answer": params.max_kl,
        "kl_prompt": params.max_kl_prompt,
        "perplexity": params.max_perplexity,
        "task_loss": params.max_task_loss,
    }
    return comparison.limits_for(precision).model_copy(update={name: value for name, value in given.items() if value})


STAGE = Stage(
    name="parity",
    title="Check export",
    page="quantize",
    open=("model", "data", "rows"),
    offers={"model": ("search", "quantize"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.REPORT,
    params=ParityParams,
    result=ParityResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "student-int4", "data": "voice-commands", "rows": 32},
)
