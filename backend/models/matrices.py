"""A model's modules by their paths, from the headers of its weights: which an adapter can change and which can be trained
whole. No torch, and no weight is read."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from backend.core.errors import StudioError
from backend.models.architectures import table
from backend.models.probe import HEADS, TABLES, Header, read_header, weight_files
from backend.models.weight_names import wrapper_of

_TABLE = re.compile(r"(^|[._])(wte|wpe|lm_head|\w*embed\w*)$")
"""Path of a table (tokens, positions, output head), where the architecture's own modules are not known."""
_EXPERT = re.compile(r"\.experts\.\d+\.")
"""transformers holds the experts of a layer in one tensor, which LoRA leaves alone."""
_TRANSPOSED = ("gpt2", "openai-gpt")
"""Architectures with Conv1D, which keeps inputs first."""
_BARE = {"h": "transformer.", "layers": "model."}
"""What weights lack that were saved without their head: first part of their names -> before all of them."""
HEAD = "lm_head"
"""What transformers calls the output head, GPT-NeoX's `embed_out` too, once a model is loaded."""


class Modules(NamedTuple):
    """`matrices`: path -> (outputs, inputs) of those that an adapter can change; `others`: path -> parameters of the rest;
    `tied`: the paths of `others` that are one table."""

    matrices: dict[str, tuple[int, int]]
    others: dict[str, int]
    tied: frozenset[str]


def modules_of(folder: Path, facts: dict[str, Any]) -> Modules | None:
    """Of a full model with these facts; None where its weights are not there or damaged."""
    try:
        changed = tuple((str(file), file.stat().st_mtime_ns) for file in weight_files(folder))
        return _modules(changed, str(facts.get("architecture", "")), bool(facts.get("tied")))
    except (StudioError, OSError):
        return None


@lru_cache(maxsize=16)
def _modules(files: tuple[tuple[str, int], ...], architecture: str, tied: bool) -> Modules:
    known = {name for row in table() if row.type == architecture for name in row.targets}
    matrices: dict[str, tuple[int, int]] = {}
    others: Counter[str] = Counter()
    for name, shape in _shapes(files).items():
        path, _, kind = name.rpartition(".")
        if kind == "weight" and len(shape) == 2 and _adaptable(path, known):
            matrices[path] = (shape[1], shape[0]) if architecture in _TRANSPOSED else (shape[0], shape[1])
        elif kind in ("weight", "bias") and not _EXPERT.search(path):
            others[path] += prod(shape)
    others = Counter({path: size for path, size in others.items() if path not in matrices})
    tokens = next((path for path in others if f"{path}.weight".endswith(TABLES)), None)
    if not tied or not tokens:
        return Modules(matrices, dict(others), frozenset())
    return Modules(matrices, {**others, HEAD: others[tokens]}, frozenset({tokens, HEAD}))


def _shapes(files: tuple[tuple[str, int], ...]) -> dict[str, list[int]]:
    """Shapes by names, as the model has them once it is loaded."""
    header: Header = {}
    for file, _changed in files:
        header |= read_header(Path(file))
    prefix = wrapper_of(header)
    names = {name: name.removeprefix(prefix) for name in header}
    bare = next((_BARE[first] for name in names.values() if (first := name.partition(".")[0]) in _BARE), "")
    return {
        f"{HEAD}.weight" if new.endswith(HEADS) else f"{bare}{new}": header[name]["shape"]
        for name, new in names.items()
    }


def _adaptable(path: str, known: set[str]) -> bool:
    if _EXPERT.search(path):
        return False
    return path.rpartition(".")[2] in known if known else not _TABLE.search(path)
