"""`slmops datasets baseline`: how far one gets without a language model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import line, table
from backend.core.units import percent_text

if TYPE_CHECKING:
    from backend.core.schemas import ArtifactView


def measure_baseline(
    ref: str,
    split: Annotated[str, typer.Option(help="Rows to measure on: validation or test.")] = "validation",
    json_: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Measure a simple classifier and the nearest example; say whether to fine-tune. Exit code 3 if data is too scarce."""
    from backend.api import Studio
    from backend.cli.run import execute
    from backend.core.schemas import Kind

    studio = Studio.open()
    data = studio.dataset(ref)
    plan = studio.plan_stage("baseline", {"data": data.id, "split": split}, f"baseline {data.name}")
    code = execute(studio, plan, json_)
    made = [view for view in studio.artifacts([Kind.REPORT]) if view.facts.get("baseline") and data.id in view.parents]
    if made and not json_:
        _show(made[0])
    raise SystemExit(code)


def _show(made: ArtifactView) -> None:
    from backend.core.errors import Problem

    report: dict[str, Any] = made.facts["baseline"]
    rows = [
        [score["method"], _percent(score["accuracy"]), f"{_percent(score['low'])} to {_percent(score['high'])}"]
        + [_percent(score["token_f1"]), _percent(score["naive_accuracy"])]
        for score in report["methods"]
    ]
    table(["method", "correct", "95% CI", "Token F1", "correct, naive split"], rows)
    for problem in (report["advice"], *report["notes"]):
        line(Problem.model_validate(problem).sentence())


def _percent(share: float | None) -> str:
    return "" if share is None else percent_text(share)
