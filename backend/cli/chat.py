"""`slmops chat` and `slmops evaluate`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from backend.cli.output import line, note


def register(app: typer.Typer) -> None:
    app.command("chat")(chat)
    app.command("evaluate")(evaluate)


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's id, name or folder.")],
    dataset: Annotated[str, typer.Option(help="A dataset's id or name.")],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    json_: Annotated[bool, typer.Option("--json", help="One JSON object per event on stdout.")] = False,
) -> None:
    """Measure a model's quality and cost on a held-out split."""
    from backend.api import Studio
    from backend.cli.run import execute
    from backend.planning import recipes

    studio = Studio.open()
    found = studio.model(model)
    params: dict[str, Any] = {"model": found.id, "data": dataset, "split": split}
    step = {"id": "evaluation", "stage": "evaluate", "params": params}
    plan = studio.plan(recipes.build({"name": f"evaluate {found.name}", "stages": [step]}))
    raise SystemExit(execute(studio, plan, json_))


def chat(
    model: Annotated[str, typer.Argument(help="A model's id, name or folder.")],
    prompt: Annotated[str, typer.Option(help="Ask once and exit.")] = "",
    system: Annotated[str, typer.Option(help="System prompt; the model's own dataset template by default.")] = "",
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Maximum answer length in tokens.")] = 256,
    temperature: Annotated[
        float, typer.Option(min=0.0, max=2.0, help="0 always picks the most likely token; higher values vary more.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answer.")] = 0,
) -> None:
    """Chat with a model in the terminal. An empty line ends the chat."""
    from backend.api import Studio
    from backend.api.engine import open_engine
    from backend.data.dataset import Row, Template
    from backend.inference.protocol import Sampling

    studio = Studio.open()
    found = studio.model(model)
    template = Template.model_validate(found.facts.get("template") or {})
    if system:
        template = template.model_copy(update={"system": system})
    if studio.check_due(found):
        note(f"Checking the weights of {found.name}, which an earlier version imported …")
    found = studio.model_for_use(found.id)
    note(f"Loading {found.name} …")
    engine = open_engine(found, studio.artifact)
    sampling = Sampling(max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    try:
        while text := prompt or _ask():
            for piece in engine.stream(engine.encode(template.prompt(Row(id="chat", input=text))), sampling):
                sys.stdout.write(piece)
                sys.stdout.flush()
            line("")
            if prompt:
                return
    finally:
        engine.close()


def _ask() -> str:
    try:
        return input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""
