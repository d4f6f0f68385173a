"""Compares a LoRA adapter with what PEFT expects of it on its base, in the child of `weight_check`.

PEFT gives a weight that a file lacks random numbers or zeros and leaves out what it has no place for, with a warning that
nobody reads. Here the base is built without memory for its weights (device "meta"), and names and shapes are compared.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from backend.core.errors import Problem
from backend.ml.inference.findings import finite, named, reason_of

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_TABLES = ("embed_tokens", "lm_head", "wte", "embed_in", "embed_out")

Shapes = dict[str, tuple[int, ...]]


def adapter_problems(folder: Path, base: Path, name: str) -> list[Problem]:
    """All that is wrong with the adapter in `folder`, whose names are PEFT's, on the model in `base`, called `name`; one that
    does not block means that it changes nothing."""
    logging.set_verbosity_error()
    content = json.loads((folder / CONFIG).read_text("utf-8"))
    known = LoraConfig.__dataclass_fields__
    if odd := [key for key, value in content.items() if key not in known and value]:
        return [Problem(code="adapters.key", args={"key": odd[0]})]
    plain: Any = AutoModelForCausalLM.from_pretrained(
        str(base), device_map="meta", local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    modules = {path for path, _module in plain.named_modules()}
    tied = bool(plain.config.tie_word_embeddings)
    if problem := _targets(content, modules, name):
        return [problem]
    try:
        config = LoraConfig.from_pretrained(str(folder))
        expected = get_peft_model_state_dict(
            PeftModel(plain, config, low_cpu_mem_usage=True), save_embedding_layers=False
        )
    except Exception as error:  # whatever PEFT makes of a configuration that it does not expect
        return [Problem(code="adapters.not_built", args={"base": name, "reason": reason_of(error)})]
    shapes = {key: tuple(tensor.shape) for key, tensor in expected.items()}
    have = _shapes(folder)
    if tied and config.ensure_weight_tying and _one_table(folder):
        shapes, have, tied = _collapsed(shapes), _collapsed(have), False
    return _differences(shapes, have, name) or _tied(shapes, tied, name) or _values(folder)


def _targets(content: dict[str, Any], modules: set[str], name: str) -> Problem | None:
    """A problem when no module of the base is called as a list of targets says."""
    wanted = content.get("target_modules")
    if not isinstance(wanted, list) or not wanted:
        return None
    if any(path == each or path.endswith(f".{each}") for path in modules for each in wanted):
        return None
    return Problem(code="adapters.targets", args={"base": name, "names": ", ".join(sorted(map(str, wanted))[:3])})


def _shapes(folder: Path) -> Shapes:
    with safe_open(str(folder / WEIGHTS), framework="pt") as tensors:
        return {key: tuple(tensors.get_slice(key).get_shape()) for key in tensors.keys()}  # noqa: SIM118


def _differences(expected: Shapes, have: Shapes, name: str) -> list[Problem]:
    """A wrong base first: then all else differs, too."""
    shown = {key: key.removeprefix("base_model.model.") for key in {*expected, *have}}
    missing, unexpected = sorted(set(expected) - set(have)), sorted(set(have) - set(expected))
    for key in sorted(set(expected) & set(have)):
        if expected[key] == have[key]:
            continue
        rank = 0 if ".lora_A" in key else 1
        if ".lora_" in key and len(have[key]) == 2 and expected[key][1 - rank] == have[key][1 - rank]:
            args = {"rank": expected[key][rank], "have": have[key][rank], "tensor": shown[key]}
            return [Problem(code="adapters.rank", args=args)]
        return [Problem(code="adapters.other_base", args={"base": name, "tensor": shown[key]})]
    found = []
    if missing and unexpected:
        return [Problem(code="adapters.other_base", args={"base": name, "tensor": shown[unexpected[0]]})]
    if missing:
        found.append(Problem(code="adapters.missing", args=named([shown[key] for key in missing])))
    if unexpected:
        found.append(Problem(code="adapters.unexpected", args=named([shown[key] for key in unexpected])))
    return found


def _tied(expected: Shapes, tied: bool, name: str) -> list[Problem]:
    """Merging such an adapter changes the other use of the table, too; or is undone when the result is saved."""
    odd = sorted({part for key in expected for part in key.split(".") if part in _TABLES}) if tied else []
    return [Problem(code="adapters.tied", args={"base": name, "names": ", ".join(odd)})] if odd else []


def _is_table(key: str) -> bool:
    return ".lora_" not in key and any(part in _TABLES for part in key.split("."))


def _collapsed(shapes: Shapes) -> Shapes:
    """With one entry for the table that is input and output embedding."""
    return {"table" if _is_table(key) else key: shape for key, shape in shapes.items()}


def _one_table(folder: Path) -> bool:
    """Whether the tables that were trained whole are equal, as PEFT keeps those that it ties."""
    with safe_open(str(folder / WEIGHTS), framework="pt") as tensors:
        tables = [tensors.get_tensor(key) for key in tensors.keys() if _is_table(key)]  # noqa: SIM118
    return bool(tables) and all(torch.equal(each, tables[0]) for each in tables)


def _values(folder: Path) -> list[Problem]:
    changes = False
    with safe_open(str(folder / WEIGHTS), framework="pt") as tensors:
        for key in tensors.keys():  # noqa: SIM118, it is no mapping
            tensor = tensors.get_tensor(key)
            if not finite(tensor):
                return [Problem(code="models.not_finite", args={"model": folder.name, "tensor": key})]
            changes = changes or (not (".lora_A" in key or "lora_embedding_A" in key) and bool(torch.any(tensor != 0)))
    return [] if changes else [Problem(code="adapters.untrained", blocking=False)]
