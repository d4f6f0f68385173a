"""`slmops models conversation`: another chat template or end of turn for a model, tried before it is kept."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import line, note, print_json

if TYPE_CHECKING:
    from backend.core.schemas import ArtifactView


def conversation(
    ref: str,
    end: Annotated[str, typer.Option(help="The token that ends the model's turn.")] = "",
    template: Annotated[Path | None, typer.Option(help="A file with a chat template in Jinja.")] = None,
    family: Annotated[str, typer.Option(help="Template and end of turn of a family, such as chatml.")] = "",
    thinking: Annotated[
        bool | None, typer.Option("--thinking/--no-thinking", help="Where the template can turn it on or off.")
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the new model; by default as the old one, numbered.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Keep it without a question.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Show a model's chat template and end of turn; with an option, try other ones and keep them as a new model."""
    from backend.api import Studio
    from backend.api.imports import ConversationEdit

    studio = Studio.open()
    view = studio.model(ref)
    if not (end or template or family) and thinking is None:
        return _show(studio.template_of(view.id), view, json_)
    text = template.read_text("utf-8") if template else None
    edit = ConversationEdit(family=family, template=text, end=end, thinking=thinking)
    trial, told = studio.try_conversation(view.id, edit)
    if not json_:
        _show_trial(trial)
        for each in told:
            note(each.fact())
    if not yes and not (sys.stdin.isatty() and typer.confirm("Keep this as a new model?", err=True)):
        note("Nothing was kept. Add --yes to keep it.")
        return print_json({"trial": trial, "model": None}) if json_ else None
    made = studio.keep_conversation(view.id, edit, name)
    return print_json({"trial": trial, "model": made}) if json_ else note(f"Kept as {made.name} ({made.id}).")


def _show(text: str, view: ArtifactView, json_: bool) -> None:
    end = view.facts.get("trial", {}).get("end", "")
    if json_:
        return print_json({"template": text, "end": end})
    line(text)
    note(f"end of turn: {end or 'not tried yet'}")
    return None


def _show_trial(trial: dict[str, Any]) -> None:
    line(f"{trial['prompt']}{trial.get('answer', '')}")
    line(f"end of turn: {trial['end']}")
