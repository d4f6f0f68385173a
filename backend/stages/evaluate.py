"""How good and how costly a model is on rows that it has not seen.

Needs a dataset and a model (torch, adapter, ONNX) or an endpoint. Cost comes first, one prompt at a time in a fresh process,
so that its memory is the model's own; then all rows are answered and scored, but for those longer than the model's context.
Leaves an evaluation: metrics.json, answers.jsonl and, for labels, confusion.json; beside its figures those of a quick baseline
on the same rows.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.checks.behavior import unusable_share
from backend.checks.lineage import size_metrics
from backend.core.artifacts import write_json
from backend.core.errors import Problem
from backend.core.fields import Labels, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs, check_rows
from backend.core.thresholds import as_facts, findings, threshold_field
from backend.data import baseline
from backend.data.answer_task import AskedTask, answer_task, check_task, known_answers
from backend.data.baseline_scores import BaselineScores, baseline_scores_of
from backend.data.chat_template import gold_text
from backend.data.dataset import DataFolder, Row, gold_rows
from backend.generation import constrained
from backend.generation.answerer import (
    Answerer,
    answerer_facts,
    check_answerer,
    check_budget,
    endpoint_cost,
    open_answerer,
)
from backend.generation.batch import Reply, is_truncated, log_refused, log_truncated, replies
from backend.generation.privacy import check_personal
from backend.inference import time_estimates
from backend.inference.benchmark import measure_cost, reset_peak
from backend.inference.long_rows import rows_that_fit
from backend.inference.perplexity import answer_loss
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.ml.inference.open import open_runtime
from backend.models import costs
from backend.process.memory import current_memory, peak_memory
from backend.stats.metrics import headline, scores_of
from backend.stats.scores import Answers, confusion
from backend.stats.tasks import Task
from backend.training.turns import check_tools


class EvaluateParams(constrained.ConstrainedParams):
    data: DatasetRef = Field(title="Dataset", description="Dataset to evaluate, with its own prompt.")
    split: Annotated[
        Literal["train", "validation", "test", "pool"],
        Labels({"train": "Training", "validation": "Validation", "test": "Test", "pool": "Unlabelled"}),
    ] = Field(
        "test",
        title="Split",
        description="Rows to evaluate. Choose models on validation; use test once, for the final score.",
    )
    task: AskedTask = Field(
        "auto", title="Task", description="Chooses the metrics. By default, the training answers tell the task."
    )
    max_rows: int = Field(
        0,
        title="Maximum rows",
        description="Evaluates only the first rows, for quick tests; fewer rows, less certain scores. 0 uses all.",
        ge=0,
    )
    cost_prompts: int = Field(
        20,
        title="Timing rows",
        description="Rows run one by one to measure speed. More rows are more stable but slower.",
        ge=1,
        le=500,
    )
    max_invalid: float = threshold_field("max_invalid")
    max_cut_off: float = threshold_field("max_cut_off")
    max_too_long: float = threshold_field("max_too_long")
    min_numbers: float = threshold_field("min_numbers")
    name: Name = ""


class EvaluateResult(Result):
    pass


def check(params: EvaluateParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_answerer(params, world)
    problems += check_rows(params.data, params.split, world) + constrained.problems(params, world)
    problems += check_tools(params.model, params.data, world) if params.model else []
    problems += check_task(params.task, params.data, world)
    asked = quote(params, world)
    warnings = check_budget(params, asked) + check_personal(params, params.data, world)
    return (problems or check_fits(asked, world)) + warnings


def quote(params: EvaluateParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    there = facts.get("rows", {}).get(params.split, 0)
    rows = min(there, params.max_rows) if params.max_rows else there
    load = time_estimates.Load.of(facts, rows, params.max_new_tokens)
    single = time_estimates.Load.of(facts, min(rows, params.cost_prompts) + 1, params.max_new_tokens)
    model = answerer_facts(params, world)
    if params.model:
        seconds = (
            time_estimates.answer_seconds(model, load) + time_estimates.single_seconds(model, single)
        ) / world.speed()
    else:
        seconds = time_estimates.endpoint_seconds(load, params.concurrency) + time_estimates.endpoint_seconds(single, 1)
    train = min(facts.get("rows", {}).get("train", 0), baseline.MAX_TRAIN)
    extra, _memory_bytes = baseline.cost(train + rows, facts.get("prompt_chars", 60.0))
    return Quote(
        seconds=seconds + extra / world.speed(),
        memory_bytes=costs.answer_bytes(model) if params.model else time_estimates.PLAIN_MEMORY,
        disk_bytes=int(load.data_bytes),
        tokens=0 if params.model else int(load.tokens + single.tokens),
        money=endpoint_cost(params.endpoint, world, load) + endpoint_cost(params.endpoint, world, single),
        forecast={"split": params.split, "n": rows},
    )


def run(params: EvaluateParams, ctx: Context) -> EvaluateResult:
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = gold_rows(source, params.split, params.max_rows or None)
    ctx.progress(0, len(rows), "loading the model")
    empty = _runtime_memory(params, ctx)
    reset_peak()
    begun = time.perf_counter()
    answerer = open_answerer(params, ctx)
    loaded = time.perf_counter() - begun
    try:
        sampling = constrained.sampling(params, data.template, _max_new_tokens(params, data, answerer))
        given, rows = rows, rows_that_fit(answerer.engine, data.template, rows, ctx.log, answerer.name)
        metrics = _cost(params, ctx, data, rows, answerer, sampling)
        if answerer.view:
            metrics |= _memory(empty) | {"too_long": 1 - len(rows) / len(given)}
        collected = _collect_replies(params, ctx, data, rows, answerer, sampling)
        answers = [reply.text for reply in collected]
        expected = [gold_text(data.template, row, getattr(answerer.engine, "encoder", None)) for row in rows]
        task = answer_task(data, known_answers(data), expected, params.task)
        metrics |= _scores(ctx, data, rows, (expected, answers), answerer, task)
        metrics["unusable"] = unusable_share(data, answers)
        metrics["cut_off"] = _cut_off(ctx, data, collected, sampling.max_new_tokens) / len(rows)
    finally:
        answerer.engine.close()
    metrics |= answerer.budget.metrics()
    metrics |= size_metrics(answerer.view, ctx) | {"load_seconds": loaded} if answerer.view else {}
    compared = _baseline(params, ctx, data, rows, (expected, answers), task)
    metrics |= {f"baseline_{name}": compared.figures[name] for name in [headline(metrics)] if name in compared.figures}
    folder = _write(ctx, data, rows, (expected, answers), metrics)
    made = _keep(
        params, ctx, source, answerer, folder, metrics, {"task": task, "baseline": compared.model_dump(mode="json")}
    )
    ctx.progress(len(rows), len(rows), "done")
    return EvaluateResult(artifact=made.id, metrics=metrics, findings=findings(metrics, params.model_dump()))


def _runtime_memory(params: EvaluateParams, ctx: Context) -> int:
    """Bytes that the process holds with the runtime's libraries and no model: what any model costs here."""
    if params.model:
        open_runtime(ctx.input(params.model))
    return current_memory()


