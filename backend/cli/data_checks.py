"""`slmops datasets check` and `slmops datasets clean`: whether a dataset is ready, and fixes that make a new version of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import line, note, print_json, table
from backend.core.errors import Problem, StudioError

if TYPE_CHECKING:
    from backend.api import Studio
    from backend.api.data_checks import DataCheck
    from backend.core.schemas import RunView

_Json = Annotated[bool, typer.Option("--json", help="One JSON object per event on stdout.")]
_SAID = {"ready": "Ready.", "warnings": "Ready, with warnings.", "not_ready": "Not ready."}
_NOT_READY = 3
_SHOWN_CHARS = 80


def register(datasets: typer.Typer) -> None:
    datasets.command("check")(check)
    datasets.command("clean")(clean)


def check(
    ref: Annotated[str, typer.Argument(metavar="NAME", help="Name or id of a dataset.")],
    model: Annotated[str, typer.Option(help="Count the rows' tokens with this model.")] = "",
    max_length: Annotated[int, typer.Option(help="Count rows longer than this, in tokens.")] = 0,
    near: Annotated[float, typer.Option(help="Similarity from which rows are near duplicates, 0.5 to 1.")] = 0.8,
    accept: Annotated[list[str] | None, typer.Option(help="<gate>=<reason>: accept a finding; repeatable.")] = None,
    leave_out: Annotated[list[str] | None, typer.Option(help="A gate to skip; repeatable.")] = None,
    json_: _Json = False,
) -> None:
    """Check a dataset before training. Exit code 0 if it is ready or has warnings, 3 if it is not ready, else 1."""
    from backend.api import Studio
    from backend.api.data_checks import read_check

    studio = Studio.open()
    params: dict[str, Any] = {"data": ref, "model": model or None, "max_length": max_length, "near_duplicates": near}
    params |= {"accepted": [_accepted(text) for text in accept or []], "leave_out": leave_out or []}
    finished = _run(studio, "check_data", params, json_)
    artifact = finished.jobs[0].result.get("artifact")
    if not artifact:
        raise SystemExit(_failed(finished, json_))
    found = read_check(studio, artifact)
    baseline = studio.baseline(found.data)
    said = baseline.advice.sentence() if baseline else ""
    if json_:
        print_json({"event": "result", **found.as_json(), "baseline": said})
    else:
        _show(found)
        line(f"baseline: {said}" if said else f"baseline: not measured (slmops datasets baseline {ref})")
    raise SystemExit(_NOT_READY if found.card.verdict == "not_ready" else 0)


def clean(
    ref: Annotated[str, typer.Argument(metavar="NAME", help="Name or id of a dataset.")],
    fix: Annotated[list[str] | None, typer.Option(help="A fix named by `slmops datasets check`; repeatable.")] = None,
    name: Annotated[str, typer.Option(help="Name of the new version.")] = "",
    near: Annotated[float, typer.Option(help="Similarity from which rows are near duplicates, 0.5 to 1.")] = 0.8,
    report: Annotated[str, typer.Option(help="With the fix drop_rows: the report whose rows are dropped.")] = "",
    gate: Annotated[
        list[str] | None, typer.Option(help="With the fix drop_rows: a gate whose rows are dropped.")
    ] = None,
    row: Annotated[list[str] | None, typer.Option(help="With the fix drop_rows: the id of a row; repeatable.")] = None,
    json_: _Json = False,
) -> None:
    """Apply fixes to a dataset. The result is a new version; the old one is kept."""
    from backend.api import Studio

    studio = Studio.open()
    params: dict[str, Any] = {
        "data": ref,
        "fixes": fix or [],
        "name": name,
        "near_duplicates": near,
        "report": report or None,
    }
    params |= {"gates": gate or [], "rows": row or []}
    finished = _run(studio, "clean_data", params, json_)
    result = finished.jobs[0].result
    if not result.get("artifact"):
        raise SystemExit(_failed(finished, json_))
    made = studio.dataset(result["artifact"])
    if json_:
        print_json(
            {"event": "result", "artifact": made.id, "counts": made.facts["cleaned"], "rows": made.facts["rows"]}
        )
        return
    counts = [[name, split, count] for name, by in made.facts["cleaned"].items() for split, count in by.items()]
    table(["fix", "split", "rows"], counts)
    line(f"{made.name} ({made.id}): {', '.join(f'{split} {n}' for split, n in made.facts['rows'].items() if n)}")


def _accepted(text: str) -> dict[str, str]:
    gate, equals, reason = text.partition("=")
    if not equals or not reason.strip():
        raise StudioError("gates.accept_form", text=text)
    return {"gate": gate.strip(), "reason": reason.strip()}


def _run(studio: Studio, stage: str, params: dict[str, Any], json_: bool) -> RunView:
    """Start one stage and watch it to its end. Raises StudioError when it can't start."""
    from backend.api.processes import ensure_worker
    from backend.cli.run import JsonProgress, ProgressBars, watch

    given = {name: value for name, value in params.items() if value not in (None, "", [])}
    plan = studio.plan_stage(stage, given, f"{stage} {given['data']}")
    if plan.blocking:
        raise StudioError.of(plan.blocking)
    for problem in plan.problems:
        note(problem.text())
    with ensure_worker(studio.settings) as worker_supervisor:
        started = studio.start(plan)
        return watch(studio, started.id, JsonProgress(studio) if json_ else ProgressBars(), worker_supervisor)


def _failed(finished: RunView, json_: bool) -> int:
    from backend.cli.run import error_text

    texts = [error_text(job) for job in finished.jobs if job.error]
    if json_:
        print_json({"event": "result", "status": finished.state.value, "errors": texts})
    for text in texts:
        note(text)
    return 1


def score_line(found: DataCheck) -> str:
    """`Ready, with warnings. 52 rows, 2 findings (report-…)`."""
    card = found.card
    return f"{_SAID[card.verdict]} {card.rows} rows, {len(card.findings)} findings ({found.artifact})"


def _show(found: DataCheck) -> None:
    line(score_line(found))
    rows = []
    for each in found.card.findings:
        example = each.examples[0] if each.examples else None
        shown = f"{example.row}: {example.text[:_SHOWN_CHARS]}" if example else ""
        severity = f"accepted: {each.accepted}" if each.accepted else each.severity
        rows.append([each.gate, severity, each.count, shown])
    if rows:
        table(["gate", "severity", "rows", "example"], rows)
    for each in found.card.findings:
        line(_sentence(each.gate, each.problem))
    for problem in found.card.not_checked:
        note(problem.sentence())


def _sentence(gate: str, problem: Problem) -> str:
    return f"{gate}: {problem.sentence()}"
