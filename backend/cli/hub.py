"""`slmops hub`: search a hub, look at what it has, download a model. The only commands that ask the network for models."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from backend.cli.output import line, note, print_json, table
from backend.cli.projects import InProject

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_Dataset = Annotated[bool, typer.Option("--dataset", help="Datasets instead of models.")]
_Revision = Annotated[str, typer.Option(help="Branch, tag or commit. Default: the newest.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Model hub, such as huggingface.co: search, show, download.", no_args_is_help=True)
    for command in (search, show, download, catalogue):
        group.command(command.__name__)(command)
    token = typer.Typer(help="Your token for the hub, in this machine's keyring: set, delete.", no_args_is_help=True)
    token.command("set")(set_token)
    token.command("delete")(delete_token)
    group.add_typer(token, name="token")
    app.add_typer(group, name="hub")


def search(
    text: str,
    dataset: _Dataset = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="Maximum number of results.")] = 20,
    json_: _Json = False,
) -> None:
    """Search text models with safetensors (or datasets), most downloaded first."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    found = Studio.open().hub_search(text, "dataset" if dataset else "model", limit)
    if json_:
        return print_json(found)
    rows = [
        [one.repo, one.license or "not stated", f"{one.parameters / 1e6:.0f} M" if one.parameters else ""]
        + [human_bytes(one.bytes) if one.bytes else "", "yes" if one.gated else "", str(one.downloads)]
        for one in found
    ]
    table(["repository", "license", "parameters", "weights", "gated", "downloads"], rows)
    return None


def show(
    repo: str,
    dataset: _Dataset = False,
    revision: _Revision = "",
    card: Annotated[bool, typer.Option("--card", help="Also show its card.")] = False,
    json_: _Json = False,
) -> None:
    """Show a repository's license, size and files before downloading."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    studio = Studio.open()
    kind: Literal["dataset", "model"] = "dataset" if dataset else "model"
    found = studio.hub_details(repo, kind, revision)
    if json_:
        return print_json(found)
    line(f"{found.repo}, {human_bytes(found.bytes)}, license: {found.license or 'not stated'}")
    line(f"{found.url}, commit {found.commit}" + (", gated" if found.gated else ""))
    table(["file", "size"], [[each.name, human_bytes(each.bytes)] for each in found.files])
    if card:
        line(studio.hub_card(repo, kind))
    return None


def download(
    repo: str,
    revision: _Revision = "",
    name: Annotated[str, typer.Option(help="Name of the model. Default: the repository's name.")] = "",
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Download and import a model. After a failure, `slmops jobs retry` downloads only what is missing."""
    from backend.api import Studio
    from backend.cli.run import execute

    studio = Studio.open()
    params = studio.hub_download(repo, revision, name)
    raise SystemExit(execute(studio, studio.plan_stage("download", params, f"download {repo}"), json_))


def catalogue(json_: _Json = False) -> None:
    """List suggested models, smallest first. Works offline."""
    from backend.api import Studio

    found = Studio.open().hub_catalogue()
    if json_:
        return print_json(found)
    rows = [
        [one.repo, one.role, f"{one.parameters / 1e6:.0f} M", one.license, str(one.languages), one.type]
        + ["yes" if one.gated else ""]
        for one in found
    ]
    table(["repository", "for", "parameters", "license", "languages", "architecture", "gated"], rows)
    return None


def set_token() -> None:
    """Store your token in this machine's keyring. It is prompted for or read from standard input, never an argument."""
    import sys

    from backend.api import Studio

    studio = Studio.open()
    token = typer.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    studio.set_hub_token(token.strip())
    note("The token is kept in the keyring. HF_TOKEN, where it is set, goes before it.")


def delete_token() -> None:
    """Delete your token from this machine's keyring."""
    from backend.api import Studio

    Studio.open().delete_hub_token()
    note("Deleted the token.")
