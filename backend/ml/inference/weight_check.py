"""Compares weights with what an architecture expects: `python -m backend.ml.inference.weight_check QUESTION.json ANSWER.json`.

transformers fills what a file lacks with random numbers and says so in a log that nobody reads. Here the model is built
without memory for its weights (device "meta"), so that the answer takes seconds whatever its size; then each tensor is read
once, for values that are no numbers, and the model is tried. An adapter is compared with its base: see `adapter_check`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.core.limits import EXIT_MEMORY, limit
from backend.ml.inference.findings import finite, named, reason_of
from backend.models.probe import weight_files

_HEAD, _TABLES = "lm_head.weight", ("model.embed_tokens.weight", "transformer.wte.weight")


def problems_of(folder: Path) -> list[Problem]:
    """All that is wrong with the weights of a model folder whose files were looked at by `inspect_folder`."""
    logging.set_verbosity_error()
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            device_map="meta",
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except Exception as error:  # whatever an architecture's own code makes of a config that it does not expect
        return [Problem(code="models.not_built", args={"path": folder.name, "reason": reason_of(error)})]
    return loading_problems(loaded[1], folder.name) or _values(folder)


def loading_problems(info: dict[str, Any], model: str) -> list[Problem]:
    """From transformers' loading info: tensors that are missing, of another shape, or that nothing takes."""
    mismatched = sorted(entry[0] for entry in info.get("mismatched_keys", ()))
    kinds = {
        "models.missing_tensors": sorted(info.get("missing_keys", ())),
        "models.mismatched_tensors": mismatched,
        "models.unexpected_tensors": sorted(set(info.get("unexpected_keys", ())) - set(mismatched)),
    }
    return [Problem(code=code, args={"model": model, **named(names)}) for code, names in kinds.items() if names]


def refuse_random(info: dict[str, Any], model: str) -> None:
    """Raises StudioError when a loaded model has weights that were made up."""
    problems = [each for each in loading_problems(info, model) if each.code != "models.unexpected_tensors"]
    if problems:
        raise StudioError.of(problems)


def _values(folder: Path) -> list[Problem]:
    """NaN and infinity, a table that is said to be shared and is there twice with other numbers, and matrices of zeros."""
    tables: dict[str, Any] = {}
    zero: list[str] = []
    for file in weight_files(folder):
        with safe_open(str(file), framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118, it is no mapping
                tensor = tensors.get_tensor(name)
                if tensor.is_floating_point() and not finite(tensor):
                    return [Problem(code="models.not_finite", args={"model": folder.name, "tensor": name})]
                if tensor.dim() > 1 and not tensor.any():
                    zero.append(name)
                if name == _HEAD or name in _TABLES:
                    tables["head" if name == _HEAD else "table"] = tensor
    tied = json.loads((folder / "config.json").read_text("utf-8")).get("tie_word_embeddings")
    if tied and len(tables) == 2 and not torch.equal(tables["head"], tables["table"]):
        return [Problem(code="models.tied_differ", args={"model": folder.name})]
    unusable = any(name in _TABLES for name in zero)
    said = {"model": folder.name, **named(sorted(zero))}
    return [Problem(code="models.zero_weights", args=said, blocking=unusable)] if zero else []


def checked(
    folder: Path, base: Path | None = None, name: str = "", weights: bool = True
) -> tuple[dict[str, Any], list[Problem]]:
    """What the model did when it was tried, and all that is wrong with it or was settled. `base`: of an adapter, called `name`;
    `weights`: whether these are looked at first."""
    from backend.ml.inference.trial import tried

    problems = _weight_problems(folder, base, name) if weights else []
    if any(each.blocking for each in problems):
        return {}, problems
    found, told = tried(folder, base)
    return found, [*problems, *told]


def _weight_problems(folder: Path, base: Path | None, name: str) -> list[Problem]:
    if base is None:
        return problems_of(folder)
    from backend.ml.inference.adapter_check import adapter_problems

    return adapter_problems(folder, base, name)


def main(question: Path, answer: Path) -> None:
    asked = json.loads(question.read_text("utf-8"))
    limit(**asked["limits"])
    base = Path(asked["base"]) if asked["base"] else None
    try:
        found, problems = checked(Path(asked["folder"]), base, asked["base_name"], asked["weights"])
    except MemoryError:
        sys.exit(EXIT_MEMORY)
    write_json(answer, {"trial": found, "problems": [problem.model_dump(mode="json") for problem in problems]})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
