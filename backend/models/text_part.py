"""Takes the text part out of an image model's folder, without torch: a config of its own, its tensors by their own names.

Gemma 3 from 4B on and others nest their language model in a larger one. Training and export want it alone, and transformers
knows it as an architecture of its own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from backend.core.artifacts import write_json
from backend.models.architectures import causal_classes, plain_config, text_part

_PREFIXES = (
    ("language_model.model.", "model."),
    ("model.language_model.", "model."),
    ("language_model.lm_head.", "lm_head."),
    ("lm_head.", "lm_head."),
)
"""How image models call what a text model calls otherwise; anything else belongs to another part."""
_INDEX = "model.safetensors.index.json"
_PIECE = 16_000_000  # bytes copied at once
_ALIGNMENT = 8


def take_text_part(folder: Path) -> bool:
    """Rewrite `folder` where it holds an image model with a text part; whether it did. OSError when the disk is full."""
    file = folder / "config.json"
    config = json.loads(file.read_text("utf-8"))
    inner = text_part(config)
    if inner is None:
        return False
    for weights in sorted(folder.glob("*.safetensors")):
        _keep_text(weights)
    if (folder / _INDEX).is_file():
        index = json.loads((folder / _INDEX).read_text("utf-8"))
        kept = {text_name(name): file for name, file in index["weight_map"].items() if text_name(name)}
        for weights in folder.glob("*.safetensors"):
            if weights.name not in kept.values():
                weights.unlink()
        write_json(folder / _INDEX, {"metadata": {}, "weight_map": kept})
    names = set(inner) | {"tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id"}
    found = {name: value for name, value in plain_config(config).items() if name in names}
    write_json(file, {**found, "architectures": [causal_classes()[inner["model_type"]]]})
    return True


def text_name(name: str) -> str:
    """What the text model calls this tensor; "" for one of another part."""
    return next((own + name[len(whole) :] for whole, own in _PREFIXES if name.startswith(whole)), "")


def _keep_text(file: Path) -> None:
    """Rewrite one safetensors file with the tensors of the text part only."""
    new = file.with_suffix(".part")
    with file.open("rb") as source, new.open("wb") as target:
        length = int.from_bytes(source.read(8), "little")
        header = json.loads(source.read(length))
        kept = {text_name(name): entry for name, entry in header.items() if text_name(name)}
        target_header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for name, entry in kept.items():
            begin, end = entry["data_offsets"]
            target_header[name] = {**entry, "data_offsets": [at, at + end - begin]}
            at += end - begin
        text = json.dumps(target_header).encode()
        text += b" " * (-len(text) % _ALIGNMENT)
        target.write(len(text).to_bytes(8, "little") + text)
        for entry in kept.values():
            begin, end = entry["data_offsets"]
            source.seek(8 + length + begin)
            _copy(source, target, end - begin)
    shutil.move(new, file)


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size:
        piece = source.read(min(size, _PIECE))
        target.write(piece)
        size -= len(piece)
