"""What the exporter writes says what torch says: the graph of a tiny model in FP32, asked directly. Without its patch each of
these differs by more than a tenth, or is not written at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import AutoModelForCausalLM

from backend.ml.compression import builder_patches
from benchmarks.tiny_models import CONTEXT, ROWS, Tiny, build
from tests.ml.shared import patched_builder

pytestmark = pytest.mark.ml

LENGTH = 40
"""Tokens: more than the window of 16."""
WINDOW = {"head_dim": 16, "sliding_window": 16}
HALF = {"num_attention_heads": 2, "num_key_value_heads": 2}
MENDED = {
    "Gemma 2: even layers have the window": ROWS["gemma2"],
    "Gemma 3: layers as the config says, stretched": Tiny("gemma3_text", "", ROWS["gemma3"].config),
    "gpt-oss: layers as the config says": Tiny(
        "gpt_oss", "", ROWS["gpt_oss"].config | {"layer_types": ["full_attention", "sliding_attention"]}
    ),
    "Qwen 2: some layers have a window": Tiny(
        "qwen2", "", {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}
    ),
    "Phi-2: half of a head turns, its own epsilon": ROWS["phi"],
    "Phi-4-mini: a part of a head turns": Tiny(
        "phi3",
        "",
        HALF
        | {"original_max_position_embeddings": CONTEXT, "max_position_embeddings": CONTEXT}
        | {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}},
    ),
    "Phi-4-mini: long texts": ROWS["phi3-long"],
    "Nemotron: half of a head turns": ROWS["nemotron"],
    "OLMo 1: the mean is subtracted, queries have limits": ROWS["olmo"],
    "Hunyuan: a fixed stretch": Tiny(
        "hunyuan_v1_dense",
        "",
        {
            "head_dim": 16,
            "rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 1.0, "alpha": 1000.0},
        },
    ),
    "SmolLM3: a layer without positions": ROWS["smollm3"],
    "YaRN without its defaults": ROWS["llama-yarn"],
}


@pytest.fixture(scope="module")
def builder() -> Iterator[Any]:
    """The exporter's module with the patches, which are taken off again."""
    with patched_builder() as module:
        yield module


@pytest.mark.parametrize("row", MENDED.values(), ids=MENDED.keys())
def test_the_graph_says_what_torch_says(row: Tiny, builder: Any, tmp_path: Path) -> None:
    source = build(row, tmp_path / "source")
    model: Any = _with_lively_norms(source)
    builder.create_model(
        None,
        str(source),
        str(tmp_path / "out"),
        "fp32",
        "cpu",
        str(tmp_path / "cache"),
        hf_remote=False,
        hf_token="false",
    )
    ids = torch.randint(3, 600, (1, LENGTH), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model(ids).logits[0].numpy()
    assert np.abs(_answer(tmp_path / "out" / "model.onnx", ids.numpy()) - expected).max() < 1e-3


def _with_lively_norms(source: Path) -> Any:
    """Fresh norms are ones and biases zero: what is left out of a graph would not show."""
    model: Any = AutoModelForCausalLM.from_pretrained(source, attn_implementation="eager").eval()
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "norm" in name or name.endswith(("bias", "sinks")):
                value.add_(torch.randn(value.shape, generator=random) * 0.2)
    model.save_pretrained(source)
    return model


def _answer(file: Path, ids: Any) -> Any:
    """Logits (positions, vocabulary) of one text."""
    session = onnxruntime.InferenceSession(str(file))
    known = {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": np.arange(ids.shape[1])[None]}
    empty = {
        each.name: np.zeros(
            [1 if size == "batch_size" else size if isinstance(size, int) else 0 for size in each.shape], "f4"
        )
        for each in session.get_inputs()
        if each.name not in known
    }
    fed = {each.name: {**known, **empty}[each.name] for each in session.get_inputs()}
    return session.run(["logits"], fed)[0][0]


def test_rounded_weights_of_phi_2_are_read_by_usual_names(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    own = {"model.final_layernorm.weight": torch.ones(2), "model.layers.0.self_attn.dense.qweight": torch.ones(2)}
    save_file(own, tmp_path / "model.safetensors")
    seen: dict[str, Any] = {}

    class Reader:
        def __init__(self, kind: str, folder: Path, attributes: dict[str, Any], *sizes: int) -> None:
            import safetensors.torch

            seen.update(
                safetensors.torch.load_file(folder / "model.safetensors"), bits=attributes["config"]["overrides"]
            )

    builder_patches.patch_olive(SimpleNamespace(OliveQuantizedModel=Reader))
    Reader("olive", tmp_path, {"config": {"overrides": {"model.layers.0.self_attn.dense": {"bits": 8}}}}, 4)
    assert seen["bits"] == {"model.layers.0.self_attn.o_proj": {"bits": 8}}
    assert {"model.norm.weight", "model.layers.0.self_attn.o_proj.qweight"} <= set(seen)
    assert set(load_file(tmp_path / "model.safetensors")) == set(own), "outside of the reader names stay as they are"


def test_norms_of_hunyuan_are_found_beside_empty_ones_of_the_usual_name() -> None:
    called: list[Any] = []
    attention = SimpleNamespace(q_norm=None, k_norm=None, query_layernorm="q", key_layernorm="k")
    model = SimpleNamespace(
        make_attention_qk_rope=lambda layer, **named: ("cos", "sin"),
        make_attention_qk_norm=lambda layer, given: called.append((given.q_norm, given.k_norm)),
    )
    assert builder_patches._rope_then_norm(model, 0, attention) == ("cos", "sin")
    assert called == [("q", "k")]
