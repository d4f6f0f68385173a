"""A teacher answers the rows of a dataset: a model of the studio, or any OpenAI-compatible endpoint.

Needs a dataset and a teacher, or several. Leaves a dataset whose train split holds the teacher's answers (a person's answer
stays in `gold`), how sure it was of each and, if wanted, its rationale, and the rows that people labelled; validation, test and
template are the dataset's own. Of several samples the most frequent answer wins. Every reply is kept by content as soon as
it is there: a stopped job asks only the rest, and a second run is free.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Result, Stage, World, check_fits, check_refs
from backend.data.dataset import REJECTED_FILE, DataFolder, Message, Row, Template, gold_answer, write_split
from backend.data.facts import data_facts
from backend.data.review_order import HumanAnswers, human_answers
from backend.generation import voting
from backend.generation.answerer import answer_quote, check_answerer, check_teacher
from backend.generation.batch import shown
from backend.generation.best_of_n import Judgements, best_of_n, check_best_of_n, quote_best_of_n
from backend.generation.ensemble import (
    RATIONALE_TOKENS,
    EnsembleParams,
    EnsembleSamples,
    ask_teachers,
    check_ensemble,
    rows_per_teacher,
    teacher_params,
)
from backend.generation.privacy import check_personal, leaving, rows_to_send
from backend.generation.teacher_replies import REPLIES_FILE, OddReply, find_unusable, none_usable, write_replies
from backend.generation.teaching import check_teaching, label_chars, price_share
from backend.inference import time_estimates

_RATIONALE_CHARS = RATIONALE_TOKENS / 2 * 3.6
"""Characters of a teacher's rationale, before they are known."""


class TeacherParams(EnsembleParams):
    data: DatasetRef = Field(title="Dataset", description="Dataset for the teacher to answer.")
    splits: Annotated[list[Literal["train", "pool"]], Labels({"train": "Training", "pool": "Unlabelled"})] = Field(
        ["pool"],
        title="Splits to answer",
        description="Usually the unlabelled rows. Validation and test are never trained on, so they are not available.",
        min_length=1,
    )
    include_labelled: bool = Field(
        True,
        title="Keep labelled rows",
        description="Adds human-labelled training rows unchanged. No effect if the training rows are answered too.",
    )
    prompt: str = Field(
        "",
        title="Teacher prompt",
        description="Prompt for the teacher: {input} is the row's text, {labels} the list of labels. "
        "Blank uses the dataset's own, as the student always does.",
        max_length=20_000,
    )
    max_rows: int = Field(
        0, title="Maximum rows", description="Answers only the first rows, for quick tests. 0 answers all.", ge=0
    )
    keep_labels_only: bool = Field(
        True,
        title="Drop invalid labels",
        description="With labels: drops answers that mean none of them. Bold, JSON and “Label: x” are understood.",
    )
    name: Name = ""


@dataclass
class _Tally:
    """What became of the asked rows; `dropped`: reason -> rows; `odd`: replies that were dropped or read leniently."""

    rows: list[Row] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    odd: list[OddReply] = field(default_factory=list)
    compared: int = 0
    agreed: int = 0


