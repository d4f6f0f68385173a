"""One process against several: `python -m benchmarks.distributed MODEL DATASET [--processes 2] [--steps 20]`.

MODEL and DATASET are folders (a model, a dataset's artifact). `finetune` runs as its job would: LoRA in float32 without
dropout, the same batches of 8 rows for all processes together. All cores at once: one process has as many threads as the others
have together. Prints how far apart the losses of the steps are; tokens a second of each, and CPU seconds of its whole job, with
which other work on the machine interferes less.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.jobs.attempt import Attempt, Outcome
from backend.jobs.context import JobSpec
from tests.helpers import dataset_view, model_view

PARAMS = {"batch_size": 8, "rank": 8, "learning_rate": 1e-3, "dropout": 0.0}


def measure(model: Path, data: Path, processes: int, threads: int, folder: Path, **params: Any) -> dict[str, Any]:
    """Fine-tune in so many processes of `threads` threads. The curves by their names, and the stage's `metrics`. Raises
    AssertionError with its words for one that failed."""
    inputs = {view.id: view for view in (model_view(model), dataset_view(data))}
    asked = {**dict(zip(("model", "data"), inputs, strict=True)), **PARAMS, **params}
    places = {"dir": folder / "job", "artifacts": folder / "artifacts", "cache": folder / "cache"}
    order = JobSpec(
        job_id="j", stage="finetune", params=asked, seed=0, project="p", inputs=inputs, processes=processes, **places
    )
    events: list[dict[str, Any]] = []
    log = folder / "log"
    devices = {"OMP_NUM_THREADS": str(threads)}
    attempt = Attempt(order, "benchmarks.distributed_child", log, events.append, devices=devices)
    ended = asyncio.run(_supervised(attempt))
    assert ended.kind == "succeeded" and ended.result, f"{ended}\n{log.read_text()[-3000:]}"
    return {**curves(events), "metrics": ended.result["metrics"]}


def curves(events: Iterable[dict[str, Any]]) -> dict[str, list[float]]:
    """Of what a job reported, by their names."""
    found: dict[str, list[float]] = {}
    for event in events:
        if event["event"] == "metric":
            found.setdefault(event["name"], []).append(event["value"])
    return found


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def _supervised(attempt: Attempt) -> Outcome:
    """As a worker does: its child ends without a sign of life."""
    run = asyncio.ensure_future(attempt.run(lambda _pid: None))
    while not (await asyncio.wait([run], timeout=5))[0]:
        attempt.renew()
    return run.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    asked = parser.parse_args()
    found = {}
    for count in (1, asked.processes):
        with tempfile.TemporaryDirectory() as folder:
            threads = asked.threads * asked.processes // count
            wanted = {"max_steps": asked.steps, "evaluate_rows": 8}
            before = _cpu_seconds()
            found[count] = measure(asked.model, asked.data, count, threads, Path(folder), **wanted)
            pace = found[count]["metrics"]["tokens_per_s"]
            told = ", ".join(f"{loss:.3f}" for loss in found[count]["loss"])
            spent, load = _cpu_seconds() - before, os.getloadavg()[0]
            print(
                f"{count} x {threads} threads: {pace:.0f} tokens/s, {spent:.0f} CPU s, load {load:.1f}; losses {told}",
                flush=True,
            )
    one, several = (found[count]["loss"] for count in (1, asked.processes))
    print(f"at most {max(abs(a - b) for a, b in zip(one, several, strict=True)):.1e} apart")


if __name__ == "__main__":
    main()