def _max_new_tokens(params: EvaluateParams, data: DataFolder, answerer: Answerer) -> int:
    """The same for every model of one tokenizer: from labels or training answers, never from the rows that are asked."""
    return params.max_new_tokens or max_answer_tokens(data, getattr(answerer.engine, "encoder", None))


def _cost(
    params: EvaluateParams, ctx: Context, data: DataFolder, rows: list[Row], answerer: Answerer, sampling: Sampling
) -> dict[str, float]:
    progress = Progress(ctx, len(rows), "measuring latency")
    progress()
    prompts = [data.template.prompt(row) for row in rows[: params.cost_prompts]]
    return measure_cost(answerer.engine, prompts, sampling, progress).model_dump()


def _memory(empty: int) -> dict[str, float]:
    """Asked before the rows are answered: batches, scikit-learn and rouge are the studio's, not what a user needs."""
    peak = float(peak_memory())
    return {"peak_memory_bytes": peak, "model_memory_bytes": max(0.0, peak - empty)}


def _collect_replies(
    params: EvaluateParams, ctx: Context, data: DataFolder, rows: list[Row], answerer: Answerer, sampling: Sampling
) -> list[Reply]:
    progress = Progress(ctx, len(rows), "answering")
    prompts = [data.template.prompt(row) for row in rows]
    collected = [Reply("")] * len(rows)
    for index, reply in replies(answerer, prompts, sampling, progress, params.batch_size):
        collected[index] = reply
        progress.add()
    log_refused(ctx, [row.id for row in rows], collected)
    return collected


