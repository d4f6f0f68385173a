"""Dataset: turns a file of examples (or the demo) into a dataset that every later stage understands.

Needs a CSV, TSV, JSON, JSON Lines or Parquet file, with an input and an answer column or with chat messages. Leaves behind
train, validation, test and pool rows and the prompt template; the same seed and the same content give the same split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from backend.core import stage
from backend.core.errors import Problem, StudioError
from backend.core.schemas import Kind, Quote
from backend.core.stage import Stage, World, check_fits, check_refs
from backend.data import demo
from backend.data.dataset import SPLITS, data_facts, write_split, write_template
from backend.data.prepare import Prepared, estimate, is_demo, prepare, to_row
from backend.data.sniff import sniff

_ROWS_PER_SECOND = 10_000
_DEMO_SECONDS = 1.5
_BASE_MEMORY = 80_000_000
_ROW_MEMORY = 1_100


class Params(stage.Params):
    source: str = Field(
        demo.SOURCE,
        title="Source",
        description="The file with your examples: CSV, TSV, JSON, JSON Lines or Parquet. `demo:smart-home` stands "
        "for the examples that come with the studio.",
    )
    name: str = Field(
        "",
        title="Name",
        description="What the dataset is called. Leave it empty to take the name of the file.",
        max_length=100,
    )
    languages: list[Literal["en", "es"]] = Field(
        ["en", "es"],
        title="Languages",
        description="The languages of the demo. A file of your own is taken as it is.",
        min_length=1,
        max_length=2,
    )
    input: str = Field(
        "",
        title="Input column",
        description="The column that the model reads: the question or the text. Leave it empty and the studio finds "
        "it.",
    )
    output: str = Field(
        "",
        title="Answer column",
        description="The column that the model learns to write. Leave it empty and the studio finds it.",
    )
    details: str = Field(
        "",
        title="Second input column",
        description="A column whose text is added below the input, for data that splits it in two, such as Alpaca's "
        "“input”.",
    )
    group: str = Field(
        "",
        title="Group column",
        description="Rows with the same value here, such as one customer, stay in the same split. That keeps the "
        "test fair.",
    )
    answer: Literal["auto", "label", "text"] = Field(
        "auto",
        title="Kind of answer",
        description="Labels: always one of a few fixed answers, counted as right or wrong. Free text: anything else. "
        "Automatic sees it from the data.",
    )
    system: str = Field(
        "",
        title="System prompt",
        description="An instruction that the model reads before every input. Leave it empty for a short one with "
        "labels, and none with free text.",
    )
    user: str = Field(
        "{input}", title="User prompt", description="How each input is put to the model; {input} marks its place."
    )
    list_labels: bool = Field(
        False,
        title="List the labels",
        description="Names every label in the instruction. An untuned model needs that; a tuned one answers faster "
        "without.",
    )
    validation: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Validation share",
        description="Part of the rows that is kept aside to compare models while you work; 0.1 is one row in ten. "
        "More is more exact and leaves less to learn from.",
    )
    test: float = Field(
        0.1,
        ge=0,
        le=0.5,
        title="Test share",
        description="Part of the rows that no model sees before the end, for an honest final score; 0.1 is one row "
        "in ten.",
    )
    validation_source: str = Field(
        "",
        title="Validation file",
        description="A file of your own with the validation rows. None are then taken from the source.",
    )
    test_source: str = Field(
        "", title="Test file", description="A file of your own with the test rows. None are then taken from the source."
    )
    max_rows: int = Field(
        0,
        ge=0,
        title="Rows at most",
        description="Use a random sample of this many rows, to try things out quickly. 0 takes all.",
    )
    labelled_rows: int = Field(
        0,
        ge=0,
        title="Labelled rows",
        description="How many training rows keep their answer; the others join the pool for a teacher to answer. 0 "
        "keeps all.",
    )
    pool_rows: int = Field(
        0,
        ge=0,
        title="Pool rows",
        description="How many rows without an answer to keep for a teacher. More of them teach more and take longer. "
        "0 keeps all.",
    )
    on_bad_row: Literal["stop", "skip"] = Field(
        "stop",
        title="Bad rows",
        description="What happens to rows that can't be used. Stopping names them, so that you can correct the file; "
        "skipping leaves them out.",
    )
    duplicates: Literal["keep", "drop"] = Field(
        "keep",
        title="Duplicates",
        description="Rows with the same input and the same answer. Many copies make a model learn them by heart.",
    )
    license: str = Field(
        "",
        title="License",
        description="The license of the data, such as CC-BY-4.0, so that others know what they may do with it.",
        max_length=100,
    )

    @field_validator("source", "validation_source", "test_source")
    @classmethod
    def _absolute(cls, value: str) -> str:
        """A path means the same to every process, whatever folder it was started in."""
        if not value or value.startswith("demo:") or "${" in value:
            return value
        return str(Path(value).expanduser().absolute())


class Result(stage.Result):
    warnings: list[str] = []


def check(params: Params, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if "{input}" not in params.user:
        problems.append(Problem(code="data.user_template", field="user"))
    if params.validation + params.test >= 0.9:
        problems.append(
            Problem(code="data.fractions", field="test", args={"sum": f"{params.validation + params.test:.2f}"})
        )
    if is_demo(params) and params.source != demo.SOURCE:
        return [*problems, Problem(code="data.demo_unknown", field="source", args={"name": params.source})]
    for field in ("source", "validation_source", "test_source"):
        problems += _file_problems(field, getattr(params, field))
    if problems:
        return problems
    try:
        return check_fits(quote(params, world), world)
    except StudioError as error:
        return error.problems


def _file_problems(field: str, name: str) -> list[Problem]:
    if not name or name.startswith("demo:"):
        return []
    try:
        sniff(Path(name))
    except StudioError as error:
        return [problem.model_copy(update={"field": field}) for problem in error.problems]
    return []


def quote(params: Params, world: World) -> Quote:
    forecast = estimate(params)
    names = (params.source, params.validation_source, params.test_source)
    files = [name for name in names if name and not name.startswith("demo:")]
    size = sum(Path(name).stat().st_size for name in files)
    rows = sum(forecast["rows"].values())
    text = forecast["prompt_chars"] + forecast["answer_chars"]
    seconds = 0.5 + rows / _ROWS_PER_SECOND + (_DEMO_SECONDS if is_demo(params) else 0)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=_BASE_MEMORY + _ROW_MEMORY * rows + 4 * size,
        disk_bytes=int(rows * (text * 1.1 + 60)),
        forecast=forecast,
    )


def run(params: Params, ctx: Any) -> Result:
    ctx.progress(0, 1, "reading")
    prepared = prepare(params, ctx.seed, each=_reporter(ctx))
    for problem in prepared.warnings:
        ctx.log(problem.text(), "warning")
    ctx.checkpoint()
    folder = _write(params, prepared, ctx)
    facts = _facts(params, prepared, folder)
    counts = ", ".join(f"{split} {count}" for split, count in facts["rows"].items())
    kind = f"one of {len(facts['labels'])} labels" if facts["labels"] else "free text"
    ctx.log(f"Rows: {counts}. Each answer is {kind}.")
    made = ctx.artifact(
        Kind.DATASET, params.name or _default_name(params), folder, facts=facts, license=_license(params)
    )
    ctx.progress(1, 1, "done")
    metrics = {f"rows_{split}": float(count) for split, count in facts["rows"].items()}
    return Result(artifact=made.id, metrics=metrics, warnings=[problem.text() for problem in prepared.warnings])


def _reporter(ctx: Any) -> Any:
    def each(done: int, total: int) -> None:
        if done % 1000 == 1:
            ctx.checkpoint()
            ctx.progress(min(done, total), total, "reading")

    return each


def _write(params: Params, prepared: Prepared, ctx: Any) -> Path:
    folder: Path = ctx.scratch("out")
    for step, name in enumerate(SPLITS):
        ctx.checkpoint()
        ctx.progress(step, len(SPLITS), "writing")
        write_split(folder, name, (to_row(row, pool=name == "pool") for row in prepared.splits.get(name, [])))
    write_template(folder, prepared.template)
    if is_demo(params):
        (folder / "NOTICE").write_text(demo.NOTICE, encoding="utf-8")
    return folder


def _facts(params: Params, prepared: Prepared, folder: Path) -> dict[str, Any]:
    return data_facts(folder) | {
        "source": params.source if is_demo(params) else Path(params.source).name,
        "source_sha256": prepared.sha256,
        "dropped": prepared.dropped,
        "warnings": [problem.model_dump(include={"code", "args"}) for problem in prepared.warnings],
    }


def _default_name(params: Params) -> str:
    return params.source.removeprefix("demo:") if is_demo(params) else Path(params.source).stem


def _license(params: Params) -> str | None:
    return params.license or (demo.LICENSE if is_demo(params) else None)


STAGE = Stage(
    name="dataset",
    title="Dataset",
    kind=Kind.DATASET,
    params=Params,
    result=Result,
    check=check,
    quote=quote,
    run=run,
    queue="light",
    example={"source": demo.SOURCE, "max_rows": 600},
)
