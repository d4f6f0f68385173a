"""A judge scores the answers of a dataset from 1 to 5 by a rubric; what scores too low is taken out.

Needs a dataset with answers and a model or endpoint that judges. Leaves a dataset whose rows carry the score as their
confidence (1 -> 0, 5 -> 1), with the files of `backend.data.filter_report` beside them. Where a teacher answered, its answers
are judged: what people labelled, accepted or wrote stays as it is. Every reply is kept by content.
"""

from __future__ import annotations

import time
from collections import Counter

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.messages.words import DROPS
from backend.core.progress import Progress
from backend.core.refs import DatasetRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs
from backend.core.thresholds import findings, threshold_field
from backend.data import filter_report
from backend.data.dataset import DataFolder, Row
from backend.data.decisions import accepted_rows
from backend.data.facts import data_facts
from backend.data.filter_report import NEAR_DUPLICATE_THRESHOLD, Drop
from backend.data.review_order import human_answers, is_teacher_answer
from backend.generation.answerer import (
    AnswererParams,
    answerer_facts,
    check_answerer,
    check_budget,
    endpoint_cost,
    open_answerer,
)
from backend.generation.batch import ask, log_refused
from backend.generation.judge import (
    JUDGE_PROMPT_CHARS,
    JUDGE_REPLY_TOKENS,
    RUBRIC,
    Rubric,
    judge_prompt,
    log_unreadable,
    parse_score,
    score_to_confidence,
)
from backend.generation.privacy import check_personal
from backend.inference import time_estimates
from backend.inference.protocol import Sampling
from backend.models import costs


class JudgeParams(AnswererParams):
    data: DatasetRef = Field(title="Dataset", description="Dataset whose training answers are judged.")
    rubric: Rubric = RUBRIC
    min_score: int = Field(
        3, title="Minimum score", description="Rows with a lower score are dropped; 1 keeps all.", ge=1, le=5
    )
    max_too_long: float = threshold_field("max_too_long")
    name: Name = ""


class JudgeResult(Result):
    """Metrics: rows, kept, dropped, dropped_<reason>, unreadable, too_long, score (mean, 1 to 5), asked, cached, seconds."""


