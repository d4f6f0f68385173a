"""`slmops run`: a recipe from start to end, with progress bars or one JSON object per event."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli.output import announce_fetch, duration, duration_range, line, note, print_json, table
from backend.cli.projects import InProject
from backend.core.errors import Problem, StudioError

if TYPE_CHECKING:
    from backend.api import Studio
    from backend.api.processes import WorkerSupervisor
    from backend.core.schemas import JobView, RunView
    from backend.planning.planner import Plan

_POLL_SECONDS = 0.4
EXIT = {"succeeded": 0, "findings": 3}
"""Exit code by how a run ended; 1 for anything else."""
EXIT_INPUT = 2


def register(app: typer.Typer) -> None:
    app.command("run")(run)


def run(
    recipe: Annotated[str | None, typer.Argument(help="A recipe file, or the name of a built-in recipe.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="<id>.<parameter>=<value>, repeatable.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object per event on stdout.")] = False,
    quote: Annotated[
        bool, typer.Option("--quote", "--dry-run", help="Check it and show its estimate, then stop.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the built-in recipes.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download the built-in model if needed.")] = False,
    project: InProject = None,
) -> None:
    """Run a recipe and wait until it ends. Exit code 0 if every stage succeeded, 3 if one ended with findings, else 1."""
    from backend.api import Studio

    studio = Studio.open()
    if list_ or recipe is None:
        table(["name", "description", "file"], studio.recipes())
        return
    loaded = studio.load_recipe(recipe, overrides(set_ or []))
    if fetch:
        announce_fetch(studio, studio.builtins_of(loaded))
    plan = studio.plan(loaded, fetch)
    if plan.blocking:
        raise StudioError.of(plan.blocking)
    for problem in plan.problems:
        note(problem.text())
    if not json_ or quote:
        show_plan(plan, json_)
    if quote:
        return
    raise SystemExit(execute(studio, plan, json_, said=[problem.sentence() for problem in plan.problems]))


def overrides(pairs: list[str]) -> dict[str, str]:
    """`["data.source=x.csv"]` -> `{"data.source": "x.csv"}`. Raises StudioError for one without `=`."""
    bad = [Problem(code="recipe.set_form", args={"text": pair}) for pair in pairs if "=" not in pair]
    if bad:
        raise StudioError.of(bad)
    return dict(pair.split("=", 1) for pair in pairs)


def execute(
    studio: Studio, plan: Plan, as_json: bool, said: Sequence[str] = (), more: Mapping[str, Any] | None = None
) -> int:
    """Start a plan, watch it to its end, print its result, with `more` fields of it as JSON; `said`: warnings that were told
    before. The exit code: 0 when every stage succeeded, 3 when one ended with findings, 2 when nothing but the user's data
    was bad, else 1."""
    from backend.api.processes import ensure_worker

    with ensure_worker(studio.settings) as worker_supervisor:
        started = studio.start(plan)
        try:
            finished = watch(studio, started.id, JsonProgress(studio) if as_json else ProgressBars(), worker_supervisor)
        except KeyboardInterrupt:
            note(f"No longer watching. The run goes on with the next worker; stop it: slmops jobs cancel {started.id}")
            raise SystemExit(130) from None
        studio.notifications.deliver()  # the worker may end before it gets to that
    result = summary(finished, studio)
    for text in [text for texts in result["warnings"].values() for text in texts]:
        if text not in said:
            note(f"warning: {text}")
    print_json({"event": "result", **result, **(more or {})}) if as_json else show_result(finished, studio)
    return EXIT_INPUT if input_refused(finished) else EXIT.get(finished.state.value, 1)


def input_refused(run: RunView) -> bool:
    """Whether a run of nothing but an import failed because of what is in the file, not of the machine."""
    return all(job.stage == "dataset" for job in run.jobs) and any(
        job.error and job.error.code.partition(".")[0] not in ("core", "jobs") for job in run.jobs
    )


def watch(studio: Studio, run_id: str, show: Callable[[RunView], None], worker_supervisor: WorkerSupervisor) -> RunView:
    """Poll until every job of the run has ended, and keep a worker for those that have not."""
    try:
        while True:
            seen = studio.run(run_id)
            show(seen)
            queues = {job.queue for job in seen.jobs if not job.state.ended}
            if not queues:
                return seen
            worker_supervisor.check(queues)
            time.sleep(_POLL_SECONDS)
    finally:
        getattr(show, "close", lambda: None)()


def summary(run: RunView, studio: Studio) -> dict[str, Any]:
    """What `--json` ends with: status, artifacts and metrics by stage id, errors as sentences."""
    jobs = {job.stage_id: job for job in run.jobs}
    return {
        "status": run.state.value,
        "run": run.id,
        "artifacts": {
            id_: {
                "id": job.result["artifact"],
                "stage": job.stage,
                "path": str(studio.artifact(job.result["artifact"]).path),
            }
            for id_, job in jobs.items()
            if job.result.get("artifact")
        },
        "metrics": {id_: job.result.get("metrics", {}) for id_, job in jobs.items() if job.result},
        "jobs": {
            id_: {
                "state": job.state.value,
                "seconds": job.seconds,
                "peak_memory_bytes": job.peak_memory_bytes,
                "quoted_seconds": round(job.quote.seconds, 1) if job.quote else None,
                "quoted_memory_bytes": job.quote.memory_bytes if job.quote else None,
            }
            for id_, job in jobs.items()
        },
        "warnings": {id_: job.result["warnings"] for id_, job in jobs.items() if job.result.get("warnings")},
        "findings": {id_: finding_texts(job) for id_, job in jobs.items() if job.findings},
        "errors": {id_: error_text(job) for id_, job in jobs.items() if job.error},
    }


def error_text(job: JobView) -> str:
    if job.error is None:
        return ""
    return Problem(code=job.error.code, args=job.error.args, field=job.error.field, stage=job.stage_id).text()


def finding_texts(job: JobView) -> list[str]:
    return [found.model_copy(update={"stage": job.stage_id}).text() for found in job.findings]


class JsonProgress:
    """Prints a line whenever a job's state or progress has changed."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.seen: dict[str, tuple[Any, ...]] = {}

    def __call__(self, run: RunView) -> None:
        for job in run.jobs:
            now = (job.state, job.done, job.total, job.note)
            before = self.seen.get(job.id)
            self.seen[job.id] = now
            if before is None or before[0] != job.state:
                event = {
                    "event": "job",
                    "id": job.stage_id,
                    "stage": job.stage,
                    "job": job.id,
                    "state": job.state.value,
                }
                print_json(event | ({"error": error_text(job)} if job.error else {}))
            elif before != now:
                print_json(
                    {
                        "event": "progress",
                        "id": job.stage_id,
                        "done": job.done,
                        "total": job.total,
                        "note": job.note,
                        "eta_seconds": job.eta_seconds,
                    }
                )


