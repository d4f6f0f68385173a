"""Schemes of quantization: Olive's passes for each, and the bytes that they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.models.quantization import Scheme, accelerator, passes, size_bytes

MODEL = Path("/weights")
SMOL = {"parameters": 134_515_008, "hidden_size": 576, "vocabulary": 49152, "context": 8192, "tied": True, "layers": 30}


def test_floats_are_built_as_they_are() -> None:
    for precision in ("fp32", "fp16"):
        found = passes(Scheme(precision=precision, target="cuda"), MODEL)
        assert list(found) == ["build"] and found["build"]["precision"] == precision
        assert "int4_block_size" not in found["build"]


@pytest.mark.parametrize(("rounding", "kind"), [("rtn", "Rtn"), ("kquant", "KQuant")])
def test_rounding_reaches_both_tables_and_they_become_one(rounding: str, kind: str) -> None:
    found = passes(Scheme(precision="int4", rounding=rounding, tied=True, block=32, symmetric=True), MODEL)
    assert list(found) == ["quantize", "build", "tie"]
    asked = found["quantize"]
    assert (asked["type"], asked["bits"], asked["group_size"], asked["sym"]) == (kind, 4, 32, True)
    assert asked["lm_head"] and asked["embeds"] and asked["overrides"] == {}


def test_without_a_common_table_the_input_stays_as_it_is() -> None:
    found = passes(Scheme(precision="int4"), MODEL)
    assert list(found) == ["quantize", "build"] and not found["quantize"]["embeds"]


def test_head_and_sensitive_modules_take_8_bits() -> None:
    found = passes(Scheme(precision="int4", tied=True, head_bits=8, exact=("model.layers.3.mlp.up_proj",)), MODEL)
    assert set(found["quantize"]["overrides"]) == {"lm_head", "model.embed_tokens", "model.layers.3.mlp.up_proj"}
    assert all(each == {"bits": 8} for each in found["quantize"]["overrides"].values())


def test_gptq_calibrates_on_the_given_texts_and_leaves_the_tables_to_a_second_pass() -> None:
    found = passes(Scheme(precision="int4", rounding="gptq", tied=True, head_bits=8), MODEL, Path("/job/rows.jsonl"))
    assert list(found) == ["quantize", "head", "build", "tie"]
    assert found["quantize"]["data_config"]["load_dataset_config"]["data_files"] == "/job/rows.jsonl"
    assert "lm_head" not in found["quantize"] and found["head"]["lm_head"] and found["head"]["bits"] == 8


def test_int8_is_rounding_to_8_bits_for_the_same_operator() -> None:
    found = passes(Scheme(precision="int8", tied=True), MODEL)
    assert found["quantize"]["bits"] == 8 and found["build"]["precision"] == "int4"


def test_each_target_names_its_execution_provider() -> None:
    named = {target: accelerator(target)["execution_providers"] for target in ("cpu", "cuda", "directml")}
    assert named == {
        "cpu": ["CPUExecutionProvider"],
        "cuda": ["CUDAExecutionProvider"],
        "directml": ["DmlExecutionProvider"],
    }


def test_bits_blocks_head_and_kept_layers_all_count_for_the_size() -> None:
    tied = Scheme(precision="int4", tied=True)
    plain = size_bytes(tied, SMOL)
    assert plain == pytest.approx(82.8e6, rel=0.02)
    assert size_bytes(tied.model_copy(update={"block": 32}), SMOL) > plain
    assert size_bytes(tied.model_copy(update={"symmetric": True}), SMOL) < plain
    assert size_bytes(tied.model_copy(update={"head_bits": 8}), SMOL) == pytest.approx(plain + 14.4e6, rel=0.02)
    assert plain < size_bytes(tied, SMOL, exact_layers=5) < size_bytes(tied, SMOL, exact_layers=10)
    assert size_bytes(Scheme(precision="fp16"), SMOL) == pytest.approx(
        size_bytes(Scheme(precision="fp32"), SMOL) / 2, rel=0.02
    )
