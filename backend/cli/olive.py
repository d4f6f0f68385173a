"""`slmops olive`: workflows of Microsoft Olive as recipes, and jobs as commands and workflows of Olive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.output import line, note


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Turn Olive workflows into recipes, and jobs into Olive commands.", no_args_is_help=True)
    group.command("import")(import_workflow)
    group.command("command")(command)
    app.add_typer(group, name="olive")


def import_workflow(
    file: Annotated[Path, typer.Argument(help="JSON file of an Olive workflow.")],
    out: Annotated[Path | None, typer.Option(help="Write the recipe here, not to stdout.")] = None,
) -> None:
    """Print the recipe that does what an Olive workflow says; what has no counterpart is named."""
    from backend.api import Studio

    found = Studio.open().recipe_from_olive(file)
    for problem in found.left_out:
        note(problem.text())
    if out is None:
        line(found.text)
        return
    out.write_text(found.text, encoding="utf-8")
    note(f"Written: {out}")


def command(
    job: Annotated[str, typer.Argument(help="A fine-tuning or quantization job (j…).")],
    workflow: Annotated[bool, typer.Option("--workflow", help="Print the JSON for `olive run` instead.")] = False,
) -> None:
    """Print how Olive does what a job did; what it does differently is named."""
    from backend.api import Studio
    from backend.core.errors import StudioError

    studio = Studio.open()
    ways = studio.olive_ways(job)
    if not ways:
        raise StudioError("olive.no_way", job=job, stage=studio.job(job).stage)
    found = ways[-1] if workflow else ways[0]
    for problem in found.differs:
        note(problem.text())
    line(found.json if workflow else found.text)
