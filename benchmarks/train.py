"""Fine-tuning side by side: `python -m benchmarks.train [--model FOLDER] [--steps 60] [--rows 1200] [--only ours,trl-bf16]`.

SmolLM2-135M-Instruct learns the intent of the demo's English commands from the same rows with the same adapter (rank, alpha,
all linear layers), batch, number of steps and learning rate: by this studio's `finetune` (`ours-top-layers` and others: with
what that preset sets), by TRL's SFTTrainer as its documentation shows it (float32, and mixed with bfloat16, which takes minutes
a step on a CPU without instructions for it) and by `olive finetune`. Each trains in a process of its own that gets all cores;
rows a second are those of its own clock over the steps, memory is the peak of the process. The adapters are then measured by
the same `evaluate` on the same held-out rows, whose sentence templates occur nowhere in training.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from backend.api import Studio
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.dataset import DataFolder, gold_answer
from backend.jobs.context import MemoryContext
from backend.models.probe import inspect_folder
from backend.stages import stage
from backend.training.presets import FINETUNE_PRESETS
from tests.helpers import view

_RANK, _ALPHA = 16, 32
_SEED = 0


def main() -> None:
    asked = _arguments()
    if asked.part:
        print(json.dumps(_PARTS[asked.part](asked)))
        return
    asked.folder = Path(tempfile.mkdtemp(prefix="train-"))
    try:
        _side_by_side(asked)
    finally:
        shutil.rmtree(asked.folder, ignore_errors=True)


def _side_by_side(asked: argparse.Namespace) -> None:
    _child("data", asked)
    print(
        "| trainer | rows/s | seconds in all | peak memory | held-out accuracy (95 %) |\n|---|---|---|---|---|",
        flush=True,
    )
    for name in asked.only.split(","):
        found, peak = _child(name, asked)
        if "failed" in found:
            print(f"| {name} | {found['failed']} | | | |", flush=True)
            continue
        scored, _ = _child("score", asked, adapter=name)
        if "failed" in scored:
            raise SystemExit(Path(asked.folder, f"score{name}.log").read_text())
        low, high = scored["interval"]
        quality = f"{scored['accuracy']:.1%} ({low:.1%} to {high:.1%}, n = {scored['rows']})"
        print(
            f"| {name} | {found['rows_per_s']:.1f} | {found['seconds']:.0f} | {peak / 1e9:.2f} GB | {quality} |",
            flush=True,
        )
    print(f"\n{asked.steps} optimizer updates of {asked.batch} rows; load average now {os.getloadavg()[0]:.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a model folder; SmolLM2-135M-Instruct by default")
    parser.add_argument("--rows", type=int, default=1200, help="rows for training")
    parser.add_argument("--held-out", type=int, default=500, help="rows that are measured")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument(
        "--only",
        default="ours,ours-top-layers,trl-fp32,olive",
        help="what to train, separated by commas; trl-bf16, too",
    )
    parser.add_argument("--part", default="", choices=["", *_PARTS], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--adapter", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.model = asked.model or str(Studio.open(home=Settings().home).model("smollm2-135m-instruct").path)
    return asked


def _child(part: str, asked: argparse.Namespace, adapter: str = "") -> tuple[dict[str, Any], int]:
    """What a part prints last, and the peak memory in bytes of its process or of the largest one that it started."""
    given = {
        "rows": asked.rows,
        "held-out": asked.held_out,
        "steps": asked.steps,
        "batch": asked.batch,
        "rate": asked.rate,
    }
    given |= {"model": asked.model, "folder": asked.folder, "part": part, "adapter": adapter}
    argv = [sys.executable, "-m", "benchmarks.train", *(f"--{name}={value}" for name, value in given.items())]
    with Path(asked.folder, f"{part}{adapter}.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout
    said = process.stdout.read().splitlines()
    _pid, status, used = os.wait4(process.pid, 0)
    if status:
        sys.stderr.write(Path(asked.folder, f"{part}{adapter}.log").read_text()[-1000:])
        return {"failed": f"ended with {os.waitstatus_to_exitcode(status)}"}, 0
    found: dict[str, Any] = json.loads(said[-1])
    return found, max(used.ru_maxrss * 1024, found.pop("peak_of_child", 0))


def _prepare(asked: argparse.Namespace) -> dict[str, Any]:
    """The dataset as the studio makes it, and the same rows as a file of conversations."""
    ctx = MemoryContext(asked.folder / "prepare")
    chosen = stage("dataset")
    given = {"source": "demo:smart-home", "languages": ["en"], "labelled_rows": asked.rows, "test": 0.2}
    chosen.run(chosen.parse({**given, "max_rows": asked.rows + 12 * asked.held_out}), ctx)
    made = next(event for event in ctx.events if event["event"] == "artifact")
    data = view(Path(made["path"]), Kind.DATASET, "data", **made["manifest"]["facts"])
    (asked.folder / "data.json").write_text(data.model_dump_json())
    folder = DataFolder(data.path)
    with (asked.folder / "train.jsonl").open("w") as out:
        for row in folder.rows("train"):
            prompt = [{"role": "system", "content": folder.template.system}, {"role": "user", "content": row.input}]
            answer = {"role": "assistant", "content": gold_answer(row)}
            out.write(json.dumps({"messages": [*prompt, answer], "prompt": prompt, "completion": [answer]}) + "\n")
    return {}


def _views(asked: argparse.Namespace) -> tuple[ArtifactView, ArtifactView]:
    base = view(Path(asked.model), Kind.MODEL, "base", **inspect_folder(Path(asked.model)))
    return base, ArtifactView.model_validate_json((asked.folder / "data.json").read_text())


def _ours(preset: str, asked: argparse.Namespace) -> dict[str, Any]:
    base, data = _views(asked)
    ctx = MemoryContext(asked.folder / _name(preset), [base, data], seed=_SEED)
    chosen = stage("finetune")
    given = {"model": "base", "data": "data", "max_steps": asked.steps, "batch_size": asked.batch}
    given |= {"rank": _RANK, "alpha": _ALPHA, "learning_rate": asked.rate, **FINETUNE_PRESETS.get(preset, {})}
    params = chosen.parse({**given, "epochs": asked.steps * asked.batch / asked.rows, "evaluate_rows": 0})
    metrics = chosen.run(params, ctx).metrics
    made = next(event for event in ctx.events if event["event"] == "artifact")
    shutil.copytree(made["path"], asked.folder / f"adapter-{_name(preset)}")
    return _timed(asked, metrics["trained_tokens"] / metrics["tokens_per_s"])


def _trl(bf16: bool, asked: argparse.Namespace) -> dict[str, Any]:
    """As TRL's page on SFT shows it for prompts and completions: the loss is that of the completion."""
    import torch
    from datasets import load_dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer  # type: ignore[attr-defined]

    name = f"trl-{'bf16' if bf16 else 'fp32'}"
    rows = load_dataset("json", data_files=str(asked.folder / "train.jsonl"), split="train")
    config = SFTConfig(
        output_dir=str(asked.folder / name),
        max_steps=asked.steps,
        per_device_train_batch_size=asked.batch,
        learning_rate=asked.rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, round(0.05 * asked.steps)),
        bf16=bf16,
        gradient_checkpointing=False,
        model_init_kwargs={"dtype": torch.float32},
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        seed=_SEED,
    )
    lora = LoraConfig(r=_RANK, lora_alpha=_ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")
    trainer = SFTTrainer(
        model=asked.model, args=config, train_dataset=rows.select_columns(["prompt", "completion"]), peft_config=lora
    )
    trained = trainer.train()
    trainer.save_model(str(asked.folder / f"adapter-{name}"))
    return _timed(asked, trained.metrics["train_runtime"])


def _olive(asked: argparse.Namespace) -> dict[str, Any]:
    """Its own command line; it learns the whole conversation, for it knows no other loss."""
    out = asked.folder / "olive"
    command = [
        str(Path(sys.executable).with_name("olive")),
        "finetune",
        "--method",
        "lora",
        "-m",
        asked.model,
        "-o",
        str(out),
    ]
    command += ["--data_name", "json", "--data_files", str(asked.folder / "train.jsonl"), "--train_split", "train"]
    command += [
        "--use_chat_template",
        "--max_seq_len",
        "512",
        "--max_samples",
        str(asked.rows),
        "--torch_dtype",
        "float32",
    ]
    command += ["--lora_r", str(_RANK), "--lora_alpha", str(_ALPHA), "--disable_telemetry"]
    command += ["--max_steps", str(asked.steps), "--per_device_train_batch_size", str(asked.batch), "--use_cpu", "True"]
    command += ["--learning_rate", str(asked.rate), "--lr_scheduler_type", "cosine", "--seed", str(_SEED)]
    env = {**os.environ, "OLIVE_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        command, cwd=asked.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    said = process.stdout.read()
    _pid, _status, used = os.wait4(process.pid, 0)
    sys.stderr.write(said)
    took, adapter = re.search(r"'train_runtime': '?([\d.]+)", said), next(out.rglob("adapter_config.json"), None)
    if not took or adapter is None:  # it exits 0 when it failed
        return {"failed": said.strip().splitlines()[-1][:150]}
    shutil.copytree(adapter.parent, asked.folder / "adapter-olive")
    return {**_timed(asked, float(took[1])), "peak_of_child": used.ru_maxrss * 1024}


def _timed(asked: argparse.Namespace, seconds: float) -> dict[str, Any]:
    return {"rows_per_s": asked.steps * asked.batch / seconds, "seconds": seconds}


def _score(asked: argparse.Namespace) -> dict[str, Any]:
    base, data = _views(asked)
    template = DataFolder(data.path).template.model_dump()
    facts = {**base.facts, "format": "adapter", "base": "base", "data": "data", "template": template}
    adapter = view(asked.folder / f"adapter-{asked.adapter}", Kind.ADAPTER, "adapter", parents=["base"], **facts)
    for file in Path(asked.model).iterdir():  # a trainer may leave another template or tokenizer: none has learned one
        if (
            file.suffix in (".json", ".jinja")
            and not (adapter.path / file.name).is_file()
            and file.name != "config.json"
        ):
            shutil.copyfile(file, adapter.path / file.name)
    ctx = MemoryContext(asked.folder / f"score {asked.adapter}", [base, data, adapter])
    chosen = stage("evaluate")
    params = chosen.parse({"model": "adapter", "data": "data", "max_rows": asked.held_out, "cost_prompts": 1})
    metrics = chosen.run(params, ctx).metrics
    interval = [metrics[f"accuracy_{end}"] for end in ("low", "high")]
    return {
        "accuracy": metrics["accuracy"],
        "interval": interval,
        "rows": min(asked.held_out, data.facts["rows"]["test"]),
    }


def _name(preset: str) -> str:
    """Of the studio's part: with the values that are asked for, or with those of a preset in their place."""
    return "-".join(["ours", *preset.lower().split()])


_PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "data": _prepare,
    **{_name(preset): partial(_ours, preset) for preset in ("", *FINETUNE_PRESETS)},
    "trl-bf16": lambda asked: _trl(True, asked),
    "trl-fp32": lambda asked: _trl(False, asked),
    "olive": _olive,
    "score": _score,
}


if __name__ == "__main__":
    main()
