"""The distillation methods side by side: `python -m benchmarks.distill [--rows 400] [--repeats 2] [--steps 0]`.

SmolLM2-135M and the demo's commands. Measured in one run, each part in a process of its own: the capture (tokens a second,
bytes a token on disk), and training a six-layer student on the same rows in the same order: on the answers alone, with the
capture, and with the teacher in memory (seconds a step, peak memory of the process). The kinds of training take turns. A
student with tokens of its own has a second pair: its answers alone, and the teacher across tokenizers.

`--teacher ID --student ID --data ID`: those of the studio in SLMOPS_HOME instead, such as the quick start's; the student was
cut from the teacher. `--capture ID`: one that is there already. `--routes sft,live`: only these kinds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from backend.api import Studio
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.models.probe import TOKENIZER_FILES, inspect_folder
from backend.process.memory import peak_memory
from backend.stages import stage
from tests.helpers import build_tiny_model, view

_KEEP = [0, 1, 2, 11, 20, 29]
_TRAININGS: dict[str, dict[str, Any]] = {
    "sft": {},
    "logit": {"method": "offline_logit"},
    "live": {"method": "online_logit"},
    "on_policy": {"method": "on_policy"},
    "hidden": {"method": "hidden_states"},
    "own_sft": {"student": "other"},
    "cross_tokenizer": {"method": "cross_tokenizer", "student": "other"},
}
"""What is trained. `sft` is what the next ones are compared with, `own_sft` what the last one is."""
_GIVEN = ("teacher", "student", "data", "capture")


class _StepTimer(MemoryContext):
    """Notes when each step of a training ended; the first moment is its start."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.moments: list[tuple[float, float]] = []

    def progress(self, done: float, total: float, note: str = "") -> None:
        super().progress(done, total, note)
        if note == "training" and done == len(self.moments):
            self.moments.append((time.perf_counter(), time.process_time()))

    def step_seconds(self) -> tuple[float, float]:
        """(median by the clock, mean of CPU time, which other load disturbs less) of a step."""
        steps = [(one[0] - two[0], one[1] - two[1]) for two, one in pairwise(self.moments)]
        return median(each for each, _ in steps), sum(each for _, each in steps) / len(steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400, help="rows for training")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="steps at most of each training; 0: one epoch")
    parser.add_argument("--routes", default=",".join(_TRAININGS), help="what to train, separated by commas")
    for name in _GIVEN:
        parser.add_argument(f"--{name}", help=f"id of the {name} in SLMOPS_HOME")
    parser.add_argument("--part", choices=["prepare", "capture", *_TRAININGS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        _part(options)
        return
    with tempfile.TemporaryDirectory() as folder:
        options.folder = Path(folder)
        compare(options)


def compare(options: argparse.Namespace) -> None:
    """Run all parts and print the table."""
    _child("prepare", options)
    parts = options.routes.split(",")
    if "logit" in parts and not options.capture:
        _capture(options)
    runs: dict[str, list[dict[str, float]]] = {part: [] for part in parts}
    for _ in range(options.repeats):
        for part, found in runs.items():
            found.append(_child(part, options))
            last, load = found[-1], os.getloadavg()[0]
            took = f"{last['step_seconds'] * 1000:.0f} ms a step ({last['step_cpu'] * 1000:.0f} of CPU)"
            print(f"  {part}: {took}, peak {last['peak'] / 1e9:.2f} GB, load {load:.1f}", flush=True)
    middle = {part: {name: median(run[name] for run in found) for name in found[0]} for part, found in runs.items()}
    for part, found in middle.items():
        alone = middle.get("own_sft" if _TRAININGS[part].get("student") else "sft", found)
        print(
            f"{part}: {found['step_seconds'] * 1000:.0f} ms a step ({found['step_seconds'] / alone['step_seconds']:.2f} x), "
            f"peak {found['peak'] / 1e9:.2f} GB ({(found['peak'] - alone['peak']) / 1e9:+.2f}), "
            f"CPU time of a step {found['step_cpu'] / alone['step_cpu']:.2f} x"
        )


def _capture(options: argparse.Namespace) -> None:
    capture = _child("capture", options)
    print(f"capture: {capture['tokens_per_s']:.0f} tokens/s read, {capture['tokens']:.0f} tokens of answers kept")
    print(f"  {capture['bytes_per_token']:.1f} bytes a token on disk, k = {capture['k']:.0f}")
    print(
        f"  left out {capture['mean_tail']:.2%} of the mass, peak {capture['peak'] / 1e9:.2f} GB, {capture['cpu']:.0f} CPU s",
        flush=True,
    )


def _child(part: str, options: argparse.Namespace) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.distill", "--part", part, "--folder", str(options.folder)]
    argv += ["--rows", str(options.rows), "--steps", str(options.steps)]
    for name in _GIVEN:
        argv += [f"--{name}", getattr(options, name)] if getattr(options, name) else []
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _part(options: argparse.Namespace) -> None:
    folder, part = options.folder, options.part
    if part == "prepare":
        _prepare(folder, options)
        print("{}")
        return
    views = {file.stem: ArtifactView.model_validate_json(file.read_text()) for file in sorted(folder.glob("*.json"))}
    teacher, data = views["teacher"].id, views["data"].id
    params: dict[str, Any] = {"teacher": teacher, "data": data}
    if part != "capture":
        asked = _TRAININGS[part]
        params = {"data": data, "epochs": 1, "max_steps": options.steps, "evaluate_rows": 0, **asked}
        params["student"] = views[asked.get("student", "student")].id
        if part == "logit":
            params["capture"] = views["capture"].id
        elif "method" in asked:
            params["teacher"] = teacher
    ctx = _StepTimer(folder / part, [*views.values()])
    chosen = stage("capture" if part == "capture" else "distill")
    metrics = chosen.run(chosen.parse(params), ctx).metrics
    if part == "capture":
        _keep(folder / "capture.json", ctx)
    else:
        metrics["step_seconds"], metrics["step_cpu"] = ctx.step_seconds()
    shutil.rmtree(ctx.dir)
    print(json.dumps({**metrics, "peak": peak_memory(), "cpu": time.process_time()}))


def _prepare(folder: Path, options: argparse.Namespace) -> None:
    """Teacher, student and rows: the studio's, or the built-in model, six of its layers and the demo's commands. And the
    student with tokens of its own."""
    studio = Studio.open(home=Settings().home)
    teacher = studio.artifact(options.teacher) if options.teacher else studio.model("smollm2-135m-instruct")
    (folder / "teacher.json").write_text(teacher.model_dump_json())
    if base := teacher.facts.get("base"):
        (folder / "base.json").write_text(studio.artifact(base).model_dump_json())
    for name in _GIVEN[1:]:
        if chosen := getattr(options, name):
            (folder / f"{name}.json").write_text(studio.artifact(chosen).model_dump_json())
    if not options.student:
        _cut(folder, teacher)
    if not options.data:
        _commands(folder, options.rows)
    _other(folder)


def _cut(folder: Path, teacher: ArtifactView) -> None:
    from backend.ml.compression.prune import prune_layers
    from backend.ml.inference.load import load_model
    from backend.ml.training.full_model import save_model

    model = prune_layers(load_model(teacher, lambda _: teacher), _KEEP)
    out = folder / "student"
    save_model(model, out)
    for name in TOKENIZER_FILES:
        if (teacher.path / name).is_file():
            shutil.copyfile(teacher.path / name, out / name)
    facts = {**inspect_folder(out), "kept_layers": _KEEP}
    (folder / "student.json").write_text(view(out, Kind.MODEL, "model-student", **facts).model_dump_json())


def _commands(folder: Path, rows: int) -> None:
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
    _keep(folder / "data.json", ctx)


def _other(folder: Path) -> None:
    """The student's layers under a table of 1,024 tokens that were made on the rows, with random weights."""
    from backend.data.dataset import DataFolder
    from backend.ml.inference.load import load_model
    from backend.ml.training.full_model import save_model

    views = [ArtifactView.model_validate_json((folder / f"{name}.json").read_text()) for name in ("student", "data")]
    texts = [f"{row.input} {row.output}" for row in DataFolder(views[1].path).rows("train")]
    tokens, out = build_tiny_model(folder / "tokens", texts=texts), folder / "other"
    model = load_model(views[0], lambda _: views[0])
    model.resize_token_embeddings(1024)
    model.model.embed_tokens.weight.data.normal_(std=0.02)
    for config in (model.config, model.generation_config):
        config.bos_token_id, config.eos_token_id, config.pad_token_id = 1, 2, 2
    save_model(model, out)
    for name in TOKENIZER_FILES:
        if (tokens / name).is_file():
            shutil.copyfile(tokens / name, out / name)
    facts = inspect_folder(out)
    (folder / "other.json").write_text(view(out, Kind.MODEL, "model-other", **facts).model_dump_json())


def _keep(file: Path, ctx: MemoryContext) -> None:
    event = next(event for event in ctx.events if event["event"] == "artifact")
    manifest, path = event["manifest"], Path(event["path"])
    facts = manifest["facts"] if manifest["kind"] != Kind.DATASET else data_facts(path)
    made = view(path, manifest["kind"], manifest["id"], manifest["parents"], **facts)
    file.write_text(made.model_dump_json())


if __name__ == "__main__":
    main()
