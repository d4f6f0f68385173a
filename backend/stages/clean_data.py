"""Clean a dataset: the fixes that a person chose, applied in a fixed order, make a new version of it.

Needs a dataset, and for `drop_rows` a report of the stage Check data or ids of rows. Leaves the dataset with fewer or changed
rows; counts of each fix and split are facts. A test or validation row never goes because training rows give it away: those
go. What placeholders such as [EMAIL_1] stand for is not stored anywhere.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field

from backend.core.artifacts import MANIFEST
from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, ReportRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data.filter_report import REPORT_FILES
from backend.data.gates.fixes import FIXES, Fixing
from backend.data.gates.quick import quick_facts
from backend.data.gates.registry import GATES, NAMES
from backend.data.gates.report import REPORT, row_ids
from backend.data.gates.rows import CheckedRows

if TYPE_CHECKING:
    FixName: TypeAlias = str
    GateName: TypeAlias = str
else:
    FixName, GateName = Literal[tuple(FIXES)], Literal[NAMES]

_BASE_SECONDS, _ROW_SECONDS, _PAIR_SECONDS = 2.0, 0.00008, 0.0004
_BASE_MEMORY, _ROW_MEMORY = 200_000_000, 2_500


class CleanDataParams(Params):
    data: DatasetRef = Field(title="Dataset", description="Dataset to clean; the original is kept.")
    fixes: Annotated[list[FixName], Labels({name: fix.title for name, fix in FIXES.items()})] = Field(
        [],
        title="Fixes",
        description="Fixes to apply: text repairs and masking first, then label merges, then dropped rows.",
    )
    near_duplicates: float = Field(
        0.8,
        title="Near-duplicate threshold",
        description="Inputs at least this similar (1: identical) are near duplicates.",
        ge=0.5,
        le=1,
    )
    report: ReportRef | None = Field(
        None,
        title="Report",
        description="Report of “Check data” that names the rows to drop.",
    )
    gates: Annotated[list[GateName], Labels({each.name: each.title for each in GATES})] = Field(
        [],
        title="Findings to drop",
        description="Checks in the report whose rows are dropped.",
    )
    rows: list[str] = Field(
        [],
        title="Rows to drop",
        description="Ids of further rows to drop.",
        max_length=100_000,
    )
    name: Name = ""


class CleanDataResult(Result):
    """Metrics: rows, kept, and changed or dropped rows by fix."""


def check(params: CleanDataParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if not params.fixes:
        problems.append(Problem(code="gates.no_fixes", field="fixes"))
    if "drop_rows" in params.fixes and not params.rows and not (params.report and params.gates):
        problems.append(Problem(code="gates.no_rows_named", field="rows"))
    known = world.describe(params.report) if params.report else None
    if known and known.facts.get("report") != REPORT:
        problems.append(Problem(code="gates.report_other", args={"ref": params.report}, field="report"))
    return problems or check_fits(quote(params, world), world)


def quote(params: CleanDataParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = sum(facts.get("rows", {}).values())
    chars = facts.get("prompt_chars", 60.0) + facts.get("answer_chars", 20.0)
    work = rows * max(1.0, chars / 80)
    pairs = len({"drop_near_duplicates", "drop_leaks"} & set(params.fixes))
    seconds = _BASE_SECONDS + work * (_ROW_SECONDS * (1 + len(params.fixes)) + _PAIR_SECONDS * pairs)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=int(_BASE_MEMORY + _ROW_MEMORY * work),
        disk_bytes=int(3 * rows * (chars * 1.1 + 60)),
        forecast=facts,
    )


def run(params: CleanDataParams, ctx: Context) -> CleanDataResult:
    source = ctx.input(params.data)
    chosen = [name for name in FIXES if name in params.fixes]
    before = len(CheckedRows(source.path))
    progress = Progress(ctx, max(1, before * len(chosen)), "reading")
    named = frozenset([*params.rows, *_report_rows(params, ctx)])
    fixing = Fixing(source.path, ctx.scratch("rounds"), params.near_duplicates, named, progress.add)
    for number, name in enumerate(chosen):
        progress.done = float(number * before)
        progress.add(0, FIXES[name].title)
        fixing.apply(name)
        ctx.log(f"{FIXES[name].title}: {_counted(fixing.counts[name])}")
    folder = _finished(source, fixing, ctx)
    facts = _facts(source, folder, fixing)
    if source.facts.get("rows", {}).get("train") and not facts["rows"]["train"]:
        raise StudioError("gates.nothing_left", ref=source.name)
    name = params.name or f"{source.name}-clean"[:100]
    made = ctx.artifact(Kind.DATASET, name, folder, facts=facts, parents=[source.id], license=source.license)
    ctx.progress(progress.total, progress.total, "done")
    numbers = {"rows": before, "kept": sum(facts["rows"].values())}
    numbers |= {fix: sum(counts.values()) for fix, counts in fixing.counts.items()}
    return CleanDataResult(artifact=made.id, metrics={key: float(value) for key, value in numbers.items()})


def _report_rows(params: CleanDataParams, ctx: Context) -> list[str]:
    if "drop_rows" not in params.fixes or not params.report:
        return []
    return row_ids(ctx.input(params.report).path, params.gates)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{split} {count}" for split, count in counts.items()) or "nothing to do"


def _finished(source: ArtifactView, fixing: Fixing, ctx: Context) -> Path:
    """The last round as the artifact's folder, with what lies beside the rows; not with reports on rows as they were."""
    out: Path = ctx.scratch("out")
    shutil.copytree(fixing.folder, out, dirs_exist_ok=True)
    for file in source.path.iterdir():
        if file.is_file() and not (out / file.name).exists() and file.name not in (MANIFEST, *REPORT_FILES):
            shutil.copyfile(file, out / file.name)
    return out


def _facts(source: ArtifactView, folder: Path, fixing: Fixing) -> dict[str, Any]:
    return {
        **source.facts,
        "cleaned": fixing.counts,
        **quick_facts(CheckedRows(folder), fixing.template, source.facts),
    }


STAGE = Stage(
    name="clean_data",
    title="Clean data",
    page="data",
    open=("data", "fixes", "report", "gates"),
    offers={"data": ("dataset",), "report": ("check_data",)},
    kind=Kind.DATASET,
    params=CleanDataParams,
    result=CleanDataResult,
    check=check,
    quote=quote,
    run=run,
    example={"data": "voice-commands", "fixes": ["drop_duplicates", "mask_personal"]},
)
