"""A teacher answers the rows of a dataset: a model of the studio, or any OpenAI-compatible endpoint.

Needs a dataset and a teacher. Leaves a dataset whose train split holds the teacher's answers (a person's answer stays in
`gold`) and, if wanted, the rows that people labelled; validation, test and template are the dataset's own. Every answer is
kept by content as soon as it is there: a stopped job asks only the rest, and a second run is free.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from backend.chat import pace
from backend.chat.answerer import (
    Answerer,
    AnswererParams,
    answerer_facts,
    check_answerer,
    check_teacher,
    endpoint_money,
    open_answerer,
    sampling_identity,
)
from backend.chat.cache import AnswerCache, prompt_key
from backend.chat.engine import Sampling, answer_tokens, truth
from backend.chat.pulse import Pulse
from backend.data.rows import DataFolder, Message, Row, Template, data_facts, write_split
from backend.errors import Problem, StudioError
from backend.models import costs
from backend.schemas import Kind, Quote
from backend.stages.base import DatasetRef, Result, Stage, World, check_fits, check_refs

EMPTY_LIMIT = 20


class TeacherParams(AnswererParams):
    data: DatasetRef = Field(title="Dataset", description="The dataset whose rows the teacher answers.")
    splits: list[Literal["train", "pool"]] = Field(
        ["pool"],
        title="Splits to answer",
        description="Usually the pool: rows without an answer. Validation and test are never learned from, so they "
        "can't be chosen.",
        min_length=1,
    )
    include_labelled: bool = Field(
        True,
        title="Keep labelled rows",
        description="Adds the training rows that people answered, as they are. Has no effect when the training rows "
        "themselves are answered.",
    )
    prompt: str = Field(
        "",
        title="Prompt for the teacher",
        description="What the teacher is asked: {input} marks the row's text, {labels} the list of labels. Empty: "
        "the dataset's own, which the student always learns with.",
        max_length=20_000,
    )
    temperature: float = Field(
        0.0,
        title="Temperature",
        description="0 always takes the likeliest answer, which suits labels. Higher values give more varied and "
        "less certain answers.",
        ge=0,
        le=2,
    )
    max_rows: int = Field(
        0, title="Rows at most", description="Answer only the first rows, to try things out. 0 answers all.", ge=0
    )
    keep_labels_only: bool = Field(
        True,
        title="Drop answers that are no label",
        description="With labels: an answer that is not exactly one of them is dropped and counted, so that the "
        "student doesn't learn it.",
    )
    name: str = Field(
        "",
        title="Name",
        description="What the result is called. Leave it empty and it is named after what it is made from.",
        max_length=100,
    )


class TeacherResult(Result):
    pass


@dataclass
class _Tally:
    """What became of the asked rows."""

    rows: list[Row] = field(default_factory=list)
    asked: int = 0
    cached: int = 0
    dropped: int = 0
    compared: int = 0
    agreed: int = 0
    example: str = ""


def check(params: TeacherParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_answerer(params, world)
    if params.prompt and "{input}" not in params.prompt:
        problems.append(Problem(code="chat.prompt_input", field="prompt"))
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    if rows is not None and not any(rows.get(split, 0) for split in params.splits):
        args = {"ref": params.data, "splits": ", ".join(params.splits)}
        problems.append(Problem(code="chat.no_rows", args=args, field="splits"))
    asked = quote(params, world)
    return (problems or check_fits(asked, world)) + check_teacher(params, params.data, asked, world)


def quote(params: TeacherParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = _asked_count(params, facts)
    load = pace.Load.of(facts, rows, params.max_new_tokens, extra_chars=len(params.prompt))
    model = answerer_facts(params, world)
    seconds = pace.answer_seconds(model, load) if params.model else pace.endpoint_seconds(load, params.concurrency)
    split = dict(facts.get("rows", {}))
    labelled = split.get("train", 0) if params.include_labelled and "train" not in params.splits else 0
    return Quote(
        seconds=seconds / (world.speed() if params.model else 1.0),
        memory_bytes=costs.answer_bytes(model) if params.model else pace.PLAIN_MEMORY,
        disk_bytes=int(load.data_bytes),
        tokens=0 if params.model else int(load.tokens),
        money=endpoint_money(params.endpoint, world, load),
        forecast={**facts, "rows": {**split, "train": rows + labelled, "pool": 0}},
    )


def run(params: TeacherParams, ctx: Any) -> TeacherResult:
    begun = time.monotonic()
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = _rows_to_ask(params, data)
    if not rows:
        raise StudioError("chat.no_rows", ref=source.name, splits=", ".join(params.splits))
    ctx.progress(0, len(rows), "opening the teacher")
    answerer = open_answerer(params, ctx)
    try:
        sampling = _sampling(params, ctx, data, answerer)
        tally = _Tally()
        answers = _all_answers(params, ctx, answerer, data.template, rows, sampling, tally)
    finally:
        answerer.engine.close()
    _sort(params, data.template, rows, answers, tally, answerer.name)
    folder = _write(params, ctx, data, tally)
    facts = _facts(folder, source, answerer.name, tally)
    parents = [source.id, *([answerer.view.id] if answerer.view else [])]
    name = params.name or f"{source.name}-by-{answerer.name}"
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=parents, license=source.license)
    ctx.progress(len(rows), len(rows), "done")
    metrics = _metrics(tally, len(rows), time.monotonic() - begun) | answerer.spend.metrics()
    return TeacherResult(artifact=made.id, metrics=metrics)


def _rows_to_ask(params: TeacherParams, data: DataFolder) -> list[Row]:
    rows = [row for split in params.splits for row in data.rows(split)]
    return rows[: params.max_rows] if params.max_rows else rows


def _asked_count(params: TeacherParams, facts: dict[str, Any]) -> int:
    there: int = sum(facts.get("rows", {}).get(split, 0) for split in params.splits)
    return min(there, params.max_rows) if params.max_rows else there


def _sampling(params: TeacherParams, ctx: Any, data: DataFolder, answerer: Answerer) -> Sampling:
    room = params.max_new_tokens
    if not room:
        known = [row.output for row in data.rows("train") if row.output is not None]
        encoder = getattr(answerer.engine, "encoder", None)
        # An endpoint's tokenizer is unknown: a token for every second character is room enough in any language.
        room = answer_tokens(
            data.template, known, lambda text: len(encoder.ids(text)) if encoder else len(text) // 2 + 4
        )
    return Sampling(max_new_tokens=room, temperature=params.temperature, seed=ctx.seed)


def _messages(params: TeacherParams, template: Template, row: Row) -> list[Message]:
    if not params.prompt:
        return template.prompt(row)
    user = params.prompt.replace("{labels}", ", ".join(template.labels))
    return template.model_copy(update={"user": user}).prompt(row)


def _all_answers(
    params: TeacherParams,
    ctx: Any,
    answerer: Answerer,
    template: Template,
    rows: list[Row],
    sampling: Sampling,
    tally: _Tally,
) -> list[str]:
    """One answer per row, in order: from the cache, else asked now. Equal prompts are asked once."""
    messages = {prompt_key(asked): asked for row in rows if (asked := _messages(params, template, row))}
    keys = [prompt_key(_messages(params, template, row)) for row in rows]
    cache = AnswerCache(ctx.cache / "teacher", {**answerer.identity, **sampling_identity(sampling)})
    try:
        found = cache.find(messages)
        tally.cached = sum(key in found for key in keys)
        if tally.cached:
            ctx.log(f"{tally.cached} of {len(rows)} answers were there already.")
        missing = [key for key in messages if key not in found]
        tally.asked = len(missing)
        pulse = Pulse(ctx, len(messages), "asking the teacher", done=len(found))
        _ask(params, answerer, [messages[key] for key in missing], missing, sampling, cache, found, pulse)
    finally:
        cache.close()
    return [found[key] for key in keys]


def _ask(
    params: TeacherParams,
    answerer: Answerer,
    prompts: list[list[Message]],
    keys: list[str],
    sampling: Sampling,
    cache: AnswerCache,
    found: dict[str, str],
    pulse: Pulse,
) -> None:
    """Fill `found` and the cache. An empty answer of an endpoint is not kept, so that a later run asks again."""
    engine = answerer.engine
    if hasattr(engine, "kept"):
        engine.kept = len(found)
    empty = 0
    encoded = [engine.encode(prompt) for prompt in prompts]
    for count, (index, text) in enumerate(engine.answers(encoded, sampling, pulse, params.batch_size), start=1):
        found[keys[index]] = text.strip()
        if text.strip() or answerer.view:
            cache.keep(keys[index], text.strip())
        empty += not text.strip()
        if empty == count == EMPTY_LIMIT:
            raise StudioError("chat.teacher_empty", count=count, teacher=answerer.name)
        pulse.add()


def _sort(
    params: TeacherParams, template: Template, rows: list[Row], answers: list[str], tally: _Tally, teacher: str
) -> None:
    """Keep what can be learned, compare with people where they answered."""
    only = set(template.labels) if params.keep_labels_only and template.answer == "label" else None
    for row, answer in zip(rows, answers, strict=True):
        gold = truth(row)
        if not answer or (only is not None and answer not in only):
            tally.dropped += 1
            tally.example = tally.example or answer[:60]
            continue
        if gold is not None:
            tally.compared += 1
            tally.agreed += answer == gold.strip()
        tally.rows.append(row.model_copy(update={"output": answer, "gold": gold}))
    if not tally.rows:
        code = "chat.teacher_useless" if tally.example else "chat.teacher_empty"
        raise StudioError(code, count=len(rows), teacher=teacher, example=tally.example)


def _write(params: TeacherParams, ctx: Any, data: DataFolder, tally: _Tally) -> Path:
    out: Path = ctx.scratch("out")
    labelled = list(data.rows("train")) if params.include_labelled and "train" not in params.splits else []
    write_split(out, "train", [*(row for row in labelled if row.output is not None), *tally.rows])
    for name in ("validation.jsonl", "test.jsonl", "template.json", "NOTICE"):
        if (data.path / name).is_file():
            shutil.copyfile(data.path / name, out / name)
    return out


def _facts(folder: Path, source: Any, teacher: str, tally: _Tally) -> dict[str, Any]:
    facts = {**source.facts, **data_facts(folder), "teacher": teacher}
    facts |= {"answered": len(tally.rows), "cached": tally.cached, "dropped": tally.dropped}
    return facts | ({"agreement": tally.agreed / tally.compared} if tally.compared else {})


def _metrics(tally: _Tally, rows: int, seconds: float) -> dict[str, float]:
    metrics: dict[str, float] = {"rows": rows, "answered": len(tally.rows), "asked": tally.asked}
    metrics |= {"cached": tally.cached, "dropped": tally.dropped, "seconds": seconds}
    if tally.compared:
        metrics["agreement"] = tally.agreed / tally.compared
    return {name: float(value) for name, value in metrics.items()}


STAGE = Stage(
    name="teacher",
    title="Teacher",
    kind=Kind.DATASET,
    params=TeacherParams,
    result=TeacherResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "data": "voice-commands", "splits": ["pool"]},
)
