"""Five ways to break an export, each as it happens: a template lost, an end of turn swapped, bits flipped ..."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.core.artifacts import MANIFEST
from backend.data.chat_template import Encoder


def broken_copy(source: Path, target: Path, how: Callable[[Path], None]) -> Path:
    """A copy of the folder without its manifest, so that hashes alone don't tell."""
    shutil.copytree(source, target)
    (target / MANIFEST).unlink()
    how(target)
    return target


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text("utf-8"))
    change(content)
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def wrong_template(folder: Path) -> None:
    file = folder / "chat_template.jinja"
    file.write_text(file.read_text("utf-8").replace("<|im_end|>", ""), encoding="utf-8")


def swapped_end(folder: Path) -> None:
    """The runtime would stop at the beginning of a turn and at no end."""
    begin = Encoder(folder).tokenizer.token_to_id("<|im_start|>")
    edit(folder / "genai_config.json", lambda config: config["model"].update(eos_token_id=begin))


def missing_stop(folder: Path) -> None:
    edit(folder / "genai_config.json", lambda config: config["model"].update(eos_token_id=[]))


def cut_context(folder: Path) -> None:
    edit(folder / "genai_config.json", lambda config: config["search"].update(max_length=64))


def swapped_tokens(folder: Path) -> None:
    """Two tokens that occur in none of the texts: only their numbers tell."""

    def swap(content: dict[str, Any]) -> None:
        words = content["model"]["vocab"]
        one, two = list(words)[-2:]
        words[one], words[two] = words[two], words[one]

    edit(folder / "tokenizer.json", swap)


def damaged_weights(folder: Path, share: float = 0.05) -> None:
    """Every bit flipped in a few blocks of the 4-bit weights."""
    import numpy as np
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(folder / "model.onnx"))
    random = np.random.default_rng(0)
    for held in model.graph.initializer:
        if held.data_type == onnx.TensorProto.UINT8 and len(held.dims) >= 2:
            values = numpy_helper.to_array(held).copy()
            blocks = values.reshape(-1, values.shape[-1])
            blocks[random.random(len(blocks)) < share] ^= 0xFF
            held.CopyFrom(numpy_helper.from_array(values, held.name))
    for file in folder.glob("model.onnx*"):
        file.unlink()
    onnx.save(model, str(folder / "model.onnx"))
