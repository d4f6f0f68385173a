"""`slmops models`: import, list, show, rename, tag, delete, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.conversation import conversation
from backend.cli.output import announce_fetch, line, note, print_json, table
from backend.cli.projects import InProject
from backend.core.paths import absolute

if TYPE_CHECKING:
    from backend.api import Studio
    from backend.core.schemas import ArtifactView

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
_With = Annotated[bool, typer.Option("--with-descendants", help="Also delete everything made from it.")]


def register(app: typer.Typer) -> None:
    models = typer.Typer(help="Models: import, list, show, rename, tag, delete, restore.", no_args_is_help=True)
    models.command("import")(import_model)
    models.command("list")(list_models)
    models.command("show")(show_model)
    models.command("conversation")(conversation)
    models.command("from-checkpoint")(from_checkpoint)
    for command in (rename, tag, delete, restore):
        models.command(command.__name__)(command)
    app.add_typer(models, name="models")


def import_model(
    path: Path,
    name: Annotated[str, typer.Option(help="Name of the model. Default: the folder's or file's name.")] = "",
    accept_terms: Annotated[bool, typer.Option(help="Accept the terms of a GGUF file, which you have read.")] = False,
    base: Annotated[str, typer.Option(help="The model that an adapter belongs to: id or name.")] = "",
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Import a local model or LoRA adapter folder (safetensors, no remote code), a zip or GGUF file, or a built-in model by
    name."""
    from backend.api import Studio

    studio = Studio.open()
    wanted, path = str(path), absolute(path)
    if path.suffix.lower() == ".gguf" and path.is_file():
        terms = studio.terms(path)
        note(f"{terms.text}\n".lstrip() + f"{terms.name}: {terms.title or 'license unknown'} {terms.link or ''}")
        found = studio.import_model(path, name or terms.stem, accept_terms)
    elif path.exists():
        found = studio.import_model(path, name or (path.stem if path.is_file() else path.resolve().name), base=base)
    else:
        announce_fetch(studio, [wanted])
        found = studio.model(wanted, fetch=True)
    print_json(found) if json_ else _show(found)


def list_models(json_: _Json = False, project: InProject = None) -> None:
    """List models, newest first: full, adapters, ONNX, and built-in ones not imported yet."""
    from backend.api import MODEL_KINDS, Studio
    from backend.core.units import human_bytes

    studio = Studio.open()
    found = studio.artifacts(MODEL_KINDS, studio.store.within)
    if json_:
        return print_json(found)
    rows: list[list[Any]] = [
        [a.id, a.name, a.kind.value, a.facts.get("precision"), f"{a.facts.get('parameters', 0) / 1e6:.1f} M"]
        + [human_bytes(a.size_bytes), a.license, ", ".join(a.tags)]
        for a in found
    ]
    rows += [["", name, "built-in", "", "", "", "", ""] for name in studio.missing_builtins()]
    table(["id", "name", "kind", "precision", "parameters", "size", "license", "tags"], rows)
    return None


def from_checkpoint(
    job: str,
    step: int,
    name: Annotated[str, typer.Option(help="Name of the model.")] = "",
    json_: _Json = False,
) -> None:
    """Make a model of one checkpoint of a training (`slmops jobs checkpoints JOB` lists them). A worker does it."""
    from backend.api import Studio

    run = Studio.open().start_from_checkpoint(job, step, name)
    if json_:
        return print_json(run)
    return note(f"Run {run.id} is in the queue. Start `slmops worker` when no studio is open.")


def show_model(ref: str, json_: _Json = False) -> None:
    """Show a model's card: parameters, layers, context, vocabulary, license, and whether it fits this machine."""
    from backend.api import Studio
    from backend.core.errors import StudioError

    studio = Studio.open()
    found, card = studio.model(ref), studio.card(ref)
    try:
        found = studio.check_model(found.id)
    except StudioError as error:
        note(error.text())
    if json_:
        return print_json({"model": found, "card": card})
    _show(found)
    for key, value in card.rows():
        line(f"{key}: {value}")
    return None


def _id(studio: Studio, context: typer.Context, ref: str) -> str:
    """The id of what `ref` names: a model for `slmops models`, a dataset for `slmops datasets`."""
    from backend.api import MODEL_KINDS
    from backend.core.schemas import Kind

    group = context.parent.info_name if context.parent else ""
    return studio.artifact(ref, (Kind.DATASET,) if group == "datasets" else MODEL_KINDS).id


def rename(context: typer.Context, ref: str, name: str) -> None:
    """Rename it. What was made from it keeps its own name."""
    from backend.api import Studio

    studio = Studio.open()
    note(f"{ref} is called {studio.rename(_id(studio, context, ref), name).name} now.")


def tag(
    context: typer.Context,
    ref: str,
    tags: Annotated[list[str] | None, typer.Argument(help="The new tags. None removes all.")] = None,
) -> None:
    """Set its tags."""
    from backend.api import Studio

    studio = Studio.open()
    studio.tag(_id(studio, context, ref), tags or [])


def delete(context: typer.Context, ref: str, with_descendants: _With = False) -> None:
    """Move it to the trash. Refused if something depends on it or a job is using it."""
    from backend.api import Studio

    studio = Studio.open()
    for gone in studio.delete(_id(studio, context, ref), with_descendants):
        note(f"Moved {gone} to the trash for {studio.trash_days} days.")


def restore(refs: Annotated[list[str], typer.Argument(help="Ids or names.", metavar="REF...")]) -> None:
    """Restore things from the trash, with what they were made from."""
    from backend.api import Studio

    for back in Studio.open().restore(refs):
        note(f"Restored {back}.")


def _show(artifact: ArtifactView) -> None:
    show_head(artifact)
    for key, value in artifact.facts.items():
        if key not in ("template", "labels", "taken", "trial", "problems", "checked"):
            line(f"{key}: {value}")
    for each in artifact.problems:
        line(f"problem: {each.sentence()}")
    for each in artifact.taken:
        line(f"taken: {each.fact()}")
    if trial := artifact.facts.get("trial"):
        line(f"trial: {trial['prompt']}{trial.get('answer', '')}")
        line(f"end of turn: {trial['end']}")


def show_head(artifact: ArtifactView) -> None:
    """Name, kind, size, license and parents."""
    from backend.core.units import human_bytes

    line(f"{artifact.name} ({artifact.id}), {artifact.kind.value}, {human_bytes(artifact.size_bytes)}")
    line(f"license: {artifact.license or 'not stated'}; made from: {', '.join(artifact.parents) or 'nothing here'}")
