"""How the tensors of a model are called by the tools that saved it, and where the weights lie: what can be told from headers
and names alone, and put right while the files are copied."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, StudioError

INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"
_WRAPPERS = ("_orig_mod.", "module.", "base_model.model.")
"""What torch.compile, DataParallel and PEFT put before every name."""
_PART = re.compile(r"model(?:\.([\w-]+))?-(\d{5})-of-(\d{5})\.safetensors")
_VARIANT = re.compile(r"model\.([\w-]+)\.safetensors")
_ADAPTER = re.compile(r"\.lora_[AB]\.|\.lora_embedding_")
_MLX = re.compile(r"\.(scales|biases)$")
_FP8 = ("F8_E4M3", "F8_E5M2")


def parts(folder: Path) -> list[Path]:
    """The weights of a folder that has neither an index nor model.safetensors: all parts of one set, or one variant such as
    model.fp16.safetensors. Empty when there are none. Raises StudioError for a set with a gap or more than one variant."""
    found = sorted(file for file in folder.glob("*.safetensors") if file.is_file())
    numbered = [(match, file) for file in found if (match := _PART.fullmatch(file.name))]
    if numbered:
        wanted = int(numbered[0][0][3])
        have = {int(match[2]) for match, _file in numbered}
        missing = sorted(set(range(1, wanted + 1)) - have)
        if missing or len(numbered) != wanted:
            name = f"model-{(missing or [1])[0]:05}-of-{wanted:05}.safetensors"
            raise StudioError("models.part_missing", path=folder, file=name, have=len(have), want=wanted)
        return [file for _match, file in numbered]
    variants = [file for file in found if _VARIANT.fullmatch(file.name)]
    if len(variants) > 1:
        names = ", ".join(file.name for file in variants)
        raise StudioError("models.variants", path=folder, files=names)
    return variants


def wrapper_of(names: Iterable[str]) -> str:
    """What every name begins with because a training tool put it there; "" when the names are plain."""
    names, prefix = list(names), ""
    while names and (found := next((one for one in _WRAPPERS if all(name.startswith(one) for name in names)), "")):
        prefix += found
        names = [name.removeprefix(found) for name in names]
    return prefix


def refuse_foreign(folder: Path, tensors: dict[str, dict[str, Any]]) -> None:
    """Raises StudioError for weights that are an adapter's, MLX's, in 8-bit floats or in integers."""
    first = next((name for name in tensors if _ADAPTER.search(name)), "")
    if first:
        raise StudioError("models.adapter_weights", path=folder, tensor=first)
    quantized = {name for name, entry in tensors.items() if entry.get("dtype") in ("U32", "I32")}
    if any(_MLX.search(name) and name.rsplit(".", 1)[0] + ".weight" in quantized for name in tensors):
        raise StudioError("models.mlx", path=folder)
    for name, entry in tensors.items():
        if entry.get("dtype") in _FP8 or name.endswith((".weight_scale_inv", ".weight_scale")):
            raise StudioError("models.fp8", path=folder, tensor=name)
        if name.endswith(".weight") and str(entry.get("dtype")).startswith(("I", "U")):
            raise StudioError("models.integers", path=folder, tensor=name)


def copy_weights(files: list[Path], folder: Path) -> list[Problem]:
    """Copy weights into `folder` under the names that transformers looks for, without the prefixes of training tools; what
    was changed, as sentences."""
    headers = {file: _header(file) for file in files}
    prefix = wrapper_of(name for header in headers.values() for name in header if name != "__metadata__")
    single = len(files) == 1
    said: list[Problem] = []
    places: dict[str, str] = {}
    for file, header in headers.items():
        target = folder / (WEIGHTS if single else file.name)
        if prefix:
            header = {name.removeprefix(prefix): entry for name, entry in header.items()}
            _write(file, target, header)
        else:
            shutil.copyfile(file, target)
        places |= dict.fromkeys((name for name in header if name != "__metadata__"), target.name)
    if single:
        (folder / INDEX).unlink(missing_ok=True)
        if files[0].name != WEIGHTS:
            said.append(Problem(code="models.variant_taken", args={"file": files[0].name}, blocking=False))
    else:
        content = {"metadata": {}, "weight_map": places}
        (folder / INDEX).write_text(json.dumps(content, indent=1), encoding="utf-8")
    if prefix:
        said.append(Problem(code="models.prefix_taken", args={"prefix": prefix}, blocking=False))
    return said


def rename_tensors(source: Path, target: Path, names: dict[str, str]) -> None:
    """The same data in `target`, each tensor of the file `source` under its name in `names`."""
    _write(source, target, {names.get(name, name): entry for name, entry in _header(source).items()})


def _header(file: Path) -> dict[str, Any]:
    """Of a file that was looked at already."""
    with file.open("rb") as stream:
        content: dict[str, Any] = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return content


def _write(source: Path, target: Path, header: dict[str, Any]) -> None:
    """The same data under another header, whose length is a multiple of 8 as the format asks."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with source.open("rb") as read, target.open("wb") as write:
        read.seek(8 + int.from_bytes(read.read(8), "little"))
        write.write(len(text).to_bytes(8, "little") + text)
        shutil.copyfileobj(read, write, 1 << 22)
