"""Filter a dataset: rows that a model should not learn from are taken out, counted and kept aside.

Needs a dataset with answers. Leaves a dataset whose train split holds what stayed; validation, test, pool and template are
the dataset's own. Beside them: `drops.json` (how many rows went and why), `dropped.jsonl` (those rows), `quality.json`
(variety and classes before and after) and `map.json` (rows as points in the plane). What people accepted or wrote in a
review stays whatever the filters say, unless it is in validation or test.
"""

from __future__ import annotations

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.messages.words import DROPS
from backend.core.progress import Progress
from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data import filter_report
from backend.data.curation import CurationResult, RowDecision, curate
from backend.data.dataset import DataFolder, Row, gold_answer
from backend.data.decisions import accepted_rows
from backend.data.facts import data_facts
from backend.data.filter_report import NEAR_DUPLICATE_THRESHOLD, FilterReport
from backend.data.filters import FilterParams, check_filters

_SECONDS, _ROW_SECONDS = 2.0, 0.0004
_MEMORY, _ROW_MEMORY = 215_000_000, 4_000
"""Imports and files, and each row of 60 characters: 8,000 rows of the demo took 4.1 s of one core and 238 MB, 98 rows
217 MB."""
_LANGUAGE_SECONDS, _LANGUAGE_MEMORY = 0.6, 85_000_000
"""The guess of languages; its 25 microseconds a row don't count."""


class _Inputs(Params):
    data: DatasetRef = Field(
        title="Dataset",
        description="Dataset whose training rows are filtered, usually answered by a teacher.",
    )


class CurateParams(FilterParams, _Inputs):
    """What the form, the command line and recipes offer."""

    name: Name = ""


class CurateResult(Result):
    """Metrics: rows, kept, dropped, dropped_<reason>, distinct_2 and near_duplicates before and after, agreement."""


def check(params: CurateParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + check_filters(params)
    known = world.describe(params.data)
    rows = known.facts.get("rows") if known else None
    if rows is not None and not rows.get("train", 0):
        problems.append(Problem(code="synth.no_answers", args={"ref": params.data}, field="data"))
    if params.balance != "none" and known and known.facts.get("answer") == "text":
        problems.append(Problem(code="synth.balance_text", field="balance"))
    return problems or check_fits(quote(params, world), world)


def quote(params: CurateParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = facts.get("rows", {})
    guessed = params.language != "any" and facts.get("answer") == "text"
    chars = facts.get("prompt_chars", 100.0) + facts.get("answer_chars", 20.0)
    work = rows.get("train", 0) * max(1.0, chars / 60)
    return Quote(
        seconds=(_SECONDS + guessed * _LANGUAGE_SECONDS + work * _ROW_SECONDS) / world.speed(),
        memory_bytes=int(_MEMORY + guessed * _LANGUAGE_MEMORY + work * _ROW_MEMORY),
        disk_bytes=int((chars + 150) * sum(rows.values())),
        forecast=facts,
    )


def run(params: CurateParams, ctx: Context) -> CurateResult:
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    rows = list(data.rows("train"))
    if not rows:
        raise StudioError("synth.no_answers", ref=source.name)
    progress = Progress(ctx, 2 * len(rows), "analyzing rows")
    held_out = [row for split in ("validation", "test") for row in data.rows(split)]
    decisions = {row: RowDecision(accept=True) for row in accepted_rows(data.path)}
    found = curate(params, data.template, rows, held_out, decisions, seed=ctx.seed, tick=progress.add)
    if not found.kept:
        reason, count = max(found.counts.items(), key=lambda item: item[1])
        raise StudioError("synth.nothing_left", rows=len(rows), reason=DROPS[reason], count=count)
    ctx.progress(2 * len(rows), 2 * len(rows), "writing")
    report = filter_report.build_report(
        rows, found.kept, found.drops, data.template.labels, params.near_duplicates or NEAR_DUPLICATE_THRESHOLD
    )
    folder = ctx.scratch("out")
    filter_report.write_filtered_dataset(folder, data.path, found.kept, report, found.drops)
    agreement = _agreement(found.kept)
    facts = {**source.facts, **data_facts(folder), **agreement, "curated": found.counts}
    name = params.name or f"{source.name}-curated"[:100]
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=[source.id], license=source.license)
    ctx.progress(1, 1, "done")
    return CurateResult(artifact=made.id, metrics=_metrics(report, found) | agreement)


def _agreement(rows: list[Row]) -> dict[str, float]:
    """Share of the teacher's answers that are the person's, where both are known."""
    known = [row for row in rows if row.gold is not None]
    right = sum((row.output or "").strip() == (gold_answer(row) or "").strip() for row in known)
    return {"agreement": right / len(known)} if known else {}


def _metrics(report: FilterReport, found: CurationResult) -> dict[str, float]:
    metrics: dict[str, float] = {
        "rows": report.before.rows,
        "kept": report.after.rows,
        "dropped": len(found.drops),
        **{f"dropped_{reason}": count for reason, count in found.counts.items()},
        "distinct_2": report.after.distinct_2,
        "near_duplicates_before": report.before.near_duplicates,
        "near_duplicates": report.after.near_duplicates,
    }
    return {name: float(value) for name, value in metrics.items()}


STAGE = Stage(
    name="curate",
    title="Filter the rows",
    page="teacher",
    open=("data", "min_confidence", "near_duplicates", "balance"),
    offers={"data": ("judge", "teacher", "dataset")},
    kind=Kind.DATASET,
    params=CurateParams,
    result=CurateResult,
    check=check,
    quote=quote,
    run=run,
    example={"data": "voice-commands", "min_confidence": 0.5},
)
