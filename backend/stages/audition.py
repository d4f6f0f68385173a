"""Several candidates for the teacher answer the same validation rows, so that the teacher is chosen on evidence.

Needs a dataset with validation rows and candidates: models of the studio, saved endpoints. Leaves an audition: a ranking by
the task's metric, with speed and cost, and every answer. A candidate that fails is flagged; the others still run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from pydantic import Field

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, EndpointRef, ModelRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs, check_rows
from backend.data.chat_template import gold_text
from backend.data.dataset import DataFolder, Row, Template, answer_of, gold_rows
from backend.generation.answerer import (
    Answerer,
    AnswererParams,
    RequestParams,
    check_budget,
    endpoint_cost,
    open_answerer,
    open_budget,
)
from backend.generation.audition import TimedAnswer, timed_answers
from backend.generation.batch import is_truncated, log_refused
from backend.generation.label_match import match_label
from backend.generation.privacy import check_personal
from backend.generation.teaching import with_labels
from backend.inference import time_estimates
from backend.inference.protocol import Sampling, max_answer_tokens
from backend.models import costs
from backend.providers.budget import Budget
from backend.results.answers import PairedCounts
from backend.stats.scores import Answers, accuracy
from backend.stats.token_f1 import token_f1

SPLIT = "validation"
INVALID_LIMIT = 0.5
NO_BETTER = "no better than always giving the same answer"
NO_LABELS = "most of its answers are invalid labels"
EMPTY = "most of its answers are empty"
SILENT = "it didn't answer"


class AuditionParams(RequestParams):
    data: DatasetRef = Field(
        title="Dataset", description="Candidates answer its validation rows, scored against human labels."
    )
    models: list[ModelRef] = Field(
        [], title="Models", description="Local candidates: models, adapters, ONNX models.", max_length=20
    )
    endpoints: list[EndpointRef] = Field(
        [],
        title="Saved endpoints",
        description="Remote candidates. Rows are sent there.",
        max_length=20,
    )
    rows: int = Field(
        100,
        title="Rows",
        description="Validation rows per candidate. More rows are more reliable but cost more.",
        ge=1,
        le=10_000,
    )
    prompt: str = Field(
        "",
        title="Teacher prompt",
        description="Prompt for the candidates: {input} is the row's text, {labels} the list of labels. "
        "Blank uses the dataset's own.",
        max_length=20_000,
    )
    name: Name = ""


class AuditionResult(Result):
    pass


def check(params: AuditionParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if not params.models and not params.endpoints:
        problems.append(Problem(code="endpoints.audition_few", field="models"))
    if params.prompt and "{input}" not in params.prompt:
        problems.append(Problem(code="chat.prompt_input", field="prompt"))
    saved = [found for name in params.endpoints if (found := world.endpoint(name))]
    if params.budget and not all(each.priced for each in saved):
        problems.append(Problem(code="endpoints.budget_no_price", field="budget"))
    problems += check_rows(params.data, SPLIT, world, "data")
    asked = quote(params, world)
    warnings = check_budget(params, asked) + check_personal(params, params.data, world)
    return (problems or check_fits(asked, world)) + warnings


def quote(params: AuditionParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = min(params.rows, facts.get("rows", {}).get(SPLIT, params.rows))
    load = time_estimates.Load.of(facts, rows, params.max_new_tokens, extra_chars=len(params.prompt))
    models = [found.facts for ref in params.models if (found := world.describe(ref))]
    local = sum(time_estimates.answer_seconds(model, load) for model in models) / world.speed()
    away = time_estimates.endpoint_seconds(load, params.concurrency) * len(params.endpoints)
    return Quote(
        seconds=local + away,
        memory_bytes=max((costs.answer_bytes(model) for model in models), default=time_estimates.PLAIN_MEMORY),
        disk_bytes=int((load.prompt + load.answer) * 5 * rows * (len(models) + len(params.endpoints))),
        tokens=int(load.tokens) * len(params.endpoints),
        money=sum(endpoint_cost(name, world, load) for name in params.endpoints),
        forecast={"n": rows},
    )


def run(params: AuditionParams, ctx: Context) -> AuditionResult:
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = gold_rows(source, SPLIT, params.rows)
    budget = open_budget(params, ctx)
    stand = [{"model": ref} for ref in params.models] + [{"endpoint": name} for name in params.endpoints]
    progress = Progress(ctx, len(rows) * len(stand), "loading the model")
    out: Path = ctx.scratch("out")
    candidates = []
    for number, who in enumerate(stand):
        candidates.append(
            _audition_candidate(params, ctx, data, rows, who, budget, progress, out / f"answers-{number}.jsonl")
        )
        progress.done = len(rows) * (number + 1)
    if all("failure" in each for each in candidates):
        raise StudioError("endpoints.all_failed", failure=Problem(**candidates[0]["failure"]).sentence())
    ranking = ranked(candidates)
    write_json(out / "ranking.json", ranking)
    metric = _metric(data.template)
    winner = next((each["name"] for each in ranking if not each["failed"]), "")
    facts = {"data": source.id, "split": SPLIT, "n": len(rows), "metric": metric, "prompt": params.prompt}
    facts |= {"winner": winner, "candidates": [{k: v for k, v in each.items() if k != "right"} for each in ranking]}
    parents = [source.id, *(ctx.input(ref).id for ref in params.models)]
    made = ctx.artifact(Kind.AUDITION, params.name or f"audition-{source.name}", out, facts=facts, parents=parents)
    ctx.progress(len(rows) * len(stand), len(rows) * len(stand), "done")
    return AuditionResult(artifact=made.id, metrics=_metrics(ranking, len(rows)) | budget.metrics())


def _audition_candidate(
    params: AuditionParams,
    ctx: Context,
    data: DataFolder,
    rows: list[Row],
    who: dict[str, Any],
    budget: Budget,
    progress: Progress,
    file: Path,
) -> dict[str, Any]:
    """Run one candidate. What an endpoint or a model fails at becomes part of its entry; the budget's end is the job's."""
    how = params.model_dump(include=set(RequestParams.model_fields))
    name = who.get("endpoint") or ctx.input(who["model"]).name
    entry: dict[str, Any] = {**who, "name": name, "failed": ""}
    local = "model" in who
    progress.add(0, "loading the model" if local else "querying the teacher")
    try:
        answerer = open_answerer(AnswererParams(**how, **who), ctx, budget)
        try:
            answers = _answers(params, ctx, data, rows, answerer, progress)
            encoder = getattr(answerer.engine, "encoder", None)
        finally:
            answerer.engine.close()
    except StudioError as error:
        if error.code == "endpoints.budget_reached":
            raise
        ctx.log(f"{name}: {error.text()}", "warning")
        return {**entry, "failed": SILENT, "failure": error.problems[0].model_dump()}
    log_refused(ctx, [row.id for row in rows], answers)
    expected = [gold_text(data.template, row, encoder) for row in rows]
    figures = _scores(data, expected, [_as_read(data.template, each.text) for each in answers])
    _write(file, rows, expected, answers)
    wrong = next((at for at, right in enumerate(figures["right"]) if not right), 0)
    shown = {"input": rows[wrong].input[:300], "expected": expected[wrong][:300]}
    cut_off = sum(is_truncated(each, data.template.labels) for each in answers) / len(answers)
    entry |= figures | _speed(answers) | {"cut_off": cut_off}
    entry |= {"cached": sum(each.kept for each in answers), "example": {**shown, "answer": answers[wrong].text[:300]}}
    paid = {"usd_per_1000": 1000 * sum(each.usd for each in answers) / len(answers)} if answerer.view is None else {}
    return entry | paid


def _answers(
    params: AuditionParams, ctx: Context, data: DataFolder, rows: list[Row], answerer: Answerer, progress: Progress
) -> list[TimedAnswer]:
    template = data.template
    if params.prompt:
        template = template.model_copy(update={"user": params.prompt.replace("{labels}", ", ".join(template.labels))})
    max_new_tokens = params.max_new_tokens or max_answer_tokens(data, getattr(answerer.engine, "encoder", None))
    progress.add(0, "answering")
    prompts = [with_labels(template, template.prompt(row)) for row in rows]  # as the teacher stage asks
    about = {"at_once": params.batch_size if answerer.view else params.concurrency}
    sampling = Sampling(max_new_tokens=max_new_tokens)
    return timed_answers(answerer, prompts, sampling, about, ctx.cache / "audition", progress, params.batch_size)


def _as_read(template: Template, answer: str) -> str:
    """The label that the teacher stage would read out of it."""
    return (match_label(answer, template.labels).label if template.answer == "label" else None) or answer


def _scores(data: DataFolder, expected: list[str], answers: list[str]) -> dict[str, Any]:
    """The task's metric with its 95 % interval, what always giving the most frequent answer would reach, the share of
    answers of no use, and whether each is right."""
    known = [answer for row in data.rows("train") if (answer := answer_of(row)) is not None]
    asked = Answers.of(expected, answers, data.template.labels, known)
    right = [one.strip() == two.strip() for one, two in zip(expected, answers, strict=True)]
    if data.template.answer == "label":
        found = accuracy(asked)
        metric, low, high = found["accuracy"], found["accuracy_low"], found["accuracy_high"]
        baseline, invalid, useless = found["majority_baseline"], found["invalid_rate"], NO_LABELS
    else:
        each = [token_f1(*pair) for pair in zip(expected, answers, strict=True)]
        metric, (low, high) = fmean(each), _interval(each)
        baseline = fmean(token_f1(text, asked.usual) for text in expected)
        invalid, useless = sum(not answer for answer in answers) / len(answers), EMPTY
    failed = useless if invalid > INVALID_LIMIT else NO_BETTER if metric <= baseline else ""
    figures = {"metric": metric, "low": low, "high": high, "baseline": baseline, "invalid_rate": invalid}
    return {**figures, "failed": failed, "right": right}


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean of shares (normal approximation)."""
    half = 1.96 * stdev(values) / len(values) ** 0.5 if len(values) > 1 else 1.0
    return max(0.0, fmean(values) - half), min(1.0, fmean(values) + half)


