"""A quick baseline: how far one gets without a language model, and whether tuning is right for the data.

Needs a dataset with answers. Leaves a report: the commonest answer, a plain classifier and the nearest example, measured on
rows that training does not hold, beside what a naive random division would have pretended; and the classifier, or for texts the
examples, as JSON: its download holds a script of plain Python that answers from it. Seconds on a CPU. Data that are too few or
too much alike end the job with findings.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.core.units import percent_text
from backend.data.baseline import MAX_TEST, MAX_TRAIN, BaselineReport, baseline_report, cost, pairs_of
from backend.data.baseline_kept import keep_baseline
from backend.data.baseline_scores import METHODS
from backend.data.dataset import DataFolder

_KEEPING = 1.4
"""Times the work of measuring: what is kept is fitted once more, on training rows."""
_ROW_KEPT, _MOST_KEPT = 6_000, 60_000_000
"""Bytes of what is kept."""


class BaselineParams(Params):
    data: DatasetRef = Field(title="Dataset", description="Dataset to train on and evaluate.")
    split: Annotated[Literal["validation", "test"], Labels({"validation": "Validation", "test": "Test"})] = Field(
        "validation",
        title="Split",
        description="Rows to evaluate. Keep the test rows for the final score.",
    )
    name: Name = ""


class BaselineResult(Result):
    """Metrics: the accuracy of each method, `naive` before those of the naive division, and token_f1 for free text."""


def check(params: BaselineParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    problems += check_rows(params.data, "train", world, "data") or check_rows(params.data, params.split, world)
    return problems or check_fits(quote(params, world), world)


def quote(params: BaselineParams, world: World) -> Quote:
    known = world.describe(params.data)
    facts = known.facts if known else {}
    rows = facts.get("rows", {})
    measured = min(rows.get("train", 0), MAX_TRAIN) + min(rows.get(params.split, 0), MAX_TEST)
    seconds, memory = cost(measured, facts.get("prompt_chars", 60.0))
    return Quote(
        seconds=seconds * _KEEPING / world.speed(),
        memory_bytes=int(memory),
        disk_bytes=100_000 + min(_MOST_KEPT, _ROW_KEPT * rows.get("train", 0)),
        forecast={"report": "baseline"},
    )


def run(params: BaselineParams, ctx: Context) -> BaselineResult:
    source = ctx.input(params.data)
    data = DataFolder(source.path)
    pairs = {split: pairs_of(data, split) for split in ("train", "validation", "test")}
    for split in ("train", params.split):
        if not pairs[split]:
            raise StudioError("chat.no_rows", field="data", ref=source.name, splits=split)
    ctx.progress(0, 1, "measuring")
    spare = pairs["test" if params.split == "validation" else "validation"]
    report = baseline_report(pairs["train"], pairs[params.split], data.template.answer, spare)
    ctx.raise_if_cancelled()
    facts = {
        "report": "baseline",
        "data": source.id,
        "data_name": source.name,
        "split": params.split,
        "passed": report.ready,
        "baseline": report.model_dump(mode="json"),
        "kept": METHODS[report.answer],
    }
    out = ctx.scratch("out")
    write_json(out / "report.json", facts)
    name = params.name or f"{source.name} baseline"[:100]
    score = report.score(METHODS[report.answer])
    keep_baseline(pairs["train"], report.answer, out, name, percent_text(score.accuracy if score else 0.0))
    for problem in (report.advice, *report.notes):
        ctx.log(problem.sentence())
    made = ctx.artifact(Kind.REPORT, name, out, facts=facts, parents=[source.id])
    ctx.progress(1, 1, "done")
    return BaselineResult(artifact=made.id, metrics=_metrics(report), findings=[] if report.ready else [report.advice])


def _metrics(report: BaselineReport) -> dict[str, float]:
    numbers: dict[str, float | None] = {"rows": report.test, "distinct": report.distinct}
    for score in report.methods:
        numbers[f"{score.method}_accuracy"] = score.accuracy
        numbers[f"naive_{score.method}_accuracy"] = score.naive_accuracy
        numbers[f"{score.method}_token_f1"] = score.token_f1
    return {name: float(value) for name, value in numbers.items() if value is not None}


STAGE = Stage(
    name="baseline",
    title="Quick baseline",
    page="data",
    open=("data", "split"),
    offers={"data": ("review", "curate", "dataset")},
    kind=Kind.REPORT,
    params=BaselineParams,
    result=BaselineResult,
    check=check,
    quote=quote,
    run=run,
    example={"data": "voice-commands"},
)
