from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.models.architectures import (
    causal_classes,
    export_problems,
    exported_classes,
    indivisible,
    plain_config,
    table,
    tune_only,
)
from backend.models.text_part import text_name


def test_exporter_and_transformers_are_read_from_their_source() -> None:
    assert {"LlamaForCausalLM", "Phi3ForCausalLM", "SmolLM3ForCausalLM"} <= exported_classes()
    assert causal_classes()["gpt2"] == "GPT2LMHeadModel"


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "stablelm", "olmo2"])
def test_what_the_exporter_lacks_is_said_before_a_start(kind: str) -> None:
    (problem,) = export_problems({"architecture": kind})
    assert problem.code == "arch.no_export" and "onnxruntime-genai" in problem.sentence()
    (note,) = tune_only({"architecture": kind}, "model")
    assert not note.blocking


def test_what_the_exporter_knows_raises_nothing() -> None:
    assert [export_problems({"architecture": kind}) for kind in ("llama", "qwen3", "smollm3", "phi3")] == [[]] * 4


def test_a_way_to_stretch_positions_that_the_exporter_would_ignore_is_refused(tmp_path: Path) -> None:
    config = {"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert [each.code for each in export_problems({"architecture": "llama"}, tmp_path)] == ["arch.no_rope"]


def test_every_matrix_is_held_against_the_block() -> None:
    assert indivisible({"matrix_widths": [64, 172]}, 64) == [172]
    assert indivisible({"hidden_size": 64, "intermediate_size": 172}, 64) == [172]
    assert indivisible({"matrix_widths": [64, 128]}, 64) == []


def test_sizes_are_found_by_older_names_and_inside_image_models() -> None:
    assert plain_config({"model_type": "gpt2", "n_embd": 64, "n_layer": 2})["hidden_size"] == 64
    nested = {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 64}}
    assert plain_config(nested)["model_type"] == "gemma3_text"
    assert text_name("language_model.model.norm.weight") == "model.norm.weight"
    assert text_name("model.vision_tower.patches.weight") == ""


def test_the_table_holds_thirty_architectures() -> None:
    assert len({row.type for row in table()}) >= 30