def _speed(answers: Sequence[TimedAnswer]) -> dict[str, float]:
    seconds = sum(each.seconds for each in answers)
    rate = sum(each.tokens for each in answers) / seconds if seconds else 0.0
    return {"seconds_per_answer": seconds / len(answers), "tokens_per_s": rate}


def _write(file: Path, rows: list[Row], expected: list[str], answers: Sequence[TimedAnswer]) -> None:
    with file.open("w", encoding="utf-8") as stream:
        for row, right, one in zip(rows, expected, answers, strict=True):
            line = {"id": row.id, "input": row.input, "expected": right, "answer": one.text}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def ranked(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that passed by their metric, of equals the cheaper and then the faster first; then those that failed. Each gets
    `p_against_best`: how likely its difference to the first is by chance (exact McNemar test on the same rows)."""

    def order(one: dict[str, Any]) -> tuple[Any, ...]:
        cost, seconds = one.get("usd_per_1000", 0.0), one.get("seconds_per_answer", 0.0)
        return bool(one["failed"]), -one.get("metric", -1.0), cost, seconds

    ranking = sorted(candidates, key=order)
    best = ranking[0].get("right")
    for one in ranking[1:]:
        if best and (mine := one.get("right")):
            only = [sum(a and not b for a, b in zip(x, y, strict=True)) for x, y in ((best, mine), (mine, best))]
            one["p_against_best"] = PairedCounts(both=0, only_first=only[0], only_second=only[1], neither=0).p
    return ranking


def _metric(template: Template) -> str:
    return "accuracy" if template.answer == "label" else "token_f1"


def _metrics(ranking: list[dict[str, Any]], rows: int) -> dict[str, float]:
    failed = sum(bool(each["failed"]) for each in ranking)
    best = {"best_score": ranking[0]["metric"]} if not ranking[0]["failed"] else {}
    cached = sum(each.get("cached", 0) for each in ranking)
    counts = {"candidates": len(ranking), "candidates_failed": failed, "n": rows, "cached": cached}
    return {name: float(count) for name, count in counts.items()} | best


STAGE = Stage(
    name="audition",
    title="Audition",
    page="teacher",
    open=("data", "models", "endpoints", "rows", "prompt", "budget"),
    offers={"data": ("dataset",)},
    kind=Kind.AUDITION,
    params=AuditionParams,
    result=AuditionResult,
    check=check,
    quote=quote,
    run=run,
    example={"models": ["smollm2-135m-instruct"], "data": "voice-commands", "rows": 50},
)
