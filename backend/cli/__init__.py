"""`slmops`: the command line. Everything heavy is imported inside a command, so that `--help` is immediate."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from backend.cli import artifacts, chat, datasets, endpoints, hub, jobs, packages, projects, run, serve_api, serve_web
from backend.core.errors import StudioError

app = typer.Typer(
    name="slmops",
    help="From a raw file of examples to a small language model that runs on your own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (serve_web, run, projects, datasets, artifacts, hub, packages, endpoints, jobs, chat, serve_api):
    module.register(app)


@app.callback()
def options(
    home: Annotated[str | None, typer.Option(help="Folder for databases, artifacts and logs (SLMOPS_HOME).")] = None,
    project: Annotated[str | None, typer.Option(help="Work in this project, by name or id (SLMOPS_PROJECT).")] = None,
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    if home:
        os.environ["SLMOPS_HOME"] = os.path.abspath(os.path.expanduser(home))  # noqa: PTH100, PTH111 pathlib costs start-up
    if project:
        os.environ["SLMOPS_PROJECT"] = project
    if debug:
        os.environ["SLMOPS_DEBUG"] = "1"


def main() -> None:
    """Run the command line. Errors for people go to stderr in one line each, with exit code 2."""
    try:
        app()
    except StudioError as error:
        if os.environ.get("SLMOPS_DEBUG"):
            raise
        sys.stderr.write(error.text() + "\n")
        raise SystemExit(2) from None
