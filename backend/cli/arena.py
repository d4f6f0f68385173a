"""`slmops arena`: votes of the blind arena, standings, preference pairs."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.cli.output import note, print_json, table
from backend.cli.projects import InProject

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Blind arena: standings, votes, preference pairs.", no_args_is_help=True)
    group.command("standings")(show_standings)
    group.command("votes")(list_votes)
    group.command("pairs")(make_pairs)
    app.add_typer(group, name="arena")


def show_standings(json_: _Json = False, project: InProject = None) -> None:
    """Show how a project's models do in blind votes: Bradley-Terry ratings on Elo's scale with 95% intervals."""
    from backend.api import Studio
    from backend.core.units import percent_text

    studio = Studio.open()
    found = studio.arena.standings(studio.store.project())
    if json_:
        return print_json(found)
    rows = [
        [each.name, each.model, f"{each.rating:.0f}", f"{each.low:.0f} to {each.high:.0f}", each.votes]
        + [percent_text(each.share)]
        for each in found.models
    ]
    table(["model", "id", "rating", "95% CI", "votes", "won"], rows)
    if found.early:
        note(f"{found.votes} votes: too early to tell models apart.")
    if not found.connected:
        note("Some models never met, directly or through others: their ratings can't be compared.")
    return None


def list_votes(project: InProject = None) -> None:
    """Print a project's votes with prompts and answers, one JSON object a line."""
    from backend.api import Studio

    studio = Studio.open()
    for vote in studio.arena.votes(studio.store.project()):
        print_json(vote)


def make_pairs(
    name: Annotated[str, typer.Option(help="Name of the new dataset.")] = "arena-pairs",
    json_: _Json = False,
    project: InProject = None,
) -> None:
    """Make a preference dataset of a project's votes, for the stage `preference` (DPO). Ties are left out."""
    from backend.api import Studio
    from backend.cli.run import execute

    studio = Studio.open()
    mine = studio.store.project()
    found = studio.arena.pairs(mine)
    plan = studio.plan_stage("dataset", studio.arena.pair_params(mine, name), f"import {name}")
    note(
        f"{len(found.rows)} pairs. Votes left out: {found.ties} ties, {found.unusable} with equal or empty answers, "
        f"{found.contradictory} contradictory, {found.repeated} repeated."
    )
    raise SystemExit(execute(studio, plan, json_))
