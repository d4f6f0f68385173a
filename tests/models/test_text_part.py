"""The text part of an image model: a config of its own, its tensors by their own names, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from backend.models.text_part import take_text_part

TEXT = {"model_type": "gemma3_text", "hidden_size": 4, "num_hidden_layers": 1}
TABLE = np.arange(8, dtype=np.float32).reshape(2, 4)
NORM = np.full(3, 0.5, dtype=np.float16)
PATCHES = np.ones((5, 3), dtype=np.float32)


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def test_one_file_keeps_the_text_model_only(tmp_path: Path) -> None:
    _write_config(
        tmp_path, {"model_type": "gemma3", "text_config": TEXT, "eos_token_id": 7, "vision_config": {"hidden_size": 9}}
    )
    tensors: dict[str, Any] = {
        "model.language_model.embed_tokens.weight": TABLE,
        "model.language_model.norm.weight": NORM,
        "model.vision_tower.patches.weight": PATCHES,
        "lm_head.weight": TABLE + 1,
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert take_text_part(tmp_path)
    kept = load_file(tmp_path / "model.safetensors")
    assert set(kept) == {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
    assert (kept["model.embed_tokens.weight"] == TABLE).all() and (kept["lm_head.weight"] == TABLE + 1).all()
    assert kept["model.norm.weight"].dtype == np.float16 and (kept["model.norm.weight"] == NORM).all()
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config["architectures"] == ["Gemma3ForCausalLM"] and config["model_type"] == "gemma3_text"
    assert config["eos_token_id"] == 7 and "vision_config" not in config
    assert not list(tmp_path.glob("*.part"))


def test_shards_without_text_go_and_the_index_says_so(tmp_path: Path) -> None:
    _write_config(tmp_path, {"model_type": "gemma3", "text_config": TEXT})
    one, two = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    save_file({"language_model.model.embed_tokens.weight": TABLE}, tmp_path / one)
    save_file({"vision_tower.patches.weight": PATCHES}, tmp_path / two)
    weights = {"language_model.model.embed_tokens.weight": one, "vision_tower.patches.weight": two}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weights}))
    assert take_text_part(tmp_path)
    assert [file.name for file in tmp_path.glob("*.safetensors")] == [one]
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text("utf-8"))
    assert index["weight_map"] == {"model.embed_tokens.weight": one}


def test_a_text_model_stays_as_it_is(tmp_path: Path) -> None:
    _write_config(tmp_path, TEXT)
    before = (tmp_path / "config.json").read_bytes()
    assert not take_text_part(tmp_path)
    assert (tmp_path / "config.json").read_bytes() == before
