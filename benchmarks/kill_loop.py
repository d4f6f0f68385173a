"""kill -9 of a working worker, over and over: `python -m benchmarks.kill_loop [--kills 50]`.

A chain of stages that count (with a checkpoint after every step) runs while its worker is killed at random moments and
started again. Counted are: stages that ran twice at once, finished stages that ran again, artifacts that are missing.
Ends with 0 when none of these happened.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from backend.core.schemas import RunView, State
from tests.jobs.harness import WorkerHarness

_STAGES = 4


@dataclass
class Tally:
    kills: int = 0
    repeated: int = 0
    orphans: int = 0
    recovery: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        harness = WorkerHarness(Path(folder))
        try:
            raise SystemExit(report(harness, *loop(harness, options.kills, random.Random(options.seed))))
        finally:
            harness.close()


def loop(harness: WorkerHarness, kills: int, chance: random.Random) -> tuple[Tally, list[RunView]]:
    """Kill the worker `kills` times while there is work; a new chain is submitted whenever one has ended."""
    tally = Tally()
    runs = [submit(harness, 0)]
    harness.start()
    while tally.kills < kills:
        time.sleep(chance.uniform(0.3, 3.0))
        if all(job.state.ended for job in harness.service.run(runs[-1].id).jobs):
            runs.append(submit(harness, len(runs)))
        kill_worker(harness, tally)
    for run in runs:
        harness.finish(run, 120)
    harness.stop()
    return tally, runs


def kill_worker(harness: WorkerHarness, tally: Tally) -> None:
    """One kill -9, one restart, and the wait until a stage writes again."""
    harness.kill()
    killed = time.time()
    finished = {job.id for job in harness.store.jobs([State.SUCCEEDED], limit=10_000)}
    attempts = {job.id: job.attempts for job in harness.store.jobs(limit=10_000)}
    time.sleep(0.1)
    tally.orphans += len(harness.children())
    harness.start()
    harness.until(lambda: any(at > killed and event.startswith("start") for at, event, _, _ in harness.trace()), 30)
    tally.recovery.append(
        next(at for at, event, _, _ in harness.trace() if at > killed and event.startswith("start")) - killed
    )
    tally.repeated += sum(harness.service.get(job_id).attempts > attempts[job_id] for job_id in finished)
    tally.kills += 1
    print(f"kill {tally.kills}: work goes on after {tally.recovery[-1]:.1f} s", flush=True)


def submit(harness: WorkerHarness, number: int) -> RunView:
    names = [f"r{number}s{stage}" for stage in range(_STAGES)]
    return harness.submit(*[harness.job("steps", name, names[:at][-1:], steps=20) for at, name in enumerate(names)])


def report(harness: WorkerHarness, tally: Tally, runs: list[RunView]) -> int:
    """Print the summary; 0 when nothing was lost, doubled or repeated."""
    ends = [name for _, event, name, _ in harness.trace() if event == "end"]
    jobs = [job for run in runs for job in harness.service.run(run.id).jobs]
    failed = sum(job.state is not State.SUCCEEDED for job in jobs)
    missing = sum(harness.store.find_artifact(job.result.get("artifact", "")) is None for job in jobs)
    doubled = interleaved(harness)
    print(f"kills {tally.kills}, chains {len(runs)}, stages {len(jobs)}, attempts {sum(job.attempts for job in jobs)}")
    print(f"stages that ran twice at once: {doubled}")
    print(f"finished stages that ran again: {tally.repeated} (ended twice: {len(ends) - len(set(ends))})")
    print(f"stages not succeeded: {failed}, artifacts missing: {missing}, processes left over: {tally.orphans}")
    print(f"kill to work: p50 {median(tally.recovery):.1f} s, p95 {quantiles(tally.recovery, n=20)[-1]:.1f} s")
    return int(bool(doubled or tally.repeated or failed or missing or tally.orphans))


def interleaved(harness: WorkerHarness) -> int:
    """Stages in whose trace a process writes again after another process of the same stage began."""
    doubled = 0
    by_stage: dict[str, list[int]] = {}
    for _, _, name, pid in harness.trace():
        by_stage.setdefault(name, []).append(pid)
    for pids in by_stage.values():
        turns = [pid for at, pid in enumerate(pids) if at == 0 or pids[at - 1] != pid]
        doubled += len(turns) - len(set(turns))
    return doubled


if __name__ == "__main__":
    main()
