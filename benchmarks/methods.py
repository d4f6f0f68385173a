"""Every method of fine-tuning on the same rows: `python -m benchmarks.methods [--steps 40] [--only lora,full]`.

SmolLM2-135M-Instruct learns the demo's English commands with each method for as many optimizer updates of 16 rows. Each trains
in a process of its own on one core, so that its CPU seconds can be compared on a busy machine, too. The loss is that of 200
validation rows afterwards, in nats a token; memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from backend.api import Studio
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.dataset import DataFolder, write_split
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.models.probe import inspect_folder
from backend.stages import stage
from tests.helpers import view

METHODS: dict[str, dict[str, Any]] = {
    "lora": {},
    "lora-attention": {"targets": "attention"},
    "lora-gaussian": {"initialization": "gaussian"},
    "lora-orthogonal": {"initialization": "orthogonal"},
    "lora-head": {"modules_to_save": ["lm_head"]},
    "lora-half": {"top_share": 0.5, "rank": 64, "alpha": 128},
    "dora": {"method": "dora"},
    "rslora": {"method": "rslora", "alpha": 16},
    "qlora-4": {"qlora": True},
    "qlora-8": {"qlora": True, "qlora_bits": 8},
    "full": {"method": "full", "learning_rate": None},
    "full-8bit": {"method": "full", "learning_rate": None, "optimizer": "adamw_8bit"},
    "dpo": {"method": "dpo", "learning_rate": None},
    "kto": {"method": "kto", "learning_rate": None},
}
_PREFERENCE = ("dpo", "kto")
"""Methods of the stage `preference`: they learn to prefer the right answer to another; their loss is their own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_one(asked.one, asked.steps)))
        return
    print(
        "| method | parameters | CPU s | peak GB | validation loss | of LoRA's | preferred |\n|---|---|---|---|---|---|---|",
        flush=True,
    )
    first = 0.0
    for name in asked.only.split(","):
        argv = [sys.executable, "-m", "benchmarks.methods", f"--steps={asked.steps}", f"--one={name}"]
        said = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout
        found = json.loads(said.splitlines()[-1])
        first = first or found["loss"]
        told = f"{found['preferred']:.1%} |" if name in _PREFERENCE else f"{found['loss'] / first:.2f} | |"
        print(
            f"| {name} | {found['parameters'] / 1e6:.1f} M | {found['seconds']:.0f} | {found['peak'] / 1e9:.2f} "
            f"| {found['loss']:.4f} | {'| ' * (name in _PREFERENCE)}{told}",
            flush=True,
        )


def _one(name: str, steps: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="methods-"))
    try:
        model = Studio.open(home=Settings().home).model("smollm2-135m-instruct").path
        base = view(model, Kind.MODEL, "base", **inspect_folder(model))
        ctx = MemoryContext(folder / "train", [base, _data(folder, name in _PREFERENCE)], seed=0)
        chosen = stage("preference" if name in _PREFERENCE else "finetune")
        given = {"model": "base", "data": "data", "max_steps": steps, "batch_size": 16, "learning_rate": 1e-3}
        params = chosen.parse({**given, "evaluate_rows": 200, "evaluate_steps": steps, **METHODS[name]})
        before = _seconds()
        metrics = chosen.run(params, ctx).metrics
        return {
            "loss": metrics["eval_loss"],
            "parameters": metrics["trained_parameters"],
            "seconds": _seconds() - before,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0,
            "preferred": metrics.get("eval_reward_accuracy", 0.0),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _data(folder: Path, paired: bool) -> ArtifactView:
    """The demo's commands; `paired`: each row with the answer of another that answers otherwise, as the rejected one."""
    ctx = MemoryContext(folder / "data")
    chosen = stage("dataset")
    chosen.run(
        chosen.parse({"source": "demo:smart-home", "languages": ["en"], "labelled_rows": 1200, "max_rows": 4000}), ctx
    )
    made = next(event for event in ctx.events if event["event"] == "artifact")
    path = Path(made["path"])
    if not paired:
        return view(path, Kind.DATASET, "data", **made["manifest"]["facts"])
    data = DataFolder(path)
    for split in ("train", "validation"):
        rows = list(data.rows(split))
        answers = sorted({str(row.output) for row in rows})
        other = dict(zip(answers, [*answers[1:], answers[0]], strict=True))
        write_split(path, split, [row.model_copy(update={"rejected": other[str(row.output)]}) for row in rows])
    return view(path, Kind.DATASET, "data", **data_facts(path))


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
