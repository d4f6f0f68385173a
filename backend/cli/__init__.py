"""`slmops`: the command line. Everything heavy is imported inside a command, so that `--help` is immediate."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from backend.cli import (
    arena,
    artifacts,
    chat,
    datasets,
    endpoints,
    failures,
    hub,
    jobs,
    olive,
    packages,
    projects,
    run,
    serve_api,
    serve_web,
    streams,
)
from backend.core.paths import absolute

app = typer.Typer(
    name="slmops",
    help="From a raw file of examples to a small language model that runs on your own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (
    serve_web,
    run,
    projects,
    datasets,
    artifacts,
    hub,
    packages,
    endpoints,
    jobs,
    olive,
    chat,
    arena,
    serve_api,
):
    module.register(app)


FOLDERS_AND_FILES = ("SLMOPS_HOME", "SLMOPS_CA_FILE")
"""Variables that hold a path: written out once, because the processes that read them start elsewhere."""
INTERRUPTED = 130


@app.callback()
def options(
    home: Annotated[str | None, typer.Option(help="Folder for databases, artifacts and logs (SLMOPS_HOME).")] = None,
    project: Annotated[str | None, typer.Option(help="Work in this project, by name or id (SLMOPS_PROJECT).")] = None,
    debug: Annotated[bool, typer.Option(help="Show the traceback of an error.")] = False,
) -> None:
    absolute("")  # every command may write or read beside the caller
    for name in FOLDERS_AND_FILES:
        value = (home if name == "SLMOPS_HOME" and home is not None else os.environ.pop(name, "")).strip()
        if value:
            os.environ[name] = str(absolute(value))
    if project:
        os.environ["SLMOPS_PROJECT"] = project
    if debug:
        os.environ["SLMOPS_DEBUG"] = "1"


def main() -> None:
    """Run the command line. Errors for people go to stderr in one line each, with exit code 2; 130 after Ctrl-C."""
    streams.prepare()
    try:
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED and isinstance(ended.__context__, typer.Exit):  # typer's own, who says nothing
            sys.stderr.write("Interrupted.\n")
        streams.close(ended.code)
    except Exception as error:
        told = None if os.environ.get("SLMOPS_DEBUG") else failures.told(error)
        if told is None:
            raise
        sys.stderr.write(told.text() + "\n")
        raise SystemExit(2) from None
