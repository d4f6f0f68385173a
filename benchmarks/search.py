"""A search with a kill in its middle: `python -m benchmarks.search --home FOLDER [--trials 12] [--minutes 15]`.

SmolLM2-135M learns the demo's English commands; rate, rank and initialization are searched with TPE, poor trials end early.
When `--kill-after` trials have ended and the next is at work, worker and job are killed with SIGKILL and started again. Printed
are the trials and what the kill cost: those that ended before it must stand as they were, and none may be tried twice.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import psutil
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from backend.api import Studio
from backend.api.processes import ensure_worker
from backend.core.schemas import JobView, RunView
from backend.results.search_report import SearchReport, read_report
from benchmarks.presets import STUDENT, finished

SPACE = ["learning_rate=2e-4..1e-2 log", "rank=4|8|16|32", "initialization=default|orthogonal|gaussian"]
Known = dict[int, tuple[dict[str, object], float | None]]
"""Values and loss of every trial that ended, by number."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="home of the studio that runs it, with its model")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--minutes", type=int, default=15, help="time budget of the search")
    parser.add_argument("--kill-after", type=int, default=5, help="trials that end before the kill")
    parser.add_argument("--steps", type=int, default=12, help="updates of 16 rows in a trial")
    asked = parser.parse_args()
    studio = Studio.open(home=asked.home)
    source = {"source": "demo:smart-home", "languages": ["en"], "max_rows": 1200, "name": "search-rows"}
    (data,) = finished(studio, studio.start_stage("dataset", source).id).jobs
    fixed = [f"max_steps={asked.steps}", "batch_size=16", "evaluate_rows=96", "evaluate_steps=3"]
    params = {"stage": "finetune", "model": STUDENT, "data": data.result["artifact"], "space": SPACE, "settings": fixed}
    run = studio.start_stage("search", {**params, "trials": asked.trials, "minutes": asked.minutes})
    begun = time.perf_counter()
    before = _kill(studio, run, asked.kill_after)
    (job,) = finished(studio, run.id).jobs
    if job.error or not job.result:
        raise SystemExit(f"{job.state}: {job.error}")
    _tell(studio, job, before, time.perf_counter() - begun)


def _kill(studio: Studio, run: RunView, after: int) -> Known:
    """SIGKILL to everything that works once so many trials have ended and another has moved on; what was known then."""
    (job,) = run.jobs
    with ensure_worker(studio.settings) as supervisor:
        while True:
            supervisor.check({job.queue})
            job = studio.run(run.id).jobs[0]
            if job.state.ended:
                raise SystemExit(f"{job.state} before the kill: {job.error}")
            known = _ended(studio, job)
            if len(known) >= after and job.done % 1 > 0.3:
                break
            time.sleep(1)
        for process in psutil.Process().children(recursive=True):
            process.kill()
    known = _ended(studio, job)
    print(f"killed with {len(known)} trials at an end, load {os.getloadavg()[0]:.1f}", flush=True)
    return known


def _ended(studio: Studio, job: JobView) -> Known:
    journal = studio.settings.jobs / job.id / "study.log"
    if not journal.is_file():
        return {}
    storage = JournalStorage(JournalFileBackend(str(journal)))
    trials = [trial for study in storage.get_all_studies() for trial in storage.get_all_trials(study._study_id)]
    return {trial.number: (trial.params, trial.value) for trial in trials if trial.state.is_finished()}


def _tell(studio: Studio, job: JobView, before: Known, seconds: float) -> None:
    made = [each for each in studio.artifacts() if each.facts.get("report") and each.job_id == job.id]
    report: SearchReport = read_report(made[0].path)
    print("| trial | values | state | validation loss | seconds |\n|---|---|---|---|---|")
    for each in report.trials:
        values = ", ".join(f"{value:.2g}" if isinstance(value, float) else str(value) for value in each.values.values())
        loss = "" if each.value is None else f"{each.value:.3f}"
        print(f"| {each.number + 1} | {values} | {each.state} | {loss} | {each.seconds:.0f} |")
    after = {each.number: (each.values, each.value) for each in report.trials}
    kept = sum(after.get(number) == known for number, known in before.items())
    states = [each.state for each in report.trials]
    numbers = sorted(after) == list(range(len(after)))
    print(
        f"\n{len(states)} trials in {seconds:.0f} s ({states.count('pruned')} ended early, {states.count('fail')} failed)"
    )
    print(f"attempts of the job: {job.attempts}; of {len(before)} ended before the kill {kept} stand as they were")
    print(f"each number once: {numbers}; best: trial {report.best + 1}, importance {report.importances}")


if __name__ == "__main__":
    main()