def check(params: JudgeParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_answerer(params, world)
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    if rows is not None and not rows.get("train", 0):
        problems.append(Problem(code="synth.no_answers", args={"ref": params.data}, field="data"))
    asked = quote(params, world)
    warnings = check_budget(params, asked) + check_personal(params, params.data, world)
    return (problems or check_fits(asked, world)) + warnings


def quote(params: JudgeParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    chars = facts.get("prompt_chars", 100.0) + facts.get("answer_chars", 20.0)
    load = time_estimates.Load(
        rows=facts.get("rows", {}).get("train", 0),
        prompt=costs.prompt_tokens(chars + JUDGE_PROMPT_CHARS + len(params.rubric)),
        answer=min(params.max_new_tokens or JUDGE_REPLY_TOKENS, 4),
        data_bytes=(chars + 200) * sum(facts.get("rows", {}).values()),
    )
    model = answerer_facts(params, world)
    seconds = (
        time_estimates.answer_seconds(model, load)
        if params.model
        else time_estimates.endpoint_seconds(load, params.concurrency)
    )
    return Quote(
        seconds=seconds / (world.speed() if params.model else 1.0),
        memory_bytes=costs.answer_bytes(model) if params.model else time_estimates.PLAIN_MEMORY,
        disk_bytes=int(load.data_bytes),
        tokens=0 if params.model else int(load.tokens),
        money=endpoint_cost(params.endpoint, world, load),
        forecast=facts,
    )


def run(params: JudgeParams, ctx: Context) -> JudgeResult:
    begun = time.monotonic()
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = list(data.rows("train"))
    if not any(map(_answered, rows)):
        raise StudioError("synth.no_answers", ref=source.name)
    judged = _rows_to_judge(rows, source, ctx)
    ctx.log(f"{len(judged)} of {len(rows)} rows are judged.")
    ctx.progress(0, max(1, len(judged)), "loading the model")
    answerer = open_answerer(params, ctx)
    try:
        progress = Progress(ctx, max(1, len(judged)), "querying the judge")
        prompts = [judge_prompt(params.rubric, data.template, rows[at], rows[at].output or "") for at in judged]
        sampling = Sampling(max_new_tokens=params.max_new_tokens or JUDGE_REPLY_TOKENS)
        got = ask(answerer, prompts, sampling, ctx.cache / "judge", progress, params.batch_size)
    finally:
        answerer.engine.close()
    log_refused(ctx, [rows[at].id for at in judged], got.replies)
    scores = [parse_score(reply.text) for reply in got.replies]
    known = [score for score in scores if score is not None]
    log_unreadable(ctx, len(judged) - len(known), len(judged))
    if judged and not known:
        example = got.replies[0].text[:60]
        raise StudioError("synth.judge_useless", count=len(judged), judge=answerer.name, example=example)
    kept, drops = _select(params, rows, dict(zip(judged, scores, strict=True)))
    if not kept:
        reason, count = Counter(drop.reason for drop in drops).most_common(1)[0]
        raise StudioError("synth.nothing_left", rows=len(rows), reason=DROPS[reason], count=count)
    folder = ctx.scratch("out")
    report = filter_report.build_report(rows, kept, drops, data.template.labels, NEAR_DUPLICATE_THRESHOLD)
    filter_report.write_filtered_dataset(folder, data.path, kept, report, drops)
    score = {"score": sum(known) / len(known)} if known else {}
    facts = {**source.facts, **data_facts(folder), "judge": answerer.name, **score, "curated": report.dropped}
    parents = [source.id, *([answerer.view.id] if answerer.view else [])]
    name = params.name or f"{source.name}-judged"[:100]
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=parents, license=source.license)
    ctx.progress(1, 1, "done")
    metrics: dict[str, float] = {"rows": len(rows), "kept": len(kept), "dropped": len(drops)}
    metrics |= {f"dropped_{reason}": count for reason, count in report.dropped.items()}
    too_long = sum(reply.too_long for reply in got.replies) / max(1, len(judged))
    metrics |= {
        "too_long": too_long,
        "unreadable": len(judged) - len(known),
        **score,
        "asked": got.asked,
        "cached": got.cached,
    }
    metrics |= {"seconds": time.monotonic() - begun, **answerer.budget.metrics()}
    found = findings(metrics, params.model_dump())
    return JudgeResult(
        artifact=made.id, metrics={name: float(value) for name, value in metrics.items()}, findings=found
    )


def _answered(row: Row) -> bool:
    return bool((row.output or "").strip())


def _rows_to_judge(rows: list[Row], source: ArtifactView, ctx: Context) -> list[int]:
    """Places of the rows to judge: all answers, or, where a teacher gave some, those of its that no person accepted or
    corrected."""
    answered = [at for at, row in enumerate(rows) if _answered(row)]
    if not source.facts.get("teacher"):
        return answered
    people, accepted = human_answers(source, ctx.input), accepted_rows(source.path)
    return [at for at in answered if is_teacher_answer(rows[at], people) and rows[at].id not in accepted]


def _select(params: JudgeParams, rows: list[Row], scores: dict[int, int | None]) -> tuple[list[Row], list[Drop]]:
    """Rows with their score as confidence, and those below the lowest or without an answer; a row that was not judged or
    whose score can't be read stays as it is. `scores`: by place."""
    kept, drops = [], []
    for at, row in enumerate(rows):
        if not _answered(row):
            drops.append(Drop(row, "no_answer"))
            continue
        score = scores.get(at)
        if score is None:
            kept.append(row)
            continue
        scored = row.model_copy(update={"confidence": score_to_confidence(score)})
        if score < params.min_score:
            drops.append(Drop(scored, "low_score"))
        else:
            kept.append(scored)
    return kept, drops


STAGE = Stage(
    name="judge",
    title="Judge the answers",
    page="teacher",
    open=("data", "rubric", "min_score"),
    offers={"data": ("teacher", "dataset")},
    kind=Kind.DATASET,
    params=JudgeParams,
    result=JudgeResult,
    check=check,
    quote=quote,
    run=run,
    example={"endpoint_url": "http://localhost:11434/v1", "endpoint_model": "llama3.1", "data": "voice-commands"},
)
