"""A `finetune` stage as `olive finetune` and as an Olive workflow, as far as Olive can: what it does otherwise is named.

Whatever `olive finetune` does not know itself goes to transformers' TrainingArguments.
"""

from __future__ import annotations

from typing import Any

from backend.core.errors import Problem
from backend.models.quantization import accelerator
from backend.planning.olive.way import RUN, OliveWay, differs, line, workflow
from backend.stages.finetune import FinetuneParams

_ARGUMENTS = {
    "epochs": "num_train_epochs",
    "max_steps": "max_steps",
    "learning_rate": "learning_rate",
    "batch_size": "per_device_train_batch_size",
    "accumulation": "gradient_accumulation_steps",
    "schedule": "lr_scheduler_type",
    "warmup_ratio": "warmup_steps",
    "weight_decay": "weight_decay",
    "gradient_checkpointing": "gradient_checkpointing",
}
"""Warm-up steps below 1 are a share of all."""
_PLAIN: dict[str, Any] = {
    "optimizer": "adamw",
    "patience": 0,
    "keep": "last",
    "initialization": "default",
    "rationale": "ignore",
}
"""What Olive has no field for -> the value that it means."""
_FLAGLESS: dict[str, Any] = {"dropout": 0.05, "modules_to_save": []}
"""The same of the command alone."""
ROWS = "train.jsonl"


def finetune_ways(params: FinetuneParams, model: str, seed: int, targets: list[str]) -> list[OliveWay]:
    """For resolved parameters of a training by adapter, the folder `model` and the names or paths of the adapted modules.
    Before each stands the command that writes its rows, as conversations."""
    rows = line("slmops", "datasets", "export", params.data, "--format", "openai", "-o", ROWS)
    arguments = {theirs: getattr(params, ours) for ours, theirs in _ARGUMENTS.items()} | {"seed": seed}
    if not params.max_steps:
        del arguments["max_steps"]
    lacking, lacking_flags = _differs(params, targets)
    command = line(
        *_command(params, model, targets), *(each for name, v in arguments.items() for each in (f"--{name}", v))
    )
    return [
        OliveWay(f"{rows}\n{command}", lacking + lacking_flags, {}),
        OliveWay(f"{rows}\n{RUN}", lacking, _workflow(params, model, targets, arguments)),
    ]


def _command(params: FinetuneParams, model: str, targets: list[str]) -> list[Any]:
    argv: list[Any] = ["olive", "finetune", "--method", "qlora" if params.qlora else "lora"]
    argv += ["--model_name_or_path", model, "--output_path", "out"]
    argv += ["--data_name", "json", "--data_files", ROWS, "--train_split", "train", "--use_chat_template"]
    argv += ["--max_seq_len", params.max_length, "--max_samples", 1_000_000]  # by default it reads 256
    argv += ["--lora_r", params.rank, "--lora_alpha", params.alpha, "--torch_dtype", "float32", "--disable_telemetry"]
    return argv + (["--target_modules", ",".join(targets)] if targets and not params.qlora else [])


def _workflow(params: FinetuneParams, model: str, targets: list[str], arguments: dict[str, Any]) -> dict[str, Any]:
    rows = {
        "name": "train_data",
        "type": "HuggingfaceContainer",
        "load_dataset_config": {"data_name": "json", "split": "train", "data_files": [ROWS]},
        "pre_process_data_config": {
            "chat_template": True,
            "add_special_tokens": False,
            "max_seq_len": params.max_length,
            "strategy": "line-by-line",
            "pad_to_max_len": False,
        },
    }
    tune = {
        "type": "qlora" if params.qlora else "dora" if params.method == "dora" else "lora",
        "train_data_config": "train_data",
        "torch_dtype": "float32",
        "r": params.rank,
        "alpha": params.alpha,
        "lora_dropout": params.dropout,
        **({"target_modules": targets} if targets else {}),
        **({"modules_to_save": params.modules_to_save} if params.modules_to_save else {}),
        **({"save_quant_config": False} if params.qlora else {}),
        "training_args": arguments,
    }
    return workflow({"model_path": model}, accelerator("cuda"), data_configs=[rows], passes={"tune": tune})


def _differs(params: FinetuneParams, targets: list[str]) -> tuple[list[Problem], list[Problem]]:
    """Of both ways, and what the command alone lacks."""
    both, command = [Problem(code="olive.whole_loss")], [Problem(code="olive.joined")]
    dora = [differs("method", params.method)] if params.method == "dora" else []
    if params.qlora:
        both, dora = both + dora, []
    command += dora
    both += [differs("method", params.method)] if params.method == "rslora" else []
    both += [differs("qlora_bits", params.qlora_bits)] if params.qlora and params.qlora_bits != 4 else []
    both += [differs(name, getattr(params, name)) for name, plain in _PLAIN.items() if getattr(params, name) != plain]
    both += [] if targets else [differs("targets", params.targets)]
    command += [
        differs(name, getattr(params, name)) for name, plain in _FLAGLESS.items() if getattr(params, name) != plain
    ]
    if params.qlora and (params.targets != "all-linear" or params.top_share < 1):
        command.append(differs("targets", ", ".join(targets)))
    return both, command
