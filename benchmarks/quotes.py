"""What a training was said to take and what it took: `python -m benchmarks.quotes --home FOLDER [--rows 128] [--busy 2]`.

Twelve real jobs of the studio, three methods x two lengths x two batches, over the same rows of the demo; the long ones are six
commands in a line. With `--busy` so many processes compute beside them. The error is |quoted / taken - 1|; memory is the peak
of the job's processes. Quotes learn from earlier runs, as they do for a user: `first estimate` is without that.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import tempfile
from pathlib import Path
from statistics import median

from backend.api import Studio
from backend.core.schemas import Quote
from benchmarks.presets import STUDENT, finished

METHODS, BATCHES, COMMANDS = ("lora", "dora", "full"), (4, 16), (1, 6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True, help="home of the studio that runs it, with its model")
    parser.add_argument("--rows", type=int, default=128, help="rows that each job trains on")
    parser.add_argument("--busy", type=int, default=0, help="processes that compute beside it")
    asked = parser.parse_args()
    studio = Studio.open(home=asked.home)
    data = {commands: _data(studio, commands, asked.rows) for commands in COMMANDS}
    beside = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(asked.busy)]
    for process in beside:
        process.start()
    print("| method | commands a row | batch | quoted s | first estimate s | taken s | quoted GB | taken GB |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    jobs = [_job(studio, data, asked.rows, *cell) for cell in itertools.product(METHODS, COMMANDS, BATCHES)]
    for process in beside:
        process.terminate()
    time = [abs(quoted.seconds / taken - 1) for quoted, taken, _peak in jobs]
    memory = [abs(quoted.memory_bytes / peak - 1) for quoted, _taken, peak in jobs]
    print(f"\nmedian error of time {median(time):.0%}, of memory {median(memory):.0%}", end="")
    print(f"; {len(jobs)} jobs; load average at the end {os.getloadavg()[0]:.1f}")


def _job(
    studio: Studio, data: dict[int, str], rows: int, method: str, commands: int, batch: int
) -> tuple[Quote, float, int]:
    """The quote, the seconds that it took, and the peak of its memory in bytes."""
    params = {"model": STUDENT, "data": data[commands], "method": method, "batch_size": batch, "evaluate_rows": 0}
    run = studio.start_stage("finetune", {**params, "max_steps": rows // batch})
    (job,) = finished(studio, run.id).jobs
    if job.error or not (job.quote and job.seconds and job.peak_memory_bytes):
        raise SystemExit(f"{method}, {commands}, {batch}: {job.state} {job.error}")
    told, peak = job.quote, job.peak_memory_bytes
    print(
        f"| {method} | {commands} | {batch} | {told.seconds:.0f} | {told.seconds / told.stretch:.0f} | {job.seconds:.0f} "
        f"| {told.memory_bytes / 1e9:.2f} | {peak / 1e9:.2f} |",
        flush=True,
    )
    return told, job.seconds, peak


def _data(studio: Studio, commands: int, rows: int) -> str:
    """A dataset whose prompts are so many of the demo's commands."""
    source = {"source": "demo:smart-home", "languages": ["en"], "max_rows": 1000}
    (made,) = finished(studio, studio.start_stage("dataset", {**source, "name": "quotes-source"}).id).jobs
    texts = [row.input for row in studio.rows(made.result["artifact"], "train", count=rows + commands)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        lines = [
            json.dumps({"input": ". ".join(texts[at : at + commands]), "output": texts[at]})
            for at in range(len(texts) - commands)
        ]
        file.write_text("\n".join(lines), encoding="utf-8")
        given = {"source": str(file), "name": f"quotes-{commands}", "test": 0.0, "validation": 0.0}
        (made,) = finished(studio, studio.start_stage("dataset", given).id).jobs
    if made.error:
        raise SystemExit(str(made.error))
    return str(made.result["artifact"])


def _compute() -> None:
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    main()
