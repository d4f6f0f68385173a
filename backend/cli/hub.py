"""`slmops hub`: search a hub, look at what it has, download models and datasets. The only commands that ask the network for
them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from backend.cli.output import line, note, print_json, table
from backend.cli.projects import InProject

if TYPE_CHECKING:
    from backend.api import Studio

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_Dataset = Annotated[bool, typer.Option("--dataset", help="Datasets instead of models.")]
_Revision = Annotated[str, typer.Option(help="Branch, tag or commit. Default: the newest.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Model hub, such as huggingface.co: search, show, download, push.", no_args_is_help=True)
    for command in (search, show, download, push, catalogue):
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
    """Search text models with safetensors or GGUF files (or datasets), most downloaded first."""
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
    for each in found.gguf:
        line(f"GGUF: {each.name}, {human_bytes(each.bytes)}" + (f", {len(each.files)} parts" if each.files[1:] else ""))
    if found.parts:
        line("")
        rows = [[part.config or "-", part.split or "-", human_bytes(part.bytes)] for part in found.parts]
        table(["configuration", "split", "size"], rows)
    if card:
        line(studio.hub_card(repo, kind))
    return None


def download(
    repo: str,
    dataset: _Dataset = False,
    revision: _Revision = "",
    name: Annotated[str, typer.Option(help="Name of the result. Default: the repository's name.")] = "",
    config: Annotated[str, typer.Option(help="Of a dataset: its configuration, such as a language.")] = "",
    split: Annotated[list[str] | None, typer.Option(help="Of a dataset: only this split. Repeatable.")] = None,
    file: Annotated[
        list[str] | None, typer.Option(help="A GGUF file of a model, or files of a dataset (repeatable).")
    ] = None,
    accept_terms: Annotated[
        bool, typer.Option("--accept-terms", help="You accept the license of the GGUF file.")
    ] = False,
    files_only: Annotated[bool, typer.Option("--files-only", help="Of a dataset: import nothing yet.")] = False,
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Download a model or a dataset and import it; after a failure only what is missing is fetched (`slmops jobs retry`)."""
    from backend.api import Studio
    from backend.cli.run import execute

    studio = Studio.open()
    if dataset:
        params = studio.hub_data(repo, revision, config, split or [], file or [])
        return _fetch_data(studio, params, name, files_only, json_)
    params = studio.hub_download(repo, revision, name, (file or [""])[0], accept_terms)
    raise SystemExit(execute(studio, studio.plan_stage("download", params, f"download {repo}"), json_))


def _fetch_data(studio: Studio, params: dict[str, Any], name: str, files_only: bool, json_: bool) -> None:
    """Its files, then a dataset of them as `slmops datasets import` makes one."""
    from backend.cli.datasets import read_in
    from backend.cli.run import execute

    repo = params["repo"]
    code = execute(studio, studio.plan_stage("download_data", params, f"download {repo}"), json_)
    source = studio.hub_source(params)
    if source:
        note(f"The files are in {source}")
    if files_only or not source:
        raise SystemExit(code)
    read_in(studio, {"source": source, "name": name or repo.rpartition("/")[2]}, json_=json_)


def push(
    ref: Annotated[str, typer.Argument(help="A model, an adapter or a dataset.", metavar="NAME")],
    to: Annotated[str, typer.Option(help="The repository, as owner/name.")],
    public: Annotated[bool, typer.Option("--public", help="For everybody to see; private by default.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Add to a repository that has files already.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Send a model, an adapter or a dataset to a hub with its card. Shows what it sends first, and asks."""
    from backend.api import Studio
    from backend.cli.run import execute
    from backend.core.units import human_bytes

    studio = Studio.open()
    found = studio.hub_outgoing(ref)
    if dry_run and json_:
        return print_json(found)
    if not json_:
        seen = "public" if public else "private"
        line(
            f"{ref} to {to} ({found.kind}, {seen}), {human_bytes(found.bytes)}, license: {found.license or 'not stated'}"
        )
        table(["file", "size"], [[each.name, human_bytes(each.bytes)] for each in found.files])
        line(f"\nREADME.md:\n{found.card}")
    if dry_run:
        return None
    params = studio.hub_push(ref, to, not public, update)
    if not yes:
        typer.confirm("Send these files?", abort=True, err=True)
    raise SystemExit(execute(studio, studio.plan_stage("push", params, f"push {to}"), json_))


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
