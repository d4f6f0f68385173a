"""A quantized model under an adapter: its gradients are those of a dense model with the same weights, before and after an
evaluation, whatever the CPU."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.nn import functional

from backend.core.schemas import ArtifactView
from backend.ml.inference.load import load_model
from backend.ml.training.lora import add_adapter
from backend.ml.training.shared_prefix import answer_hidden_states, head_logits
from tests.helpers import build_tiny_model, model_view

pytestmark = pytest.mark.ml
LORA = SimpleNamespace(
    rank=4,
    alpha=8,
    dropout=0.0,
    targets="all-linear",
    variant="lora",
    initialization="gaussian",
    modules_to_save=[],
    top_share=1.0,
)
HEAD = [1, 5, 7, 9, 11]
"""Tokens that both rows begin with: they are computed once."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ArtifactView:
    return model_view(build_tiny_model(tmp_path_factory.mktemp("qlora") / "wide", hidden=64))


def adapted(base: ArtifactView, bits: int) -> Any:
    model = add_adapter(load_model(base, lambda _: base, bits=bits), LORA, 0)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight.data, std=0.05)
    return model


def dense(base: ArtifactView, quantized: Any) -> Any:
    """The same model with the values of the quantized weights, in float32, and the same adapter."""
    from peft.utils.integrations import dequantize_module_weight

    model = adapted(base, 32)
    below = dict(quantized.named_modules())
    with torch.no_grad():
        for name, module in model.named_modules():
            if hasattr(module, "base_layer"):
                module.base_layer.weight.data = dequantize_module_weight(below[name].base_layer).float()
    return model


def gradients(model: Any, answer: int) -> dict[str, torch.Tensor]:
    """Of the adapter, by two rows with `answer` tokens of answer, as the trainer computes them."""
    model.train()
    model.zero_grad()
    rows = [[*HEAD, *(20 + row + 3 * at for at in range(answer + 1))] for row in range(2)]
    ids = torch.tensor(rows)
    labels = ids.clone()
    labels[:, : len(HEAD) + 1] = -100
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    causal = model.get_base_model()
    hidden, asked = answer_hidden_states(causal, inputs)
    functional.cross_entropy(head_logits(causal, hidden).float(), asked).backward()
    return {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}


def evaluate(model: Any) -> None:
    model.eval()
    with torch.no_grad():
        model(input_ids=torch.tensor([HEAD]))


@pytest.mark.parametrize("answer", [1, 8])
@pytest.mark.parametrize("bits", [4, 8])
def test_gradients_are_those_of_dense_weights(
    base: ArtifactView, bits: int, answer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: True)
    quantized = adapted(base, bits)
    expected = gradients(dense(base, quantized), answer)
    assert len(expected) == 2 * 7 * 2
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*(autograd|backward|gemv_4bit).*")
        for _when in ("at first", "after an evaluation"):
            for name, found in gradients(quantized, answer).items():
                torch.testing.assert_close(
                    found, expected[name], rtol=1e-2, atol=1e-2 * float(expected[name].abs().max())
                )
            evaluate(quantized)
