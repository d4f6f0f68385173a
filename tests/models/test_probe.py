"""Every bad model folder is refused with the sentence that names the file; a good one is measured right."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.models.probe import inspect_folder, license_of


def write_weights(file: Path, shapes: dict[str, list[int]]) -> None:
    """A safetensors file of zeros, made by hand."""
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4
        for side in shape:
            size *= side
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "model"
    path.mkdir()
    config = {"model_type": "llama", "num_hidden_layers": 1, "hidden_size": 4, "vocab_size": 8}
    config |= {"max_position_embeddings": 64, "tie_word_embeddings": True}
    (path / "config.json").write_text(json.dumps(config))
    tokenizer = {"model": {"vocab": {chr(97 + n): n for n in range(7)}}, "added_tokens": [{"id": 7, "content": "<e>"}]}
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    (path / "tokenizer_config.json").write_text("{}")
    write_weights(path / "model.safetensors", {"model.embed_tokens.weight": [8, 4], "model.norm.weight": [4]})
    return path


def edit(path: Path, name: str, **values: object) -> None:
    file = path / name
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def cut(path: Path, keep: int) -> None:
    file = path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])


def to_pickle(path: Path) -> None:
    (path / "model.safetensors").rename(path / "pytorch_model.bin")


def to_own_code(path: Path) -> None:
    """An architecture that only the model's own code knows."""
    edit(path, "config.json", model_type="own")
    (path / "modeling_x.py").write_text("boom")


def to_own_tokenizer(path: Path) -> None:
    edit(path, "config.json", model_type="own")
    edit(path, "tokenizer_config.json", auto_map={})


def to_gguf(path: Path) -> None:
    (path / "model.safetensors").rename(path / "model-q4.gguf")


def half_sharded(path: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    (path / "model.safetensors").rename(path / "model-00001-of-00002.safetensors")


BAD: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no folder": (shutil.rmtree, "models.folder_missing", "model"),
    "no config": (lambda p: (p / "config.json").unlink(), "models.no_config", "config.json"),
    "config not json": (lambda p: (p / "config.json").write_text("{\n\noops"), "models.damaged_json", "line 3"),
    "no tokenizer": (lambda p: (p / "tokenizer.json").unlink(), "models.no_tokenizer", "tokenizer.json"),
    "no weights": (lambda p: (p / "model.safetensors").unlink(), "models.no_weights", "safetensors"),
    "pickle": (to_pickle, "models.pickle", "pytorch_model.bin"),
    "gguf": (to_gguf, "models.gguf", "model-q4.gguf"),
    "python file": (to_own_code, "models.remote_code", "modeling_x.py"),
    "auto_map": (
        lambda p: edit(p, "config.json", auto_map={"a": "b"}, model_type="own"),
        "models.remote_code",
        "auto_map in config.json",
    ),
    "auto_map of tokenizer": (
        to_own_tokenizer,
        "models.remote_code",
        "tokenizer_config.json",
    ),
    "unknown type": (lambda p: edit(p, "config.json", model_type="quux"), "models.architecture", "quux"),
    "not a text model": (lambda p: edit(p, "config.json", model_type="vit"), "models.architecture", "vit"),
    "cut off in the tensors": (lambda p: cut(p, -3), "models.weights_truncated", "incomplete"),
    "cut off in the header": (lambda p: cut(p, 40), "models.header_truncated", "incomplete"),
    "empty weights": (lambda p: cut(p, 0), "models.weights_damaged", "model.safetensors"),
    "html as weights": (
        lambda p: (p / "model.safetensors").write_text("<html>not found</html>"),
        "models.weights_damaged",
        "header",
    ),
    "missing shard": (half_sharded, "models.weights_missing", "model-00002-of-00002.safetensors"),
    "shard outside": (
        lambda p: (p / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../x.safetensors"}}'),
        "models.weights_missing",
        "../x.safetensors",
    ),
    "tokenizer too large": (
        lambda p: edit(p, "tokenizer.json", added_tokens=[{"id": 900, "content": "<x>"}]),
        "models.vocabulary",
        "901",
    ),
    "config too large": (lambda p: edit(p, "config.json", vocab_size=99), "models.vocabulary", "config.json needs 99"),
    "quantized": (
        lambda p: edit(p, "config.json", quantization_config={"quant_method": "gptq"}),
        "models.quantized",
        "gptq",
    ),
}


def test_good_folder(folder: Path) -> None:
    facts = inspect_folder(folder)
    assert facts["parameters"] == 8 * 4 + 4
    assert (facts["layers"], facts["vocabulary"], facts["context"], facts["tied"]) == (1, 8, 64, True)


def test_tied_head_counts_once(folder: Path) -> None:
    shapes = {"model.embed_tokens.weight": [8, 4], "lm_head.weight": [8, 4]}
    write_weights(folder / "model.safetensors", shapes)
    assert inspect_folder(folder)["parameters"] == 32
    edit(folder, "config.json", tie_word_embeddings=False)
    assert inspect_folder(folder)["parameters"] == 64


def test_pickle_beside_safetensors_is_ignored(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"x")
    assert inspect_folder(folder)["layers"] == 1


@pytest.mark.parametrize("name", BAD)
def test_bad_folder(folder: Path, name: str) -> None:
    spoil, code, words = BAD[name]
    spoil(folder)
    with pytest.raises(StudioError) as caught:
        inspect_folder(folder)
    assert caught.value.code == code
    assert words in str(caught.value) and "{" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "text", "license"),
    [
        ("README.md", "---\ntags: [a]\nlicense: apache-2.0\n---\n# x", "Apache-2.0"),
        ("README.md", "# a model\nlicense: mit", None),
        ("LICENSE", "   Apache License\n   Version 2.0", "Apache-2.0"),
    ],
)
def test_license(folder: Path, file: str, text: str, license: str | None) -> None:
    (folder / file).write_text(text)
    assert license_of(folder) == license
