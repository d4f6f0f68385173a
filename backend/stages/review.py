"""Review: people's decisions on a teacher's answers, or on rows that a check doubts, become a new version of the dataset.

Needs a dataset with a teacher's answers, or a report of the stage Check data, and decisions (those of the page Review as they
stand at the start, or a file that it exported). Leaves the dataset with what people accepted or wrote, which also is the
person's answer (`gold`) of what a teacher answered; without what they rejected; rows that nobody reviewed stay or go. Rows
that people had labelled stay as they are unless the report names them; then decisions are about validation rows too, and
about test rows only when they are asked for.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import FilePath, Labels, Name
from backend.core.refs import DatasetRef, ReportRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.dataset import REJECTED_FILE, DataFolder, Row, write_split
from backend.data.decisions import Decision, decision_lines, read_decisions
from backend.data.facts import data_facts
from backend.data.gates.report import REPORT, read_doubts
from backend.data.human_changes import changes_problems, changes_quote, with_changes
from backend.data.review_order import HumanAnswers, human_answers, is_teacher_answer
from backend.stats.intervals import wilson_interval


class ReviewParams(Params):
    data: DatasetRef = Field(title="Dataset", description="Dataset whose answers were reviewed.")
    report: ReportRef | None = Field(
        None,
        title="Report",
        description="Report of “Check data” whose flagged rows are reviewed, whoever answered them.",
    )
    test: bool = Field(
        False,
        title="Include test rows",
        description="With a report: decisions also change test rows, so earlier results are not comparable.",
    )
    unreviewed: Annotated[Literal["keep", "drop"], Labels({"keep": "Keep", "drop": "Drop"})] = Field(
        "keep",
        title="Unreviewed rows",
        description="Keeping them gives more training data; dropping them leaves only reviewed answers.",
    )
    decisions: FilePath = Field(
        "",
        title="Decisions",
        description="File exported from the Review page (JSON Lines). Leave blank to use the current decisions.",
    )
    name: Name = ""


class ReviewResult(Result):
    """Metrics: rows, accepted, edited, rejected, unreviewed, agreement."""


def check(params: ReviewParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    problems += changes_problems(params.data, params.decisions, read_decisions, "review.pending", world)
    known = world.describe(params.data)
    report = world.describe(params.report) if params.report else None
    if report and report.facts.get("report") != REPORT:
        problems.append(Problem(code="gates.report_other", args={"ref": params.report}, field="report"))
    if known and not known.pending and not known.facts.get("teacher") and not params.report:
        problems.append(Problem(code="review.no_teacher", args={"ref": params.data}, field="data"))
    return problems or check_fits(quote(params, world), world)


def quote(params: ReviewParams, world: World) -> Quote:
    return changes_quote(params.data, world)


def freeze(params: ReviewParams, studio: Any) -> ReviewParams:
    return with_changes(params, "decisions", params.data, studio.reviews)


def run(params: ReviewParams, ctx: Context) -> ReviewResult:
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    review = _reviewing(params, ctx, source)
    rows = data.count("train")
    ctx.progress(0, rows, "applying the decisions")
    folder = _write(params, ctx, data, review)
    tally = review.tally
    _report(ctx, source.name, review.decisions, tally)
    if not data_facts(folder)["rows"]["train"]:
        raise StudioError("review.nothing_left", ref=source.name)
    counts = {name: tally[name] for name in ("accepted", "edited", "rejected", "unreviewed")}
    facts = {**source.facts, **data_facts(folder), "review": counts | _agreement(tally)}
    if params.report:
        facts["review"]["report"] = ctx.input(params.report).id
    name = params.name or f"{source.name}-reviewed"
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=[source.id], license=source.license)
    ctx.progress(rows, rows, "done")
    metrics = {"rows": facts["rows"]["train"], **counts, "agreement": facts["review"]["agreement"]}
    return ReviewResult(artifact=made.id, metrics={key: float(value) for key, value in metrics.items()})


@dataclass
class _Review:
    """Which rows a decision may be about, and what became of them. `named`: split -> ids of the rows of a report, None
    without a report; `teacher`: whether there are a teacher's answers; `drop`: rows to review that nobody reviewed go."""

    decisions: dict[str, Decision]
    named: dict[str, set[str]] | None
    teacher: bool
    known: HumanAnswers
    drop: bool
    tally: Counter[str] = field(default_factory=Counter)

    def apply(self, split: str, row: Row) -> Row | None:
        """The row as people left it; None when it goes."""
        answered = split == "train" and self.teacher and is_teacher_answer(row, self.known)
        asked = answered if self.named is None else row.id in self.named.get(split, ())
        if not answered and not asked:
            return row
        said = self.decisions.get(row.id, Decision(row=row.id))
        if said.verdict or asked:
            self.tally[said.verdict or "unreviewed"] += 1
        if said.verdict == "accepted":
            return row.model_copy(update={"gold": row.output}) if answered else row
        if said.verdict == "edited":  # the teacher's confidence and rationale are about another answer
            gold = said.output if answered or row.gold is not None else None
            return row.model_copy(update={"output": said.output, "gold": gold, "confidence": None, "rationale": None})
        return None if said.verdict == "rejected" or (asked and self.drop) else row


def _reviewing(params: ReviewParams, ctx: Context, source: ArtifactView) -> _Review:
    named: dict[str, set[str]] | None = None
    if params.report:
        report = ctx.input(params.report)
        if report.facts.get("data") != source.id:
            raise StudioError("review.report_other", field="report", ref=source.name, report=report.name)
        named = {}
        for doubt in read_doubts(report.path, params.test):
            named.setdefault(doubt.split, set()).add(doubt.row)
    teacher = bool(source.facts.get("teacher"))
    known: HumanAnswers = human_answers(source, ctx.input) if teacher else set()
    return _Review(read_decisions(Path(params.decisions)), named, teacher, known, params.unreviewed == "drop")


def _write(params: ReviewParams, ctx: Context, data: DataFolder, review: _Review) -> Path:
    out: Path = ctx.scratch("out")
    changed = ["train", *(split for split in ("validation", "test") if (review.named or {}).get(split))]
    for split in changed:
        write_split(out, split, _rows(ctx, data, split, review))
    if "test" in changed:
        ctx.log("Test rows may have changed: results before and after can't be compared.", "warning")
    for name in ("validation.jsonl", "test.jsonl", "pool.jsonl", REJECTED_FILE, "template.json", "NOTICE"):
        if (data.path / name).is_file() and Path(name).stem not in changed:
            shutil.copyfile(data.path / name, out / name)
    earlier = data.path / "decisions.jsonl"  # of a review before this one
    said = (read_decisions(earlier) if earlier.is_file() else {}) | review.decisions
    (out / "decisions.jsonl").write_text(decision_lines(said.values()), encoding="utf-8")
    return out


def _rows(ctx: Context, data: DataFolder, split: str, review: _Review) -> Iterator[Row]:
    for number, row in enumerate(data.rows(split)):
        if number % 1000 == 0:
            ctx.raise_if_cancelled()
        if (left := review.apply(split, row)) is not None:
            yield left


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
