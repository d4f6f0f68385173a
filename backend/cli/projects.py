"""`slmops projects`: list, create, export, import, delete, restore; and `--project` of the other commands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import line, note, print_json, table
from backend.core.errors import StudioError

if TYPE_CHECKING:
    from backend.api import Studio

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def _within(name: str | None) -> None:
    if name:
        os.environ["SLMOPS_PROJECT"] = name


InProject = Annotated[
    str | None,
    typer.Option("--project", help="Work in this project, by name or id (SLMOPS_PROJECT).", callback=_within),
]
"""An option whose callback does it all: the settings read the variable."""


def register(app: typer.Typer) -> None:
    projects = typer.Typer(
        help="Projects: list, create, export to one file, import, delete, restore.", no_args_is_help=True
    )
    projects.command("list")(list_projects)
    projects.command("create")(create_project)
    projects.command("export")(export_project)
    projects.command("import")(import_project)
    projects.command("delete")(delete_project)
    projects.command("restore")(restore_project)
    app.add_typer(projects, name="projects")


def list_projects(json_: _Json = False) -> None:
    """List all projects, oldest first, with their contents."""
    from backend.core.units import human_bytes

    studio = _studio()
    every = studio.projects()
    held = {each.id: studio.artifacts(project=each.id) for each in every}
    runs = {each.id: len(studio.runs(1_000_000, each.id)) for each in every}
    if json_:
        counts = {each.id: {"runs": runs[each.id], "artifacts": len(held[each.id])} for each in every}
        return print_json([{**each.model_dump(mode="json"), **counts[each.id]} for each in every])
    size = {each.id: human_bytes(sum(view.size_bytes for view in held[each.id])) for each in every}
    rows = [[each.id, each.name, runs[each.id], len(held[each.id]), size[each.id]] for each in every]
    table(["id", "name", "runs", "artifacts", "size"], rows)
    return None


def create_project(name: str) -> None:
    """Create an empty project and print its id."""
    line(_studio().create_project(name).id)


def export_project(
    project: str,
    to: Annotated[Path | None, typer.Option(help="File to write. Default: the project's name.")] = None,
    weights: Annotated[
        bool, typer.Option(help="Include weights that a job can recreate; the file is much larger.")
    ] = True,
) -> None:
    """Export a project to one zip file: data, models, runs, metrics, reviews, evaluations. Never includes keys."""
    studio = _studio()
    chosen = studio.project_named(project)
    target = (to or Path(studio.project_file_name(chosen.id))).expanduser()
    if target.exists():
        raise StudioError("projects.target_exists", path=target)
    taken = studio.project_contents(chosen.id, weights)
    partial = target.with_name(f".{target.name}.partial")
    done = 0
    try:
        with partial.open("wb") as file, _bar(taken.bytes, "exporting") as show:
            for piece in studio.export_project(taken):
                file.write(piece)
                done += len(piece)
                show(done)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    note(f"Wrote {len(taken.artifacts)} artifacts and {len(taken.runs)} runs.")
    line(str(target))


def import_project(
    file: Path,
    name: Annotated[str, typer.Option(help="Name of the project. Default: its original name.")] = "",
    json_: _Json = False,
) -> None:
    """Import a project from an exported file. Everything is checked first; all of it is imported, or nothing."""
    if not file.is_file():
        raise StudioError("projects.file_damaged", file=file.name)
    with _bar(None, "importing") as show:
        made = _studio().import_project(file, name, lambda done, total: show(done, total))
    print_json(made) if json_ else line(f"{made.id} {made.name}")


def delete_project(project: str) -> None:
    """Move a project with its runs and results to the trash. Refused while a job is running or another project needs it."""
    studio = _studio()
    chosen = studio.project_named(project)
    studio.delete_project(chosen.id)
    note(f"Moved {chosen.name} to the trash for {studio.trash_days} days.")


def restore_project(project: str) -> None:
    """Bring a project back from the trash, by name or id, with what went there together with it."""
    studio = _studio(project=None)  # the one in SLMOPS_PROJECT may be this one
    held = studio.trashed_projects()
    found = [each for each in held if each.id == project] or [each for each in held if each.name == project]
    if not found:
        raise StudioError("trash.unknown", ref=project)
    studio.restore([found[0].id])
    note(f"Restored {found[0].name}.")


def _studio(**settings: Any) -> Studio:
    from backend.api import Studio

    return Studio.open(**settings)


class _bar:
    """A progress bar on stderr for people; nothing where nobody looks."""

    def __init__(self, total: int | None, words: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._total = total
        self._bar = Progress(
            TextColumn(words), BarColumn(), DownloadColumn(), console=console, disable=not console.is_terminal
        )
        self._task = self._bar.add_task(words, total=total)

    def __enter__(self) -> _bar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, done: int, total: int | None = None) -> None:
        self._bar.update(self._task, completed=done, total=total or self._total)
