"""`slmops verify`: whether a package is what was packed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backend.cli.output import line, note, print_json


def register(app: typer.Typer) -> None:
    app.command("verify")(verify)


def verify(
    package: Annotated[str, typer.Argument(help="A package's folder or zip file, or its id or name in the studio.")],
    json_: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Verify a package: changed, missing or added files, and paths that lead outside it. Exit code 0 or 2."""
    from backend.packaging.verify import verify_package as look

    places = [Path(package).expanduser()]
    if not places[0].exists():
        places = _stored(package) or places
    problems = [problem for place in places for problem in look(place)]
    if json_:
        found = [{"code": each.code, "text": each.sentence(), **each.args} for each in problems]
        print_json({"package": package, "ok": not problems, "problems": found})
    elif problems:
        for problem in problems:
            note(problem.sentence())
    else:
        line(f"{package}: every file is what was packed.")
    raise SystemExit(2 if problems else 0)


def _stored(ref: str) -> list[Path]:
    """Folder and zip file of a package in the studio; empty when there is none of that id or name."""
    from backend.api import Studio
    from backend.core.schemas import Kind

    found = Studio.open().store.find_artifact(ref, (Kind.PACKAGE,))
    if found is None or found.kind is not Kind.PACKAGE:
        return []
    return [found.path / found.facts["folder"], found.path / found.facts["zip"]]
