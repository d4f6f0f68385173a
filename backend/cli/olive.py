"""`slmops olive`: workflows of Microsoft Olive as recipes, and a run's training as an Olive command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.output import line, note


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="Turn Olive workflows into recipes, and training into Olive commands.", no_args_is_help=True
    )
    group.command("import")(import_workflow)
    group.command("command")(command)
    app.add_typer(group, name="olive")


def import_workflow(
    file: Annotated[Path, typer.Argument(help="JSON file of an Olive workflow.")],
    out: Annotated[Path | None, typer.Option(help="Write the recipe here, not to stdout.")] = None,
) -> None:
    """Print the recipe that does what an Olive workflow says; what has no counterpart is named."""
    from backend.api import Studio

    recipe, left_out = Studio.open().recipe_from_olive(file)
    for problem in left_out:
        note(problem.text())
    if out is None:
        line(recipe)
        return
    out.write_text(recipe, encoding="utf-8")
    note(f"Written: {out}")


def command(job: Annotated[str, typer.Argument(help="A fine-tuning job (j…).")]) -> None:
    """Print the `olive finetune` command for a fine-tuning job; what it does differently is named."""
    from backend.api import Studio

    found = Studio.open().olive_command(job)
    for problem in found.differs:
        note(problem.text())
    line(found.text)