def check(params: TeacherParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_answerer(params, world) + check_ensemble(params)
    problems += check_best_of_n(params, world) + check_teaching(params, world)
    if params.prompt and "{input}" not in params.prompt:
        problems.append(Problem(code="chat.prompt_input", field="prompt"))
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    if rows is not None and not any(rows.get(split, 0) for split in params.splits):
        args = {"ref": params.data, "splits": ", ".join(params.splits)}
        problems.append(Problem(code="chat.no_rows", args=args, field="splits"))
    asked = quote(params, world)
    personal = check_personal(params, params.data, world)
    problems += [each for each in personal if each.blocking]
    warnings = check_teacher(params, params.data, asked, world) + [each for each in personal if not each.blocking]
    return (problems or check_fits(asked, world)) + warnings


def quote(params: TeacherParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = _asked_count(params, facts)
    load = time_estimates.Load.of(facts, rows, params.max_new_tokens, extra_chars=_extra_chars(params, facts))
    if params.rationale and not params.max_new_tokens:
        load = load.model_copy(update={"answer": load.answer + RATIONALE_TOKENS / 2})
    parts = [
        answer_quote(teacher, load.model_copy(update={"rows": count * params.samples}), world, price_share(teacher))
        for teacher, count in zip(teacher_params(params), rows_per_teacher(params, rows), strict=True)
    ]
    if params.combine == "best_of_n":
        parts.append(quote_best_of_n(params, facts, rows, world))
    split = dict(facts.get("rows", {}))
    kept = params.include_labelled and "train" not in params.splits
    labelled = split.get("train", 0) if kept else 0
    steps = facts.get("rationales", 0) if kept else 0
    chars = _RATIONALE_CHARS if params.rationale else facts.get("rationale_chars", 0.0)
    return Quote(
        seconds=sum(part.seconds for part in parts),
        memory_bytes=max(part.memory_bytes for part in parts),
        disk_bytes=int(load.data_bytes),
        tokens=sum(part.tokens for part in parts),
        money=sum(part.money for part in parts),
        forecast={
            **{**facts, "rows": {**split, "train": rows + labelled, "pool": 0}},
            **{"rationales": steps + (rows if params.rationale else 0), "rationale_chars": chars},
        },
    )


def run(params: TeacherParams, ctx: Context) -> Result:
    begun = time.monotonic()
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = rows_to_ask(params, data)
    if not rows:
        raise StudioError("chat.no_rows", ref=source.name, splits=", ".join(params.splits))
    strict = params.keep_labels_only and data.template.answer == "label"
    sent = rows_to_send(
        params.personal_data, bool(leaving(params, ctx.endpoint)), rows, data.template, source.name, ctx.log
    )
    rows = sent if data.template.answer != "label" else rows
    sampled = ask_teachers(
        params, ctx, data, rows, [teacher_messages(params, data.template, row) for row in sent], strict
    )
    judgements = best_of_n(params, ctx, data.template, sent, sampled) if params.combine == "best_of_n" else None
    if sampled.cached:
        ctx.log(f"{sampled.cached} of {sampled.cached + sampled.asked} answers were there already.")
    teacher = " + ".join(sampled.names)
    people = human_answers(source, ctx.input) if source.facts.get("teacher") else None
    tally = _select(params, data.template, rows, sampled, judgements, people)
    folder = _write(params, ctx, data, tally)
    write_replies(folder / REPLIES_FILE, tally.odd)
    facts = _facts(folder, source, teacher, sampled, tally) | ({"judge": judgements.judge} if judgements else {})
    views = [*sampled.views, *([judgements.view] if judgements and judgements.view else [])]
    parents = list(dict.fromkeys([source.id, *(view.id for view in views)]))
    name = params.name or f"{source.name}-by-{teacher}"[:100]
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=parents, license=source.license)
    ctx.progress(1, 1, "done")
    metrics = _metrics(sampled, judgements, tally, len(rows)) | {"seconds": time.monotonic() - begun}
    findings = find_unusable(tally.dropped, len(rows), teacher)
    return Result(artifact=made.id, metrics=metrics, findings=findings)


def _extra_chars(params: TeacherParams, facts: dict[str, Any]) -> int:
    listed = label_chars(params, facts.get("labels") or [])
    return len(params.prompt) + listed + (len(params.rationale_request) if params.rationale else 0)


def rows_to_ask(params: TeacherParams, data: DataFolder, most: int = 0) -> list[Row]:
    """The rows that the teacher answers; `most` of them, 0 for all."""
    limit = min(params.max_rows or sys.maxsize, most or sys.maxsize)
    return list(islice((row for split in params.splits for row in data.rows(split)), limit))


def _asked_count(params: TeacherParams, facts: dict[str, Any]) -> int:
    there: int = sum(facts.get("rows", {}).get(split, 0) for split in params.splits)
    return min(there, params.max_rows) if params.max_rows else there


def teacher_messages(params: TeacherParams, template: Template, row: Row) -> list[Message]:
    """What the teacher is asked about a row, but for labels and rationale."""
    if not params.prompt:
        return template.prompt(row)
    user = params.prompt.replace("{labels}", ", ".join(template.labels))
    return template.model_copy(update={"user": user}).prompt(row)


def _select(
    params: TeacherParams,
    template: Template,
    rows: list[Row],
    sampled: EnsembleSamples,
    judgements: Judgements | None,
    people: HumanAnswers | None,
) -> _Tally:
    """Keep what won and can be learned, compare with people where they answered. `people`: see `_gold`."""
    tally = _Tally()
    ignore_case = template.answer == "text"
    winners = (
        judgements.winners
        if judgements
        else [voting.majority_vote(samples, ignore_case) for samples in sampled.samples]
    )
    scores = judgements.scores if judgements else [[] for _ in rows]
    for row, won, scored in zip(rows, winners, scores, strict=True):
        unsure = won.confidence is not None and won.confidence < params.min_confidence
        reason = won.reject_reason or ("unsure" if unsure else None)
        if reason or won.raw:
            tally.odd.append(OddReply(row.id, won.raw or won.answer, None if reason else won.answer, reason))
        if reason:
            tally.dropped[reason] += 1
            continue
        gold = _gold(row, people)
        if gold is not None:
            tally.compared += 1
            tally.agreed += won.answer == gold.strip()
        sure = None if won.confidence is None else round(won.confidence, 4)
        about = {"output": won.answer, "gold": gold, "confidence": sure, "rationale": won.rationale, "scores": scored}
        tally.rows.append(row.model_copy(update=about))
    if not tally.rows:
        names, example = " + ".join(sampled.names), shown(tally.odd[0].reply)
        raise StudioError(
            none_usable(tally.dropped), count=len(rows), teacher=names, example=example, marker=params.marker
        )
    return tally


def _gold(row: Row, people: HumanAnswers | None) -> str | None:
    """The person's answer. `people`: the rows that people labelled where another teacher answered before, else None."""
    earlier_teachers = people is not None and (row.id, hash(row.output)) not in people
    return row.gold if earlier_teachers else gold_answer(row)


def _write(params: TeacherParams, ctx: Context, data: DataFolder, tally: _Tally) -> Path:
    out: Path = ctx.scratch("out")
    labelled, names = [], ["validation.jsonl", "test.jsonl", "template.json", "NOTICE"]
    if params.include_labelled and "train" not in params.splits:
        labelled = list(data.rows("train"))
        names += ["decisions.jsonl", REJECTED_FILE]  # of a review: the rows that it is about stay as they are
    write_split(out, "train", [*(row for row in labelled if row.output is not None), *tally.rows])
    for name in names:
        if (data.path / name).is_file():
            shutil.copyfile(data.path / name, out / name)
    return out


def _facts(folder: Path, source: Any, teacher: str, sampled: EnsembleSamples, tally: _Tally) -> dict[str, Any]:
    local = [view.id for view in sampled.views] if len(sampled.views) == len(sampled.names) else []
    facts = {**source.facts, **data_facts(folder), "teacher": teacher, "teachers": local}
    facts |= {"answered": len(tally.rows), "cached": sampled.cached, "dropped": tally.dropped.total()}
    return facts | _quality(tally)


def _metrics(sampled: EnsembleSamples, judgements: Judgements | None, tally: _Tally, rows: int) -> dict[str, float]:
    metrics: dict[str, float] = {
        "rows": rows,
        "answered": len(tally.rows),
        "cut_off": sampled.truncated / sampled.replies,
    }
    metrics |= {"asked": sampled.asked, "cached": sampled.cached} | (judgements.metrics() if judgements else {})
    metrics |= {"dropped": tally.dropped.total(), "lenient": sum(odd.answer is not None for odd in tally.odd)}
    metrics |= {f"dropped_{reason}": count for reason, count in sorted(tally.dropped.items())}
    return {name: float(value) for name, value in (metrics | _quality(tally) | sampled.budget.metrics()).items()}


def _quality(tally: _Tally) -> dict[str, float]:
    """Agreement with people and mean confidence, as far as they are known."""
    sure = [row.confidence for row in tally.rows if row.confidence is not None]
    found = {"agreement": tally.agreed / tally.compared} if tally.compared else {}
    return found | ({"confidence": sum(sure) / len(sure)} if sure else {})


STAGE = Stage(
    name="teacher",
    title="Ask the teacher",
    page="teacher",
    open=("data", "splits", "prompt", "samples", "batch"),
    offers={"model": ("preference", "finetune", "distill"), "data": ("generate", "dataset")},
    kind=Kind.DATASET,
    params=TeacherParams,
    result=Result,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "voice-commands", "splits": ["pool"]},
)