class ProgressBars:
    """A bar per stage on a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            TextColumn("{task.fields[stage]:<18}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]:<10}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        self.tasks: dict[str, Any] = {}
        self.progress.start()

    def __call__(self, run: RunView) -> None:
        for job in run.jobs:
            if job.id not in self.tasks:
                self.tasks[job.id] = self.progress.add_task("", start=False, stage=job.stage_id, state="", note="")
            task = self.tasks[job.id]
            if job.state.value == "running" and not self.progress.tasks[task].started:
                self.progress.start_task(task)
            if job.state.ended:
                self.progress.stop_task(task)
            done = job.total if job.state.finished else job.done
            left = f"{duration(job.eta_seconds)} left  {job.note}" if job.eta_seconds else job.note
            note = "" if job.state.ended else left
            self.progress.update(task, completed=done, total=job.total or None, state=job.state.value, note=note)

    def close(self) -> None:
        self.progress.stop()


def show_plan(plan: Plan, as_json: bool) -> None:
    """The quote of every stage and the sum."""
    from backend.core.units import human_bytes
    from backend.providers.budget import format_usd

    if as_json:
        quotes = {step.step.id: step.quote.model_dump(exclude={"forecast"}) for step in plan.steps}
        sums = {"seconds": plan.seconds, "seconds_range": plan.seconds_range, "disk_bytes": plan.disk_bytes}
        print_json({"event": "quote", "stages": quotes, **sums, "money": plan.money})
        return
    rows = [
        [
            step.step.id,
            step.step.stage,
            duration_range(step.quote.least_seconds, step.quote.most_seconds),
            human_bytes(step.quote.memory_bytes)
            + (f" + GPU {human_bytes(vram)}" if (vram := step.quote.vram_bytes) else ""),
            human_bytes(step.quote.disk_bytes),
            f"{format_usd(step.quote.money)} USD" if step.quote.money else "",
        ]
        for step in plan.steps
    ]
    money = f"{format_usd(plan.money)} USD" if plan.money else ""
    total = [duration_range(*plan.seconds_range), human_bytes(plan.memory_bytes), human_bytes(plan.disk_bytes), money]
    rows.append(["in all", "", *total])
    table(["stage", "kind", "time", "memory", "disk", "money"], rows)
    for step in plan.steps:
        if step.quote.learning:
            line(f"{step.step.id} {step.quote.learning.text()}")


def baseline_comparison(studio: Studio, job: JobView) -> str:
    """Whether the model of an evaluation beats the quick baseline; "" where its evaluation is gone."""
    found = studio.against_baseline(job.result["artifact"]) if job.result else None
    return found.sentence() if found else ""


def show_result(run: RunView, studio: Studio) -> None:
    """Each stage's end with its error, the evaluations side by side, and where the packages lie."""
    from backend.api.metrics import headline
    from backend.core.units import human_bytes
    from backend.results.load_tests import figures_line

    for job in run.jobs:
        for text in [*finding_texts(job), *([error_text(job)] if job.error else [])]:
            note(text)
    figures: dict[str, Callable[[float], str]] = dict.fromkeys(("ttft_ms", "latency_ms_p50"), "{:.0f} ms".format)
    figures |= {"decode_tokens_per_s": "{:.1f}".format, "peak_memory_bytes": human_bytes, "size_bytes": human_bytes}
    rows = []
    for job in run.jobs:
        if job.stage == "evaluate" and job.result:
            found = job.result["metrics"]
            name = headline(found)
            quality, baseline = (found.get(f"{start}{name}") for start in ("", "baseline_"))
            rows.append(
                [
                    job.stage_id,
                    f"{name} {quality:.3f}" if quality is not None else "",
                    f"{baseline:.3f}" if baseline is not None else "",
                    *(write(found[figure]) if figure in found else "" for figure, write in figures.items()),
                ]
            )
    if rows:
        table(["evaluation", "quality", "baseline", "TTFT", "latency", "tokens/s", "memory", "size"], rows)
    for job in run.jobs:
        if job.stage == "evaluate" and (comparison := baseline_comparison(studio, job)):
            line(f"{job.stage_id}: {comparison}")
        if job.stage == "load_test" and job.result:
            line(f"{job.stage_id}: {figures_line(job.result['metrics'])}")
        if job.stage == "package" and job.result:
            line(f"package: {studio.artifact(job.result['artifact']).path}")
    line(f"{run.name}: {run.state.value} (run {run.id})")
