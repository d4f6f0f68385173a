"""Make new inputs from the examples of a dataset, for a teacher to answer.

Needs a dataset with inputs and a model or endpoint. Leaves a dataset whose pool holds the new inputs; its other rows and its
template are the same. What is nearly the same as a row that is there, above all one of validation or test, is refused; the
files of `backend.data.filter_report` say how many and why. Every reply is kept by content: a stopped job asks only the rest.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs
from backend.data import filter_report
from backend.data.dataset import REJECTED_FILE, DataFolder, Row, write_split
from backend.data.facts import data_facts
from backend.data.filter_report import Diversity, FilterReport, map_points
from backend.generation.answerer import (
    Answerer,
    AnswererParams,
    answerer_facts,
    check_answerer,
    check_budget,
    endpoint_cost,
    open_answerer,
)
from backend.generation.batch import ask, log_refused, log_truncated
from backend.generation.novelty import GeneratedRows, NoveltyFilter
from backend.generation.privacy import check_personal
from backend.generation.self_instruct import MAX_REQUEST_FACTOR, Method, SelfInstruct
from backend.inference import time_estimates
from backend.inference.protocol import Sampling
from backend.models import costs

REQUESTS_PER_ROUND = 32
"""Requests between two looks at what is still missing."""
MAX_EMPTY_ROUNDS = 3
"""Rounds without a single new row after which it ends."""
PROMPT_CHARS = 250
KEPT_FILES = (
    *("train.jsonl", "validation.jsonl", "test.jsonl", REJECTED_FILE),
    *("template.json", "NOTICE", "decisions.jsonl"),
)


class GenerateParams(AnswererParams):
    data: DatasetRef = Field(title="Dataset", description="Dataset whose inputs are the examples.")
    method: Annotated[
        Method, Labels({"self_instruct": "From examples", "paraphrase": "Paraphrase", "evol_instruct": "Evolve"})
    ] = Field(
        "self_instruct",
        title="Method",
        description="From examples: asks for more like these. Paraphrase: rewords a text. Evolve: makes "
        "a text harder, then rarer.",
    )
    rows: int = Field(100, title="New inputs", description="Number of new inputs to generate.", ge=1, le=100_000)
    per_request: int = Field(
        5,
        title="Inputs per request",
        description="Inputs the model writes per request. Small models do better with few.",
        ge=1,
        le=50,
    )
    shown: int = Field(
        5,
        title="Examples shown",
        description="Examples per request, with “From examples”.",
        ge=1,
        le=50,
    )
    balance: bool = Field(
        True,
        title="Balance classes",
        description="With labels: requests each class in turn, the rarest first.",
    )
    about: str = Field(
        "",
        title="Task description",
        description="One or two sentences about the task, such as “commands to a voice assistant”.",
        max_length=2_000,
    )
    temperature: float = Field(
        0.9, title="Temperature", description="Higher values give more varied but less relevant inputs.", ge=0.1, le=2
    )
    near_duplicates: float = Field(
        0.8,
        title="Near-duplicate threshold",
        description="Inputs this similar to existing, validation or test inputs are rejected; 1 rejects "
        "identical ones only.",
        gt=0,
        le=1,
    )
    max_requests: int = Field(
        0,
        title="Maximum requests",
        description="Stops even if inputs are missing. 0: four times the minimum needed.",
        ge=0,
    )
    keep_pool: bool = Field(
        True,
        title="Keep unlabelled rows",
        description="Adds new inputs to the unlabelled rows instead of replacing them.",
    )
    name: Name = ""


class GenerateResult(Result):
    """Metrics: rows, asked, cached, unreadable, dropped, dropped_<reason>, distinct_2, seconds."""


def check(params: GenerateParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_answerer(params, world)
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    if rows is not None and not (rows.get("train", 0) or rows.get("pool", 0)):
        problems.append(Problem(code="synth.no_seeds", args={"ref": params.data}, field="data"))
    asked = quote(params, world)
    warnings = check_budget(params, asked) + check_personal(params, params.data, world)
    return (problems or check_fits(asked, world)) + warnings


def quote(params: GenerateParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    chars = facts.get("prompt_chars", 100.0)
    shown = chars * (params.shown if params.method == "self_instruct" else 1) + PROMPT_CHARS + len(params.about)
    answer = params.per_request * (costs.prompt_tokens(chars) - costs.prompt_tokens(0) + 4)
    load = time_estimates.Load(
        rows=-(-params.rows // params.per_request),
        prompt=costs.prompt_tokens(shown),
        answer=min(answer, params.max_new_tokens) if params.max_new_tokens else answer,
        data_bytes=(chars + 150) * (params.rows + sum(facts.get("rows", {}).values())),
    )
    model = answerer_facts(params, world)
    seconds = (
        time_estimates.answer_seconds(model, load)
        if params.model
        else time_estimates.endpoint_seconds(load, params.concurrency)
    )
    split = dict(facts.get("rows", {}))
    pool = params.rows + (split.get("pool", 0) if params.keep_pool else 0)
    return Quote(
        seconds=seconds / (world.speed() if params.model else 1.0),
        memory_bytes=costs.answer_bytes(model) if params.model else time_estimates.PLAIN_MEMORY,
        disk_bytes=int(load.data_bytes),
        tokens=0 if params.model else int(load.tokens),
        money=endpoint_cost(params.endpoint, world, load),
        forecast={**facts, "rows": {**split, "pool": pool}},
    )


def run(params: GenerateParams, ctx: Context) -> GenerateResult:
    begun = time.monotonic()
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    seeds = _seeds(data)
    if not seeds:
        raise StudioError("synth.no_seeds", ref=source.name)
    ctx.progress(0, 1, "loading the model")
    answerer = open_answerer(params, ctx)
    try:
        found = _generate(params, ctx, data, seeds, answerer)
    finally:
        answerer.engine.close()
    if not found.rows:
        raise _nothing_new(found, answerer.name)
    log_truncated(ctx, found.truncated, found.requests, found.max_new_tokens)
    if len(found.rows) < params.rows:
        ctx.log(f"Only {len(found.rows)} of {params.rows} inputs are new, after {found.requests} requests.", "warning")
    report = _report(params, data, found)
    folder = _write(params, ctx, data, found, report)
    facts = {**source.facts, **data_facts(folder), "generated": len(found.rows), "generator": answerer.name}
    parents = [source.id, *([answerer.view.id] if answerer.view else [])]
    name = params.name or f"{source.name}-more"[:100]
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=parents, license=source.license)
    ctx.progress(1, 1, "done")
    metrics = _metrics(report, found, time.monotonic() - begun) | answerer.budget.metrics()
    return GenerateResult(artifact=made.id, metrics=metrics)


def _seeds(data: DataFolder) -> list[Row]:
    """The rows to start from: never those that measure, and no middle of a conversation; answered ones where there are."""
    rows = {split: [row for row in data.rows(split) if not row.context] for split in ("train", "pool")}
    return rows["train"] or rows["pool"]


def _generate(
    params: GenerateParams, ctx: Context, data: DataFolder, seeds: list[Row], answerer: Answerer
) -> GeneratedRows:
    balance = params.balance and data.template.answer == "label"
    generator = SelfInstruct(seeds, params.method, params.per_request, params.shown, balance, params.about, ctx.seed)
    novelty = NoveltyFilter(data, params.rows, params.near_duplicates)
    found, dry = GeneratedRows(), 0
    limit = params.max_requests or MAX_REQUEST_FACTOR * -(-params.rows // params.per_request)
    progress = Progress(ctx, -(-params.rows // params.per_request), "generating inputs")
    max_new_tokens = found.max_new_tokens = params.max_new_tokens or _max_new_tokens(params, seeds, answerer)
    while (missing := params.rows - len(found.rows)) > 0 and found.requests < limit and dry < MAX_EMPTY_ROUNDS:
        count = min(REQUESTS_PER_ROUND, limit - found.requests, -(-missing // params.per_request))
        requests = list(generator.requests(count, Counter(found.labels)))
        # A seed of its own for every round: a question that comes again gets another answer.
        sampling = Sampling(
            max_new_tokens=max_new_tokens, temperature=params.temperature, seed=ctx.seed + found.requests
        )
        prompts = [request.messages for request in requests]
        got = ask(answerer, prompts, sampling, ctx.cache / "generate", progress, params.batch_size)
        before = len(found.rows)
        found.requests += count
        found.asked += got.asked
        found.cached += got.cached
        log_refused(ctx, [f"request {found.requests - count + at + 1}" for at in range(count)], got.replies)
        for request, reply in zip(requests, got.replies, strict=True):
            novelty.add_reply(reply.text, reply.truncated, request.label, found)
        dry = 0 if len(found.rows) > before else dry + 1
        progress.total = progress.done + max(1, -(-(params.rows - len(found.rows)) // params.per_request))
    return found


def _nothing_new(found: GeneratedRows, teacher: str) -> StudioError:
    if 2 * found.truncated > found.requests:
        return StudioError("answers.new_cut_off", teacher=teacher, count=str(found.requests), cut=str(found.truncated))
    about = {"count": str(found.requests), "unreadable": str(found.unreadable), "example": found.example}
    return StudioError("synth.nothing_new", teacher=teacher, **about)


def _max_new_tokens(params: GenerateParams, seeds: list[Row], answerer: Answerer) -> int:
    """Tokens for the inputs of a request, each half as long again as the longest of ten seeds out of eleven."""
    encoder = getattr(answerer.engine, "encoder", None)
    lengths = sorted(len(encoder.ids(row.input)) if encoder else len(row.input) // 2 + 4 for row in seeds[:1_000])
    return min(4_096, 32 + params.per_request * (8 + 3 * lengths[10 * len(lengths) // 11] // 2))


def _report(params: GenerateParams, data: DataFolder, found: GeneratedRows) -> FilterReport:
    """New rows count for the class that was asked for; a teacher says later what they are."""
    labels = data.template.labels
    there = [row for split in ("train", "pool") for row in data.rows(split)]
    new = [row.model_copy(update={"output": label}) for row, label in zip(found.rows, found.labels, strict=True)]
    states = [(there, "seed"), (new, "kept"), ([drop.row for drop in found.drops], "dropped")]
    return FilterReport(
        before=Diversity.of(there, params.near_duplicates, labels),
        after=Diversity.of([*there, *new], params.near_duplicates, labels),
        dropped=found.counts,
        points=map_points([(row, state) for rows, state in states for row in rows], bool(labels)),
    )


def _write(params: GenerateParams, ctx: Context, data: DataFolder, found: GeneratedRows, report: FilterReport) -> Path:
    out: Path = ctx.scratch("out")
    pool = list(data.rows("pool")) if params.keep_pool else []
    write_split(out, "pool", [*pool, *found.rows])
    for name in KEPT_FILES:
        if (data.path / name).is_file():
            shutil.copyfile(data.path / name, out / name)
    filter_report.write_report(out, report, found.drops)
    return out


def _metrics(report: FilterReport, found: GeneratedRows, seconds: float) -> dict[str, float]:
    metrics: dict[str, float] = {
        "rows": len(found.rows),
        "asked": found.asked,
        "cached": found.cached,
        "unreadable": found.unreadable,
        "cut_off": found.truncated / found.requests,
        "dropped": len(found.drops),
        **{f"dropped_{reason}": count for reason, count in sorted(found.counts.items())},
        "distinct_2": report.after.distinct_2,
        "seconds": seconds,
    }
    return {name: float(value) for name, value in metrics.items()}


STAGE = Stage(
    name="generate",
    title="Generate inputs",
    page="teacher",
    open=("data", "method", "rows", "about"),
    offers={"data": ("dataset",)},
    kind=Kind.DATASET,
    params=GenerateParams,
    result=GenerateResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "voice-commands", "rows": 50},
)
