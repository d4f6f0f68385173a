"""`slmops datasets`: import, list, show, rename, tag, delete, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import data_checks, reading_text
from backend.cli.artifacts import delete, rename, restore, show_head, tag
from backend.cli.baseline import measure_baseline
from backend.cli.data_export import export_dataset
from backend.cli.dataset_flags import with_params
from backend.cli.output import line, note, print_json, table
from backend.cli.projects import InProject

if TYPE_CHECKING:
    from backend.api import Studio

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
STAGE_ID = "data"


def register(app: typer.Typer) -> None:
    datasets = typer.Typer(help="Datasets: import, check, clean, show, export and more.", no_args_is_help=True)
    datasets.command("import")(import_dataset)
    datasets.command("list")(list_datasets)
    datasets.command("show")(show_dataset)
    datasets.command("export")(export_dataset)
    datasets.command("baseline")(measure_baseline)
    for command in (rename, tag, delete, restore):
        datasets.command(command.__name__)(command)
    data_checks.register(datasets)
    app.add_typer(datasets, name="datasets")


@with_params
def import_dataset(
    sources: Annotated[
        list[str], typer.Argument(help="A file, several files, a folder, or demo:smart-home.", metavar="FILE...")
    ],
    given: dict[str, Any],
    seed: Annotated[int, typer.Option(help="The same seed and the same content give the same split.")] = 42,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the file is read and its first rows; save nothing.")
    ] = False,
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Import examples as a dataset, from a file, a folder or an archive: tables, JSON, Parquet, Excel, text. Exit code 2 if the
    file can't be used as it is, or can be read in several ways."""
    from backend.api import Studio

    studio = Studio.open()
    params = {"source": _source(studio, sources), **given}
    if len(sources) > 1:
        params.setdefault("name", f"{Path(sources[0]).stem} and {len(sources) - 1} more")
    read_in(studio, params, seed, dry_run, json_)


def read_in(studio: Studio, params: dict[str, Any], seed: int = 42, dry_run: bool = False, json_: bool = False) -> None:
    """Read a source with these parameters into a dataset and exit. Raises StudioError where it can't be read or is doubtful."""
    from backend.cli.run import execute
    from backend.planning import recipes

    found = studio.inspect(params)
    warned = reading_text.stop_or_warn(found)
    reading_text.show(found, dry_run, json_)
    if dry_run:
        return
    wanted = {"id": STAGE_ID, "stage": "dataset", "params": params}
    name = str(params.get("name") or Path(params["source"]).name)
    plan = studio.plan(recipes.build({"name": f"import {name}", "seed": seed, "stages": [wanted]}))
    more = {"reading": found.reading, "text": reading_text.head(found.reading)}
    raise SystemExit(execute(studio, plan, json_, said=warned, more=more))


def _source(studio: Studio, sources: list[str]) -> str:
    """The one source that these are: several files lie together in a folder then."""
    if len(sources) > 1:
        return str(studio.together([Path(each).expanduser() for each in sources]))
    return sources[0] if sources[0].startswith("demo:") else str(Path(sources[0]).expanduser().resolve())


def list_datasets(json_: _Json = False, project: InProject = None) -> None:
    """List datasets, of all projects or of one, newest first."""
    from backend.api import Studio
    from backend.core.schemas import Kind

    studio = Studio.open()
    found = studio.artifacts([Kind.DATASET], studio.store.within)
    if json_:
        return print_json(found)
    rows = [[a.id, a.name, _split_counts(a.facts), a.facts.get("answer"), a.license, ", ".join(a.tags)] for a in found]
    table(["id", "name", "rows", "answers", "license", "tags"], rows)
    return None


def show_dataset(
    ref: str,
    model: Annotated[str, typer.Option(help="Render the rows as this model sees them.")] = "",
    rows: Annotated[int, typer.Option(help="Number of rows.")] = 3,
    json_: _Json = False,
) -> None:
    """Show a dataset: how its file was read, its warnings, and its first rows rendered with a model's chat template."""
    from backend.api import Studio
    from backend.api.data_checks import latest_check
    from backend.api.readings import stored_notes, stored_reading, stored_warnings

    studio = Studio.open()
    found = studio.dataset(ref)
    check = latest_check(studio, found.id)
    examples = studio.stored_preview(found, studio.model(model).path if model else None, rows)
    reading, warnings = (
        stored_reading(found.path),
        [problem.sentence() for problem in stored_warnings(found.facts, check.card if check else None)],
    )
    if json_:
        card = check.as_json() if check else None
        return print_json(
            {"dataset": found, "preview": examples, "reading": reading, "warnings": warnings, "check": card}
        )
    show_head(found)
    for text in _fact_lines(found.facts):
        line(text)
    line(f"check: {data_checks.score_line(check)}" if check else f"check: none yet (slmops datasets check {ref})")
    if reading:
        line(f"read as: {reading_text.head(reading)}")
        reading_text.show_columns(reading)
    for problem in stored_notes(found.facts):
        line(f"note: {problem.sentence()}")
    for text in warnings:
        line(f"warning: {text}")
    for example in examples:
        line(f"\n{example.text}")
    if not examples:
        note("It has no training rows.")
    return None


def _fact_lines(facts: dict[str, Any]) -> list[str]:
    """What people want to know of the facts, a line each."""
    labels = facts.get("labels") or []
    kind = (
        f"{len(labels)} labels: {', '.join(labels[:20])}{', …' if len(labels) > 20 else ''}" if labels else "free text"
    )
    lines = [f"rows: {_split_counts(facts)}", f"answers: {kind}"]
    if facts.get("source"):
        lines.append(f"source: {facts['source']}")
    if origin := facts.get("hub"):
        lines.append(f"from: {origin['host']}, {origin['repo']}, commit {origin['commit']}")
    if "prompt_chars" in facts:
        lines.append(f"mean length: {facts['prompt_chars']} characters of prompt, {facts['answer_chars']} of answer")
    dropped = ", ".join(
        f"{count} {name.split('.')[-1].replace('_', ' ')}" for name, count in facts.get("dropped", {}).items()
    )
    return [*lines, f"left out: {dropped}"] if dropped else lines


def _split_counts(facts: dict[str, Any]) -> str:
    return ", ".join(f"{split} {count}" for split, count in facts.get("rows", {}).items() if count)
