"""`slmops studio`, `slmops worker`, `slmops doctor`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from backend.cli.output import line, print_json, table
from backend.core.paths import absolute


def register(app: typer.Typer) -> None:
    app.command("studio")(studio)
    app.command("worker")(worker)
    app.command("doctor")(doctor)


def studio(
    host: Annotated[str, typer.Option(help="Address to listen on. Other machines need a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    home: Annotated[str | None, typer.Option(help="Folder for databases, artifacts and logs (SLMOPS_HOME).")] = None,
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Also start a worker to run jobs.")] = True,
) -> None:
    """Open the studio in the browser: web server, model server and one worker. Ctrl-C stops everything."""
    from backend.api.processes import keep_studio
    from backend.core.settings import Settings

    if home:
        os.environ["SLMOPS_HOME"] = str(absolute(home))
    raise SystemExit(keep_studio(Settings().prepare(), host, port, worker))


def worker(
    queues: Annotated[
        str, typer.Option(help="Comma-separated: light, cpu, gpu. Default: all that this machine supports.")
    ] = "",
) -> None:
    """Start a worker without the web server."""
    from backend.api.processes import work

    work(queues)


def doctor(json_: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False) -> None:
    """Check this machine: what works, and how to fix the rest."""
    from backend.api.doctor import run_checks

    found = [check.row() for check in run_checks()]
    if json_:
        print_json(found)
    else:
        table(
            ["", "what", "found", "what to do"],
            [row.values() for row in found],
        )
    if any(row["state"] == "missing" for row in found):
        line("")
        raise SystemExit(1)
