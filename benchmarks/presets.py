"""What the presets of the guided way reach on the shipped data: `python -m benchmarks.presets [--home FOLDER] [--goal sort]
[--presets quick,balanced,best]`.

Plans each preset as the page Home does, runs the whole chain with a worker of its own, and writes the measured figures into
assets/preset_figures.json, which is all that the page shows. A preset whose run did not end well changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from backend.api import Studio
from backend.api.forms import title_of
from backend.api.guide import DEMO, GOALS, PRESETS, TUNED_TEACHER, Figure, Material, Teacher, Wish, figures, plan_guided
from backend.api.processes import ensure_worker
from backend.core.machine import cores, memory_bytes
from backend.core.paths import assets
from backend.core.schemas import RunView
from backend.core.units import human_bytes
from backend.planning.guide.presets import FIGURES, settings_of
from backend.results.run_result import run_result

STUDENT = "smollm2-135m-instruct"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="home of the studio that runs it")
    parser.add_argument("--goal", choices=list(GOALS), default="sort")
    parser.add_argument("--presets", default="quick", help="separated by commas")
    parser.add_argument("--language", choices=["en", "es"], default="en")
    options = parser.parse_args()
    studio = Studio.open(home=options.home)
    for preset in options.presets.split(","):
        keep(measure(studio, options.goal, preset, options.language))


def measure(studio: Studio, goal: str, preset: str, language: str) -> Figure:
    """Run one preset to its end. Raises RuntimeError when it gives no figure."""
    source = {"source": DEMO, "languages": [language]}
    student = studio.model(STUDENT)
    teacher = Teacher(TUNED_TEACHER) if GOALS[goal].distills else None
    material = Material.of(studio.inspect(source).forecast)
    layers = int(student.facts["layers"])
    plan = plan_guided(studio, Wish(GOALS[goal], PRESETS[preset], source, student.id, layers, material, teacher))
    before, load = time.perf_counter(), os.getloadavg()[0]
    run = finished(studio, studio.start(plan).id)
    seconds = time.perf_counter() - before
    result = run_result(run, studio.artifacts())
    if result.best is None:
        raise RuntimeError("; ".join(f"{title_of(job.stage)}: {job.state} {job.error}" for job in run.jobs))
    value, interval = result.best.metrics[result.quality], result.best.interval(result.quality)
    print(
        f"{goal}, {preset}: {result.quality} {value:.3f} in {seconds:.0f} s; load {load:.1f} to {os.getloadavg()[0]:.1f}"
    )
    return Figure(
        preset=PRESETS[preset].name,
        goal=goal,
        data=f"{DEMO}, {language}",
        metric=result.quality,
        quality=round(value, 4),
        low=round(interval[0], 4) if interval else None,
        high=round(interval[1], 4) if interval else None,
        n=result.best.n,
        seconds=round(seconds, 1),
        machine=f"{cores()} cores, {human_bytes(memory_bytes())}",
        date=datetime.now(UTC).date().isoformat(),
        settings=settings_of(PRESETS[preset]),
    )


def finished(studio: Studio, run_id: str) -> RunView:
    """The run when all of its jobs have ended."""
    with ensure_worker(studio.settings) as supervisor:
        while not (run := studio.run(run_id)).state.ended:
            supervisor.check({job.queue for job in run.jobs if not job.state.ended})
            time.sleep(1)
    return run


def keep(figure: Figure) -> None:
    """In place of an earlier one of the same preset and goal."""
    others = [one for one in figures() if (one.preset, one.goal) != (figure.preset, figure.goal)]
    plain = [one.model_dump(mode="json") for one in [*others, figure]]
    (assets() / FIGURES).write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
