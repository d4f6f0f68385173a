"""Which modules get an adapter: names, attention, regular expressions, of linear layers and GPT-2's Conv1D."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from backend.core.errors import StudioError
from backend.ml.training.lora import add_adapter, find_targets

pytestmark = pytest.mark.ml


def llama() -> Any:
    size: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, num_attention_heads=4, num_key_value_heads=4, **size))


def gpt2() -> Any:
    still: dict[str, Any] = {"embd_pdrop": 0.0, "resid_pdrop": 0.0, "attn_pdrop": 0.0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=32, **still))


def test_attention_means_the_attention_blocks_of_every_architecture() -> None:
    found = find_targets(llama(), "attention")
    assert len(found) == 8 and {path.rsplit(".", 1)[-1] for path in found} == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert sorted(find_targets(gpt2(), "attention")) == sorted(
        f"transformer.h.{layer}.attn.{name}" for layer in range(2) for name in ("c_attn", "c_proj")
    ), "the c_proj of the MLP bears the same name"


def test_names_and_regular_expressions_of_whole_paths() -> None:
    model = llama()
    assert find_targets(model, ["q_proj", "v_proj"]) == ["q_proj", "v_proj"]
    assert find_targets(model, [r"model\.layers\.1\..*_proj"])[0] == "model.layers.1.self_attn.q_proj"
    assert len(find_targets(model, [r".*\.mlp\..*", "q_proj"])) == 2 * 3 + 1
    for wrong in ("q_projj", r".*\.nothing", "("):
        with pytest.raises(StudioError, match="q_proj"):
            find_targets(model, [wrong])


def test_layers_without_an_asked_module_are_refused() -> None:
    with pytest.raises(StudioError, match=r"layers\.0"):
        find_targets(llama(), [r"model\.layers\.0\..*"], 0.5)


@pytest.mark.parametrize(("make", "targets"), [(llama, "attention"), (llama, [r".*\.mlp\..*"]), (gpt2, "attention")])
@pytest.mark.parametrize("variant", ["lora", "dora", "rslora"])
def test_every_variant_starts_as_the_base_and_learns(make: Any, targets: Any, variant: str) -> None:
    torch.manual_seed(0)
    model = make()
    ids = torch.tensor([[5, 7, 9, 11]])
    before = model(input_ids=ids).logits.detach()
    asked = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": targets, "variant": variant, "initialization": "default"}
    asked |= {"modules_to_save": [], "top_share": 1.0}
    wrapped = add_adapter(model, SimpleNamespace(**asked), 0)
    first = wrapped(input_ids=ids, labels=ids)
    torch.testing.assert_close(first.logits, before, atol=2e-2, rtol=2e-2)
    first.loss.backward()
    trained = [weight for weight in wrapped.parameters() if weight.requires_grad]
    assert all(weight.grad is not None for weight in trained)
