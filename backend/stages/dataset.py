"""Dataset: turns a file of examples (or the demo) into a dataset that every later stage understands.

Needs a file of rows in one of the known formats and schemas: texts with answers or labels, conversations, preferences. Leaves
behind train, validation, test and pool rows, the prompt template and the reading of the file; the same seed and the same
content give the same split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core import stage
from backend.core.errors import Problem, StudioError
from backend.core.progress import Progress
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Stage, World, check_fits, check_refs
from backend.data import demo
from backend.data.dataset import REJECTED, SPLITS, write_template
from backend.data.gates.quick import QuickCheck, quick_check
from backend.data.gates.rows import CheckedRows
from backend.data.inspect_source import WHOLE_BYTES
from backend.data.mapping.compose import placeholders_or_jinja
from backend.data.params import DatasetParams
from backend.data.prepare import PreparedDataset, is_demo, prepare
from backend.data.prompt import prompt_notes
from backend.data.reading.model import Reading
from backend.data.reading.promise import broken_promise
from backend.files.source_reading import inspection, missing_files, source_bytes
from backend.files.uploads import origin_of

_ROWS_PER_SECOND = 40_000
_DEMO_SECONDS = 1.5
_BASE_MEMORY = 120_000_000
_ROW_MEMORY = 500
_MOST_OPEN = 500_000_000
"""Memory of a format that is read whole, such as a JSON document, at most: larger ones are streamed."""


_SAID_BEFORE = {"one_class": "data.one_class", "contradictions": "data.contradictions"}
"""Gates whose finding the mapping of the rows may have said already, under this code."""


class Result(stage.Result):
    warnings: list[str] = []


def check(params: DatasetParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if not placeholders_or_jinja(params.user):
        problems.append(Problem(code="data.user_template", field="user"))
    if params.validation + params.test >= 0.9:
        problems.append(
            Problem(code="data.fractions", field="test", args={"sum": round(params.validation + params.test, 2)})
        )
    if is_demo(params) and params.source != demo.SOURCE:
        return [*problems, Problem(code="data.demo_unknown", field="source", args={"name": params.source})]
    problems += missing_files(params)
    if problems:
        return problems
    try:
        found = inspection(params)
    except StudioError as error:
        return [_placed(problem, params) for problem in error.problems]
    asked = [found.reading.question] if found.reading.question else []
    problems = [
        _placed(problem, params) for problem in [*asked, *(each for each in found.problems if each not in asked)]
    ]
    if any(problem.blocking for problem in problems):
        return problems
    return [*problems, *check_fits(quote(params, world), world)]


def _placed(problem: Problem, params: DatasetParams) -> Problem:
    """At the field of the file that it speaks of, where it has no field of its own."""
    if problem.field:
        return problem
    about = problem.args.get("file", "")
    fields = ("validation_source", "test_source")
    own = (field for field in fields if about and Path(getattr(params, field)).name == about)
    return problem.model_copy(update={"field": next(own, "source")})


def quote(params: DatasetParams, world: World) -> Quote:
    found = inspection(params)
    if not found.forecast:
        raise StudioError.of([problem for problem in found.problems if problem.blocking])
    forecast = found.forecast
    rows = sum(forecast["rows"].values())
    text = forecast["prompt_chars"] + forecast["answer_chars"]
    seconds = 0.5 + rows / _ROWS_PER_SECOND + (_DEMO_SECONDS if is_demo(params) else 0)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=_BASE_MEMORY + _ROW_MEMORY * rows + min(4 * source_bytes(params), _MOST_OPEN),
        disk_bytes=int(2 * rows * (text * 1.1 + 60)),
        forecast=forecast,
    )


def run(params: DatasetParams, ctx: Context) -> Result:
    ctx.progress(0, 1, "reading")
    prepared = prepare(params, ctx.seed, ctx.scratch("rows"), each=_reporter(ctx))
    ctx.raise_if_cancelled()
    _keep_promise(params, prepared.reading, prepared.template.answer)
    folder = _write(params, prepared, ctx)
    checked = _checked(prepared, folder, ctx)
    facts = checked.facts | {"personal": checked.personal, "personal_found": checked.personal_found}
    facts |= _facts(params, prepared)
    said = prepared.warnings + prompt_notes(params, prepared.template)
    said += checked.warnings(_said_before(prepared.warnings))
    notes, warnings = [each for each in said if each.is_note], [each for each in said if not each.is_note]
    facts["warnings"] = [problem.model_dump(include={"code", "args"}) for problem in warnings]
    facts["notes"] = [problem.model_dump(include={"code", "args"}) for problem in notes]
    counts = ", ".join(f"{split} {count}" for split, count in facts["rows"].items())
    kind = f"one of {len(facts['labels'])} labels" if facts["labels"] else "free text"
    for problem in notes:
        ctx.log(problem.text())
    for problem in warnings:
        ctx.log(problem.text(), "warning")
    ctx.log(f"Rows: {counts}. Each answer is {kind}.")
    made = ctx.artifact(
        Kind.DATASET, params.name or _default_name(params), folder, facts=facts, license=_license(params)
    )
    ctx.progress(1, 1, "done")
    metrics = {f"rows_{split}": float(count) for split, count in facts["rows"].items()}
    return Result(artifact=made.id, metrics=metrics, warnings=[problem.text() for problem in warnings])


def _keep_promise(params: DatasetParams, reading: Reading | None, answer: str) -> None:
    """Raises StudioError where all rows are read otherwise than the sample that a person has seen and agreed to."""
    if reading is None or source_bytes(params) <= WHOLE_BYTES:
        return
    promised = inspection(params).reading
    if promised.sampled and (problem := broken_promise(promised, reading, answer)):
        raise StudioError.of([problem])


def _reporter(ctx: Context) -> Any:
    said = ("", 0)

    def each(done: int, total: int, note: str) -> None:
        nonlocal said
        if note != said[0] or not said[1] <= done < said[1] + 1000:
            said = (note, done)
            ctx.raise_if_cancelled()
            ctx.progress(min(done, total), total, note)

    return each


def _write(params: DatasetParams, prepared: PreparedDataset, ctx: Context) -> Path:
    folder: Path = ctx.scratch("out")
    total = max(1, sum(map(len, prepared.numbers.values())))
    done = 0
    for name in (*SPLITS, REJECTED):
        if name == REJECTED and not prepared.store.only_rejected:
            continue
        ctx.progress(done, total, "writing")
        with (folder / f"{name}.jsonl").open("wb") as stream:
            for block in prepared.blocks(name):
                stream.write(block)
                done += block.count(b"\n")
                ctx.raise_if_cancelled()
                ctx.progress(done, total, "writing")
    write_template(folder, prepared.template)
    if prepared.reading:
        (folder / "reading.json").write_text(prepared.reading.model_dump_json(indent=1), encoding="utf-8")
    if is_demo(params):
        (folder / "NOTICE").write_text(demo.NOTICE, encoding="utf-8")
    return folder


def _checked(prepared: PreparedDataset, folder: Path, ctx: Context) -> QuickCheck:
    """The facts, and what the cheap gates find."""
    progress = Progress(ctx, sum(map(len, prepared.numbers.values())), "checking the rows")
    return quick_check(CheckedRows(folder), prepared.template, progress.add)


def _said_before(warnings: list[Problem]) -> set[str]:
    """Gates whose finding the mapping of the rows has said already."""
    codes = {problem.code for problem in warnings}
    return {name for name, code in _SAID_BEFORE.items() if code in codes}


def _facts(params: DatasetParams, prepared: PreparedDataset) -> dict[str, Any]:
    facts = {
        "source": params.source if is_demo(params) else Path(params.source).name,
        "source_sha256": prepared.sha256,
        "dropped": prepared.dropped,
    }
    origin = origin_of(Path(params.source))
    facts |= {"hub": origin.model_dump(mode="json", exclude={"license"})} if origin else {}
    return facts | ({"reading": _short_reading(prepared.reading)} if prepared.reading else {})


def _short_reading(reading: Reading) -> dict[str, Any]:
    """What lists and cards show of a reading; the whole of it is in the artifact's `reading.json`."""
    assert reading.taken is not None
    return {
        "format": reading.source.title,
        "schema": reading.taken.schema_name,
        "task": reading.taken.task,
        "roles": {role: names for role, names in reading.taken.roles.model_dump().items() if names},
    }


def _default_name(params: DatasetParams) -> str:
    return params.source.removeprefix("demo:") if is_demo(params) else Path(params.source).stem


def _license(params: DatasetParams) -> str | None:
    if params.license or is_demo(params):
        return params.license or demo.LICENSE
    origin = origin_of(Path(params.source))
    return origin.license if origin else None


STAGE = Stage(
    name="dataset",
    title="Prepare data",
    page="data",
    open=("source", "name", "input", "output"),
    kind=Kind.DATASET,
    params=DatasetParams,
    result=Result,
    check=check,
    quote=quote,
    run=run,
    queue="light",
    example={"source": demo.SOURCE, "max_rows": 600},
)
