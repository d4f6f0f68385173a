"""Offline logit distillation side by side: `python -m benchmarks.distill [--rows 400] [--repeats 2]`.

SmolLM2-135M and the demo's commands. Measured in one run, each part in a process of its own: the capture (tokens a second,
bytes a token on disk), and training a six-layer student on the same rows in the same order, on the answers alone and with
the capture (seconds a step, peak memory of the process). The two kinds of training take turns.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from backend.api import Studio
from backend.data.rows import data_facts
from backend.jobs.context import MemoryContext
from backend.jobs.guards import peak_memory
from backend.models.probe import TOKENIZER_FILES, inspect_folder
from backend.schemas import ArtifactView, Kind
from backend.settings import Settings
from backend.stages import stage
from tests.helpers import view

_KEEP = [0, 1, 2, 11, 20, 29]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400, help="rows for training")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--part", choices=["prepare", "capture", "sft", "logit"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        _part(options.part, options.folder, options.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.rows, options.repeats)


def compare(folder: Path, rows: int, repeats: int) -> None:
    """Run all parts and print the table."""
    _child("prepare", folder, rows)
    capture = _child("capture", folder, rows)
    print(f"capture: {capture['tokens_per_s']:.0f} tokens/s read, {capture['tokens']:.0f} tokens of answers kept")
    print(f"  {capture['bytes_per_token']:.1f} bytes a token on disk, k = {capture['k']:.0f}")
    print(
        f"  left out {capture['mean_tail']:.2%} of the mass, peak {capture['peak'] / 1e9:.2f} GB, {capture['cpu']:.0f} CPU s",
        flush=True,
    )
    runs: dict[str, list[dict[str, float]]] = {"sft": [], "logit": []}
    for _ in range(repeats):
        for part, found in runs.items():
            found.append(_child(part, folder, rows))
            print(
                f"  {part}: {found[-1]['step_seconds'] * 1000:.0f} ms a step, {found[-1]['cpu']:.0f} CPU s", flush=True
            )
    middle = {part: {name: median(run[name] for run in found) for name in found[0]} for part, found in runs.items()}
    for part, found in middle.items():
        print(f"{part}: {found['step_seconds'] * 1000:.0f} ms a step, peak {found['peak'] / 1e9:.2f} GB")
    sft, logit = middle["sft"], middle["logit"]
    print(f"a logit step takes {logit['step_seconds'] / sft['step_seconds']:.2f} times the time of an SFT step")
    print(f"  and its process {logit['cpu'] / sft['cpu']:.2f} times the CPU time, which other load disturbs less")


def _child(part: str, folder: Path, rows: int) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.distill", "--part", part, "--folder", str(folder), "--rows", str(rows)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _part(part: str, folder: Path, rows: int) -> None:
    if part == "prepare":
        _prepare(folder, rows)
        print("{}")
        return
    inputs = {name: ArtifactView.model_validate_json((folder / f"{name}.json").read_text()) for name in ("m", "s", "d")}
    teacher, student, data = inputs.values()
    params: dict[str, Any] = {"teacher": teacher.id, "data": data.id}
    given = [teacher, student, data]
    if part != "capture":
        params = {"student": student.id, "data": data.id, "epochs": 1, "evaluate_rows": 0}
    if part == "logit":
        made = ArtifactView.model_validate_json((folder / "c.json").read_text())
        params["capture"] = made.id
        given.append(made)
    ctx = MemoryContext(folder / part, given)
    chosen = stage("capture" if part == "capture" else "distill")
    metrics = chosen.run(chosen.parse(params), ctx).metrics
    if part == "capture":
        _keep(folder / "c.json", ctx)
    else:
        tokens = next(int(e["text"].split()[3]) for e in ctx.events if "tokens to train on" in e.get("text", ""))
        metrics["step_seconds"] = tokens / metrics["tokens_per_s"] / metrics["steps"]
    shutil.rmtree(ctx.dir)
    print(json.dumps({**metrics, "peak": peak_memory(), "cpu": time.process_time()}))


def _prepare(folder: Path, rows: int) -> None:
    """The built-in model, a student of six of its layers, and the demo's commands."""
    from backend.ml.load import load_model
    from backend.ml.student import cut_layers, save_student

    teacher = Studio.open(home=Settings().home).model("smollm2-135m-instruct")
    (folder / "m.json").write_text(teacher.model_dump_json())
    model = cut_layers(load_model(teacher, lambda _: teacher), _KEEP)
    out = folder / "student"
    save_student(model, out)
    for name in TOKENIZER_FILES:
        if (teacher.path / name).is_file():
            shutil.copyfile(teacher.path / name, out / name)
    (folder / "s.json").write_text(view(out, Kind.MODEL, "model-student", **inspect_folder(out)).model_dump_json())
    ctx = MemoryContext(folder / "prepare")
    asked = {
        "source": "demo:smart-home",
        "languages": ["en"],
        "labelled_rows": rows,
        "max_rows": 2 * rows,
        "test": 0.12,
    }
    chosen = stage("dataset")
    chosen.run(chosen.parse(asked), ctx)
    _keep(folder / "d.json", ctx)


def _keep(file: Path, ctx: MemoryContext) -> None:
    event = next(event for event in ctx.events if event["event"] == "artifact")
    manifest, path = event["manifest"], Path(event["path"])
    facts = manifest["facts"] if manifest["kind"] != Kind.DATASET else data_facts(path)
    made = view(path, manifest["kind"], manifest["id"], manifest["parents"], **facts)
    file.write_text(made.model_dump_json())


if __name__ == "__main__":
    main()
