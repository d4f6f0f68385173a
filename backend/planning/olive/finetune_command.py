"""The `olive finetune` command that trains as a `finetune` stage does, as far as Olive can: what it does otherwise is named.

The flags are those of Olive 0.13 (`olive finetune --help`); whatever it does not know itself goes to transformers'
TrainingArguments.
"""

from __future__ import annotations

import shlex
from typing import Any, NamedTuple

from backend.core.errors import Problem

_FLAGS = {
    "epochs": "num_train_epochs",
    "max_steps": "max_steps",
    "learning_rate": "learning_rate",
    "batch_size": "per_device_train_batch_size",
    "accumulation": "gradient_accumulation_steps",
    "schedule": "lr_scheduler_type",
    "weight_decay": "weight_decay",
    "rank": "lora_r",
    "alpha": "lora_alpha",
    "max_length": "max_seq_len",
}
_METHODS = ("lora",)
_PLAIN: dict[str, Any] = {
    "dropout": 0.0,
    "patience": 0,
    "initialization": "default",
    "rationale": "ignore",
    "modules_to_save": [],
    "qlora_bits": 4,
}
"""What the command has no flag for -> the value that it means."""


class OliveCommand(NamedTuple):
    """Two lines for a shell. `differs`: what they do otherwise than the stage."""

    text: str
    differs: list[Problem]


def finetune_command(params: dict[str, Any], model: str, seed: int) -> OliveCommand:
    """For the complete parameters of a `finetune` stage and the folder `model`. Before it stands the command
    that writes its rows, as conversations."""
    export = ["slmops", "datasets", "export", str(params["data"]), "--format", "openai", "-o", "train.jsonl"]
    argv = ["olive", "finetune", "--method", "qlora" if params.get("qlora") else "lora"]
    argv += ["--model_name_or_path", model, "--output_path", "out"]
    argv += ["--data_name", "json", "--data_files", "train.jsonl", "--train_split", "train", "--use_chat_template"]
    for ours, theirs in _FLAGS.items():
        if params.get(ours) is not None and not (ours == "max_steps" and not params[ours]):
            argv += [f"--{theirs}", str(params[ours])]
    if isinstance(params.get("targets"), list):
        argv += ["--target_modules", ",".join(params["targets"])]
    argv += ["--torch_dtype", "float32", "--seed", str(seed), "--max_samples", "1000000", "--disable_telemetry"]
    differs = [Problem(code="olive.whole_loss")]
    if params.get("method", "lora") not in _METHODS:
        differs.append(Problem(code="olive.differs", args={"name": "method", "value": params["method"]}))
    for name, plain in _PLAIN.items():
        if params.get(name, plain) != plain:
            differs.append(Problem(code="olive.differs", args={"name": name, "value": str(params[name])}))
    return OliveCommand(f"{shlex.join(export)}\n{shlex.join(argv)}", differs)
