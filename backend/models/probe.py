"""Looks at a model folder without loading it: no torch, no code of the model's, a few milliseconds.

Refuses what is unsafe (pickle, remote code), broken (truncated weights) or useless here (no tokenizer, unknown type).
"""

from __future__ import annotations

import json
import re
from math import prod
from pathlib import Path
from typing import Any

from backend.core.errors import StudioError
from backend.core.units import human_bytes
from backend.models.architectures import causal_classes, plain_config
from backend.models.file_shapes import ConfigShape, IndexShape, TokenizerShape, check_header, checked
from backend.models.weight_names import INDEX, WEIGHTS, parts, refuse_foreign, wrapper_of

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors format
_LICENSES = (("Apache License", "Apache-2.0"), ("MIT License", "MIT"), ("BSD 3-Clause", "BSD-3-Clause"))

TABLES = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "embeddings.weight")
HEADS = ("lm_head.weight", "embed_out.weight")
"""How architectures call the table of tokens, and the output head where it is one of its own."""

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
    "conversation.json",
)
LICENSE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md")
LEGAL_FILES = (*LICENSE_FILES, "NOTICE")
"""Go with the weights wherever these go."""

TEXT_LIMIT = 64_000_000
"""Bytes of a file that is parsed whole; the largest tokenizers have half of that."""

Header = dict[str, dict[str, Any]]


