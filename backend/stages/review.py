"""Review: people's decisions on a teacher's answers become a new version of the dataset.

Needs a dataset with a teacher's answers, and decisions (those of the page Review as they stand at the start, or a file that
it exported). Leaves the dataset with what people accepted or wrote, which also is the person's answer (`gold`) then; without
what they rejected; rows that nobody reviewed stay or go. Rows that people had labelled stay as they are.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import FilePath, Labels, Name
from backend.core.refs import DatasetRef, reference_id
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.dataset import DataFolder, Row, data_facts, write_split
from backend.data.decisions import Decision, decision_lines, read_decisions
from backend.data.review_order import HumanAnswers, human_answers, is_teacher_answer
from backend.stats.intervals import wilson_interval

_ROWS_PER_SECOND = 10_000
_BASE_MEMORY = 80_000_000


class ReviewParams(Params):
    data: DatasetRef = Field(title="Dataset", description="The dataset whose answers people have reviewed.")
    unreviewed: Annotated[Literal["keep", "drop"], Labels({"keep": "Keep", "drop": "Drop"})] = Field(
        "keep",
        title="Rows not reviewed",
        description="Keeping them leaves more to learn from; dropping them leaves only answers that somebody has seen.",
    )
    decisions: FilePath = Field(
        "",
        title="Decisions",
        description="A file that the page Review has exported, as JSON lines. Leave it empty to take the decisions as they "
        "stand at the start.",
    )
    name: Name = ""


class ReviewResult(Result):
    """Metrics: rows, accepted, edited, rejected, unreviewed, agreement."""


def check(params: ReviewParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    known = world.describe(params.data)
    if params.decisions:
        try:
            read_decisions(Path(params.decisions))
        except StudioError as error:
            problems += error.problems
    elif known and known.pending:
        problems.append(Problem(code="review.pending", args={"ref": params.data}, field="data"))
    if known and not known.pending and not known.facts.get("teacher"):
        problems.append(Problem(code="review.no_teacher", args={"ref": params.data}, field="data"))
    return problems or check_fits(quote(params, world), world)


def quote(params: ReviewParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = sum(facts.get("rows", {}).values())
    text = facts.get("prompt_chars", 0) + facts.get("answer_chars", 0)
    return Quote(
        seconds=(0.5 + rows / _ROWS_PER_SECOND) / world.speed(),
        memory_bytes=_BASE_MEMORY + int(200 * rows),
        disk_bytes=int(rows * (text * 1.1 + 60)),
        forecast=facts,
    )


def freeze(params: ReviewParams, studio: Any) -> ReviewParams:
    """The decisions as they stand now: what people decide later belongs to the next version."""
    if params.decisions or reference_id(params.data):
        return params
    return params.model_copy(update={"decisions": str(studio.reviews.freeze(params.data))})


def run(params: ReviewParams, ctx: Context) -> ReviewResult:
    source = ctx.input(params.data)
    decisions = read_decisions(Path(params.decisions))
    data = DataFolder(source.path)
    rows = data.count("train")
    ctx.progress(0, rows, "applying the decisions")
    tally: Counter[str] = Counter()
    folder = _write(params, ctx, data, _reviewed(params, ctx, data, decisions, tally, source))
    _report(ctx, source.name, decisions, tally)
    if not data_facts(folder)["rows"]["train"]:
        raise StudioError("review.nothing_left", ref=source.name)
    counts = {name: tally[name] for name in ("accepted", "edited", "rejected", "unreviewed")}
    facts = {**source.facts, **data_facts(folder), "review": counts | _agreement(tally)}
    name = params.name or f"{source.name}-reviewed"
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=[source.id], license=source.license)
    ctx.progress(rows, rows, "done")
    metrics = {"rows": facts["rows"]["train"], **counts, "agreement": facts["review"]["agreement"]}
    return ReviewResult(artifact=made.id, metrics={key: float(value) for key, value in metrics.items()})


def _reviewed(
    params: ReviewParams,
    ctx: Context,
    data: DataFolder,
    decisions: dict[str, Decision],
    tally: Counter[str],
    source: Any,
) -> Iterator[Row]:
    """The training rows that stay, as people left them."""
    known: HumanAnswers = human_answers(source, ctx.input)
    for number, row in enumerate(data.rows("train")):
        if number % 1000 == 0:
            ctx.raise_if_cancelled()
        if not is_teacher_answer(row, known):
            yield row
            continue
        said = decisions.get(row.id, Decision(row=row.id))
        tally[said.verdict or "unreviewed"] += 1
        if said.verdict == "accepted":
            yield row.model_copy(update={"gold": row.output})
        elif said.verdict == "edited":  # the teacher's confidence and rationale are about another answer
            yield row.model_copy(
                update={"output": said.output, "gold": said.output, "confidence": None, "rationale": None}
            )
        elif said.verdict is None and params.unreviewed == "keep":
            yield row


def _write(params: ReviewParams, ctx: Context, data: DataFolder, rows: Iterator[Row]) -> Path:
    out: Path = ctx.scratch("out")
    write_split(out, "train", rows)
    for name in ("validation.jsonl", "test.jsonl", "pool.jsonl", "template.json", "NOTICE"):
        if (data.path / name).is_file():
            shutil.copyfile(data.path / name, out / name)
    earlier = data.path / "decisions.jsonl"  # of a review before this one
    said = (read_decisions(earlier) if earlier.is_file() else {}) | read_decisions(Path(params.decisions))
    (out / "decisions.jsonl").write_text(decision_lines(said.values()), encoding="utf-8")
    return out


def _report(ctx: Context, name: str, decisions: dict[str, Decision], tally: Counter[str]) -> None:
    used = tally["accepted"] + tally["edited"] + tally["rejected"]
    if not used:
        raise StudioError("review.other_rows", ref=name, count=len(decisions))
    if used < len(decisions):
        ctx.log(f"{len(decisions) - used} of {len(decisions)} decisions are about rows that are not here.", "warning")
    ctx.log(f"Reviewed answers: {used}, of them accepted {tally['accepted']}, corrected {tally['edited']}.")


def _agreement(tally: Counter[str]) -> dict[str, float]:
    """The share of the reviewed answers that people took as they were, with its 95 % interval."""
    n = tally["accepted"] + tally["edited"] + tally["rejected"]
    low, high = wilson_interval(tally["accepted"], n)
    return {"agreement": tally["accepted"] / n, "agreement_low": low, "agreement_high": high}


STAGE = Stage(
    name="review",
    title="Apply the review",
    page="review",
    open=("data", "unreviewed", "name"),
    kind=Kind.DATASET,
    params=ReviewParams,
    result=ReviewResult,
    check=check,
    quote=quote,
    run=run,
    freeze=freeze,
    queue="light",
    example={"data": "voice-commands-by-teacher", "unreviewed": "keep"},
)