def _cut_off(ctx: Context, data: DataFolder, collected: list[Reply], max_new_tokens: int) -> int:
    """How many answers lost their end, also into the log."""
    count = sum(is_truncated(reply, data.template.labels) for reply in collected)
    log_truncated(ctx, count, len(collected), max_new_tokens)
    return count


def _scores(
    ctx: Context,
    data: DataFolder,
    rows: list[Row],
    pairs: tuple[list[str], list[str]],
    answerer: Answerer,
    task: Task,
) -> dict[str, float]:
    """`pairs`: the right answers, and those that came."""
    ctx.log(f"task of the answers: {task}")
    found = scores_of(task, Answers.of(*pairs, data.template.labels, known_answers(data)))
    measured = task != "label" and answerer.view
    tick = Progress(ctx, len(rows), "reading the correct answers").add
    return found | (answer_loss(data, rows, answerer.engine, tick) if measured else {})


def _baseline(
    params: EvaluateParams,
    ctx: Context,
    data: DataFolder,
    rows: list[Row],
    pairs: tuple[list[str], list[str]],
    task: Task,
) -> BaselineScores:
    """The quick baseline on the same rows; what it says of the model goes into the log."""
    found = baseline_scores_of(
        data, params.split, rows, pairs, Progress(ctx, len(rows), "measuring the quick baseline"), task
    )
    ctx.log(found.comparison.sentence(), "warning" if found.beaten is False else "info")
    return found


def _write(
    ctx: Context, data: DataFolder, rows: list[Row], pairs: tuple[list[str], list[str]], metrics: dict[str, float]
) -> Path:
    out: Path = ctx.scratch("out")
    write_json(out / "metrics.json", metrics)
    expected, answers = pairs
    with (out / "answers.jsonl").open("w", encoding="utf-8") as stream:
        for row, right, answer in zip(rows, expected, answers, strict=True):
            correct = right.strip() == answer.strip()
            line = {"id": row.id, "input": row.input, "expected": right, "answer": answer, "correct": correct}
            line |= {"fields": row.fields} if row.fields else {}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    if data.template.answer == "label":
        write_json(out / "confusion.json", confusion(expected, answers, data.template.labels))
    return out


def _keep(
    params: EvaluateParams,
    ctx: Context,
    source: ArtifactView,
    answerer: Answerer,
    folder: Path,
    metrics: dict[str, float],
    told: dict[str, Any],
) -> ArtifactView:
    facts = {"model_name": answerer.name, "data": source.id, "split": params.split, **metrics}
    facts |= as_facts(findings(metrics, params.model_dump())) | told
    facts |= constrained.facts(params)
    parents = [source.id]
    if answerer.view:
        facts["model"] = answerer.view.id
        parents.append(answerer.view.id)
    name = params.name or f"{answerer.name} on {source.name}"
    return ctx.artifact(Kind.EVALUATION, name, folder, facts=facts, parents=parents)


STAGE = Stage(
    name="evaluate",
    title="Evaluate",
    page="compare",
    open=("data", "split"),
    offers={"model": ("quantize", "search", "distill", "preference", "finetune"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.EVALUATION,
    params=EvaluateParams,
    result=EvaluateResult,
    check=check,
    quote=quote,
    run=run,
    inactive=constrained.inactive,
    example={"model": "smollm2-135m-instruct", "data": "voice-commands", "split": "test"},
)
