from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import Kind
from backend.models.architectures import (
    Row,
    causal_classes,
    export_problems,
    exported_classes,
    indivisible,
    plain_config,
    table,
    tune_only,
)
from backend.models.text_part import text_name
from tests.stages.fake_world import FakeWorld


def test_exporter_and_transformers_are_read_from_their_source() -> None:
    assert {"LlamaForCausalLM", "Phi3ForCausalLM", "SmolLM3ForCausalLM"} <= exported_classes()
    assert causal_classes()["gpt2"] == "GPT2LMHeadModel"


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "stablelm", "olmo2"])
def test_what_the_exporter_lacks_is_said_before_a_start(kind: str) -> None:
    (problem,) = export_problems({"architecture": kind})
    assert problem.code == "arch.no_export" and "onnxruntime-genai" in problem.sentence()
    (note,) = tune_only("m", FakeWorld().add("m", Kind.MODEL, architecture=kind), "model")
    assert not note.blocking


def test_what_the_exporter_knows_raises_nothing() -> None:
    assert [export_problems({"architecture": kind}) for kind in ("llama", "qwen3", "smollm3", "phi3")] == [[]] * 4


def test_a_way_to_stretch_positions_that_the_exporter_would_ignore_is_refused(tmp_path: Path) -> None:
    config = {"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert [each.code for each in export_problems({"architecture": "llama"}, tmp_path)] == ["arch.no_rope"]


def test_stretched_layers_of_gemma_3_and_a_fixed_stretch_of_hunyuan_are_known(tmp_path: Path) -> None:
    def codes(config: dict[str, Any]) -> list[str]:
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return [
            each.code for each in export_problems({"architecture": config["model_type"]}, tmp_path, precision="fp32")
        ]

    layers: dict[str, Any] = {
        "sliding_attention": {"rope_type": "default"},
        "full_attention": {"rope_type": "linear", "factor": 8.0},
    }
    assert codes({"model_type": "gemma3_text", "rope_parameters": layers}) == []
    layers["full_attention"]["rope_type"] = "yarn"
    assert codes({"model_type": "gemma3_text", "rope_parameters": layers}) == ["arch.no_rope"]
    assert codes({"model_type": "hunyuan_v1_dense", "rope_scaling": {"type": "dynamic", "alpha": 1000.0}}) == []
    assert codes({"model_type": "phi", "qk_layernorm": True}) == ["arch.no_part"]


def test_what_came_out_wrong_is_refused_at_that_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"int4": "ValueError: parity: token_agreement {'kl': 1.0}", "parity": "yes"}
    row = Row(name="llama", type="llama", steps=wrong)
    monkeypatch.setattr("backend.models.architectures.table", lambda: [row])
    (problem,) = export_problems({"architecture": "llama"}, precision="int8")
    assert problem.code == "arch.export_fails" and problem.blocking
    assert "onnxruntime-genai" in problem.sentence() and "token_agreement" in problem.sentence()
    assert export_problems({"architecture": "llama"}, precision="fp32") == []
    notes = tune_only("m", FakeWorld().add("m", Kind.MODEL, architecture="llama"), "model")
    assert [(each.code, each.blocking) for each in notes] == [("arch.tune_wrong", False)]


def test_another_exporter_is_not_judged_by_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "backend.models.architectures.table", lambda: [Row(name="llama", type="llama", steps={"int4": "no"})]
    )
    assert export_problems({"architecture": "llama"})
    monkeypatch.setattr("backend.models.architectures.tried_with", lambda: {"onnxruntime-genai": "0.1"})
    assert export_problems({"architecture": "llama"}) == []


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
