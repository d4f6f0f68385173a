"""`slmops jobs`: what runs, what failed and why; `gc`, `storage` and the trash."""

from __future__ import annotations

from typing import Annotated

import typer

from backend.cli.artifacts import restore
from backend.cli.output import duration, line, note, print_json, table
from backend.cli.projects import InProject
from backend.cli.run import error_text

_Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Runs and their jobs: list, show, logs, cancel, retry and more.", no_args_is_help=True)
    for command in (show, logs, cancel, retry, recipe, rename, tag, delete, checkpoints, prioritize, pause, resume):
        group.command(command.__name__)(command)
    group.command("list")(list_)
    group.command("restore")(restore)
    app.add_typer(group, name="jobs")
    app.command("gc")(gc)
    space = typer.Typer(help="Show disk usage by kind, and the trash.")
    space.callback(invoke_without_command=True)(storage)
    space.command("trash")(trash)
    app.add_typer(space, name="storage")


def list_(
    json_: _Json = False,
    limit: Annotated[int, typer.Option(help="Maximum number of runs.")] = 20,
    project: InProject = None,
) -> None:
    """List the newest runs with their jobs."""
    from backend.api import Studio

    studio = Studio.open()
    runs = studio.runs(limit, studio.store.within)
    if json_:
        return print_json(runs)
    rows = [
        [*([f"#{run.number}", run.id, run.name] if job is run.jobs[0] else ["", "", ""]), job.id, job.stage_id]
        + [job.state.value, duration(job.seconds), error_text(job)]
        for run in runs
        for job in run.jobs
    ]
    table(["#", "run", "name", "job", "stage", "state", "time", "error"], rows)
    return None


def show(ref: str, json_: _Json = False) -> None:
    """Show a run (r…) or job (j…) with all its parameters and results."""
    from backend.api import Studio

    studio = Studio.open()
    found = studio.run(ref) if ref.startswith("r") else studio.job(ref)
    if json_:
        return print_json(found)
    line(found.model_dump_json(indent=2))
    return None


def logs(job: str, last: Annotated[int, typer.Option(help="Number of lines.")] = 200) -> None:
    """Show the last log lines of a job."""
    from backend.api import Studio

    for row in Studio.open().logs(job, last):
        line(f"{row.at:%H:%M:%S} {row.level:<7} {row.text}")


def cancel(ref: str) -> None:
    """Cancel a job, or all jobs of a run."""
    from backend.api import Studio

    studio = Studio.open()
    studio.cancel_run(ref) if ref.startswith("r") else studio.cancel(ref)


def retry(job: str) -> None:
    """Retry a failed or cancelled job and those waiting for it. Finished stages are not repeated."""
    from backend.api import Studio

    Studio.open().retry(job)
    note("Waiting for a worker. Start one with `slmops worker` when no studio is open.")


def prioritize(job: str, priority: Annotated[int, typer.Argument(help="1 is first, 9 is last.")]) -> None:
    """Change the priority of a queued job."""
    from backend.api import Studio

    Studio.open().jobs.reprioritize(job, priority)


def pause(queue: str) -> None:
    """Pause a queue (light, cpu, gpu): no new jobs start."""
    from backend.api import Studio

    Studio.open().jobs.pause(queue)


def resume(queue: str) -> None:
    """Resume a paused queue."""
    from backend.api import Studio

    Studio.open().jobs.resume(queue)


def recipe(run: str) -> None:
    """Print a run's recipe, to run it again."""
    from backend.api import Studio

    line(Studio.open().recipe_of(run))


def rename(run: str, name: str) -> None:
    """Rename a run."""
    from backend.api import Studio

    Studio.open().edit_run(run, name=name)


def tag(
    run: str,
    tags: Annotated[list[str] | None, typer.Argument(help="The new tags. None removes all.")] = None,
) -> None:
    """Set the tags of a run."""
    from backend.api import Studio

    Studio.open().edit_run(run, tags=tags or [])


def delete(run: str) -> None:
    """Move a run, its logs and curves to the trash. Its results are kept."""
    from backend.api import Studio

    studio = Studio.open()
    studio.delete_run(run)
    note(f"Moved {run} to the trash for {studio.trash_days} days.")


def checkpoints(
    job: str,
    delete: Annotated[bool, typer.Option("--delete", help="Delete them, of a job that is not running.")] = False,
    json_: _Json = False,
) -> None:
    """List the checkpoints of a training job, oldest first: step, losses, time, size."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    studio = Studio.open()
    if delete:
        return note(f"{human_bytes(studio.delete_checkpoints(job))} freed.")
    found = studio.checkpoints(job)
    if json_:
        return print_json(found)
    scores = list(dict.fromkeys(name for each in found for name in each.scores))
    rows = [
        [
            each.step,
            f"{each.epoch:.2f}",
            *(_figure(value) for value in (each.train_loss, *map(each.scores.get, scores))),
        ]
        + [f"{each.saved:%Y-%m-%d %H:%M}", human_bytes(each.size_bytes)]
        + [" ".join(word for word, is_so in (("best", each.best), ("taken", each.taken)) if is_so)]
        for each in found
    ]
    return table(["step", "epoch", "train_loss", *scores, "saved (UTC)", "size", ""], rows)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def gc(
    days: Annotated[
        float, typer.Option(help="Delete runs that ended more than this many days ago; their results are kept.")
    ] = 30,
    cache: Annotated[
        bool, typer.Option(help="Also delete cached teacher answers; refused while jobs are running or queued.")
    ] = False,
) -> None:
    """Delete unreferenced files: partial artifacts, leftovers of finished jobs, old runs."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    note(f"{human_bytes(Studio.open().gc(days, cache))} freed.")


def storage(context: typer.Context, json_: _Json = False) -> None:
    """Show disk usage by kind, and the trash."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    if context.invoked_subcommand:
        return None
    found = Studio.open().storage()
    if json_:
        return print_json(found)
    rows = [[kind, found.counts.get(kind, ""), human_bytes(size)] for kind, size in sorted(found.by_kind.items())]
    table(["kind", "number", "size"], rows)
    line(f"`slmops gc` would free {human_bytes(found.reclaimable)}; {human_bytes(found.free)} is free on the disk.")
    return None


def trash(
    empty: Annotated[bool, typer.Option("--empty", help="Permanently delete everything in the trash.")] = False,
    older_than: Annotated[
        float, typer.Option(help="With --empty: only what was deleted at least this many days ago.")
    ] = 0,
    keep: Annotated[int, typer.Option(help="Keep deleted things for this many days from now on.")] = 0,
    json_: _Json = False,
) -> None:
    """List the trash, newest first."""
    from backend.api import Studio
    from backend.core.units import human_bytes

    studio = Studio.open()
    if keep:
        studio.set_trash_days(keep)
    if empty:
        return note(f"{human_bytes(studio.empty_trash(older_than))} freed.")
    found = studio.trash()
    if json_:
        return print_json(found)
    rows = [
        [each.id, each.kind, each.name, human_bytes(each.size_bytes), f"{each.trashed:%Y-%m-%d %H:%M}"]
        for each in found
    ]
    table(["id", "kind", "name", "size", "deleted (UTC)"], rows)
    return line(f"Kept for {studio.trash_days} days.")