def inspect_folder(path: Path) -> dict[str, Any]:
    """The facts of a model folder (parameters, layers, hidden_size, vocabulary, context, architecture, tied, format,
    precision). Raises StudioError for a folder that can't be used, with the file that is to blame."""
    path = Path(path)
    if not path.is_dir():
        raise StudioError("models.folder_missing", path=path)
    _refuse_code(path)
    weights = weight_files(path)
    config = _text_config(path)
    tensors: Header = {}
    for file in weights:
        header = read_header(file)
        if twice := sorted(tensors.keys() & header.keys()):
            raise StudioError("models.tensor_twice", path=path, tensor=twice[0], file=file.name)
        tensors.update(header)
    refuse_foreign(path, tensors)
    prefix = wrapper_of(tensors)
    tensors = {name.removeprefix(prefix): entry for name, entry in tensors.items()}
    tied = _tied(config, tensors)
    _check_vocabulary(path, config, tensors)
    inner = config.get("intermediate_size")
    return {
        "parameters": _count(tensors, tied),
        "layers": int(config["num_hidden_layers"]),
        "hidden_size": int(config["hidden_size"]),
        "vocabulary": int(config["vocab_size"]),
        "context": int(config.get("max_position_embeddings") or 2048),
        "architecture": str(config["model_type"]),
        "tied": tied,
        "format": "torch",
        "precision": "fp32",
        **({"intermediate_size": inner} if isinstance(inner, int) else {}),
        "matrix_widths": _matrix_widths(tensors),
    }


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a model folder, in order. Raises StudioError when there are none or one is missing."""
    index = path / INDEX
    if index.is_file():
        names = sorted(set(checked(path, INDEX, read_json(path, INDEX), IndexShape).weight_map.values()))
        for name in names:
            if Path(name).name != name or not (path / name).is_file():
                raise StudioError("models.weights_missing", path=path, file=name)
        return [path / name for name in names]
    single = path / WEIGHTS
    if single.is_file():
        return [single]
    if found := parts(path):
        return found
    files = sorted(file for file in path.iterdir() if file.is_file())
    for file in files:
        if file.suffix == ".gguf":
            raise StudioError("models.gguf", path=path, file=file.name)
    for file in files:
        if file.suffix in _PICKLES:
            raise StudioError("models.pickle", path=path, file=file.name)
    raise StudioError("models.no_weights", path=path)


def read_header(file: Path) -> Header:
    """Tensor name -> dtype, shape, data_offsets. Raises StudioError when the file is damaged or cut off."""
    size = file.stat().st_size
    damaged = StudioError("models.weights_damaged", path=file.parent, file=file.name)
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 0 < length <= _MAX_HEADER:
            raise damaged
        if size < 8 + length:
            raise StudioError("models.header_truncated", path=file.parent, file=file.name)
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError):
            raise damaged from None
    if not isinstance(header, dict):
        raise damaged
    header.pop("__metadata__", None)
    want = 8 + length + check_header(file, header)
    if size != want:
        raise StudioError("models.weights_truncated", path=file.parent, file=file.name, have=size, want=want)
    return header


def license_of(path: Path) -> str | None:
    """The license that README.md's front matter names, else the one that the LICENSE file's first lines name."""
    readme = path / "README.md"
    if readme.is_file():
        found = re.match(r"---\n.*?^license:\s*[\"']?([\w.\-]+)", readme.read_text("utf-8", "replace"), re.S | re.M)
        if found:
            return {"apache-2.0": "Apache-2.0", "mit": "MIT"}.get(found[1].lower(), found[1])
    for name in LICENSE_FILES:
        file = path / name
        if file.is_file():
            head = file.read_text("utf-8", "replace")[:500]
            return next((license for words, license in _LICENSES if words in head), None)
    return None


def _refuse_code(path: Path) -> None:
    """Code beside the weights is neither copied nor run; only a type that transformers does not know needs it."""
    if (path / "config.json").is_file():
        config = checked(path, "config.json", read_json(path, "config.json"), ConfigShape)
        if config.model_type in causal_classes():
            return
    for file in sorted(path.glob("*.py")):
        raise StudioError("models.remote_code", path=path, file=file.name)
    for name in ("config.json", "tokenizer_config.json"):
        if (path / name).is_file() and "auto_map" in read_json(path, name):
            raise StudioError("models.remote_code", path=path, file=f"auto_map in {name}")


def _text_config(path: Path) -> dict[str, Any]:
    if not (path / "config.json").is_file():
        raise StudioError("models.no_config", path=path)
    config = read_json(path, "config.json")
    checked(path, "config.json", config, ConfigShape)
    config = plain_config(config)
    checked(path, "config.json", config, ConfigShape)
    kind = config.get("model_type", "")
    known = causal_classes()
    needed = ("num_hidden_layers", "hidden_size", "vocab_size")
    if (known and kind not in known) or any(not isinstance(config.get(key), int) for key in needed):
        raise StudioError("models.architecture", path=path, type=kind or "unnamed")
    if "quantization_config" in config:
        method = (config["quantization_config"] or {}).get("quant_method", "unknown method")
        raise StudioError("models.quantized", path=path, method=method)
    return config


def _check_vocabulary(path: Path, config: dict[str, Any], tensors: Header) -> None:
    if not (path / "tokenizer.json").is_file():
        raise StudioError("models.no_tokenizer", path=path)
    tokenizer = checked(path, "tokenizer.json", read_json(path, "tokenizer.json"), TokenizerShape)
    vocabulary = tokenizer.model.vocab
    highest = max(vocabulary.values(), default=-1) if isinstance(vocabulary, dict) else len(vocabulary) - 1
    highest = max([highest, *(token.id for token in tokenizer.added_tokens)])
    embedding = next((t["shape"] for name, t in tensors.items() if name.endswith(TABLES)), None)
    rows = embedding[0] if embedding else config["vocab_size"]
    for need, by in ((highest + 1, "tokenizer.json"), (config["vocab_size"], "config.json")):
        if rows < need:
            raise StudioError("models.vocabulary", path=path, have=rows, want=need, wanted_by=by)


def _matrix_widths(tensors: Header) -> list[int]:
    """Inputs of the matrices that are quantized, each once."""
    return sorted({t["shape"][-1] for name, t in tensors.items() if name.endswith(".weight") and len(t["shape"]) == 2})


def _tied(config: dict[str, Any], tensors: Header) -> bool:
    """Whether input and output share a table. A config that leaves it out means its class's default: then what is there
    tells."""
    stated = config.get("tie_word_embeddings")
    return bool(stated) if stated is not None else not any(name.endswith(HEADS) for name in tensors)


def _count(tensors: Header, tied: bool) -> int:
    return sum(prod(t["shape"]) for name, t in tensors.items() if not (tied and name.endswith(HEADS)))


def read_json(path: Path, name: str) -> dict[str, Any]:
    """The object in the file `name`. Raises StudioError when it is too large or no JSON object."""
    size = (path / name).stat().st_size
    if size > TEXT_LIMIT:
        shown = {"size": human_bytes(size), "limit": human_bytes(TEXT_LIMIT)}
        raise StudioError("models.text_large", path=path, file=name, **shown)
    try:
        content = json.loads((path / name).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise StudioError("models.damaged_json", path=path, file=name, line=line) from None
    if not isinstance(content, dict):
        raise StudioError("models.damaged_json", path=path, file=name, line=1)
    return content
