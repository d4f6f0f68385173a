"""How many parameters a training trains, told from the weights' header, is what PEFT counts; modules that are trained whole
are saved, read, merged and exported as they learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
)

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.ml.inference.adapter_check import adapter_problems
from backend.ml.inference.load import load_model
from backend.ml.training.lora import adapter_state, add_adapter, merge_adapter, save_adapter
from backend.stages.finetune import FinetuneParams
from backend.training.adapted import check_modules, learning
from studio.ui.forms.forecast import forecast_lines
from tests.helpers import view
from tests.stages.fake_world import FakeWorld

pytestmark = pytest.mark.ml
IDS = torch.tensor([[5, 7, 9, 11, 13]])


def llama(tied: bool) -> Any:
    size: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    heads: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": tied}
    return LlamaForCausalLM(LlamaConfig(vocab_size=64, **size, **heads))


def gpt2(tied: bool) -> Any:
    still: dict[str, Any] = {"embd_pdrop": 0.0, "resid_pdrop": 0.0, "attn_pdrop": 0.0, "tie_word_embeddings": tied}
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=2, n_head=2, n_positions=32, **still))


def neox(tied: bool) -> Any:
    size: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=64, **size, tie_word_embeddings=tied))


TABLE = {llama: "embed_tokens", gpt2: "wte", neox: "embed_in"}


def kept(folder: Path, make: Any, tied: bool) -> ArtifactView:
    torch.manual_seed(0)
    model = make(tied)
    model.save_pretrained(folder)
    count = sum(weight.numel() for weight in model.parameters())
    about = {"architecture": model.config.model_type, "tied": tied, "parameters": count, "layers": 2, "hidden_size": 32}
    return view(folder, Kind.MODEL, "m", **about)


def asked(**more: Any) -> FinetuneParams:
    return FinetuneParams(model="m", data="d", rank=4, alpha=8, **more)


@pytest.mark.parametrize("make", [llama, gpt2, neox])
@pytest.mark.parametrize("tied", [True, False])
def test_the_count_is_pefts(make: Any, tied: bool, tmp_path: Path) -> None:
    base = kept(tmp_path / "m", make, tied)
    for more in (
        {"targets": "all-linear"},
        {"targets": "attention"},
        {"targets": [r".*\.1\..*"], "method": "dora"},
        {"targets": "all-linear", "modules_to_save": [TABLE[make]]},
        {"targets": "attention", "modules_to_save": [TABLE[make], "lm_head"]},
    ):
        params = asked(**more)
        told = learning(params, params, "m", FakeWorld(base), 0)
        wrapped = add_adapter(load_model(base, lambda _: base), params, 0)
        trained, whole = wrapped.get_nb_trainable_parameters()
        assert (told.trained, told.total) == (trained, whole), more
        layers = sum(hasattr(module, "lora_A") for module in wrapped.modules())
        assert sum(told.modules.values()) == layers + len(params.modules_to_save)


def learned(base: ArtifactView, params: FinetuneParams) -> Any:
    model = add_adapter(load_model(base, lambda _: base), params, 0).train()
    optimizer = torch.optim.SGD([weight for weight in model.parameters() if weight.requires_grad], lr=0.5)
    for _ in range(4):
        optimizer.zero_grad()
        model(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
    return model.eval()


@pytest.mark.parametrize("make", [llama, gpt2])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("which", ["table", "head", "both"])
def test_whole_modules_are_read_merged_and_exported_as_they_learned(
    make: Any, tied: bool, which: str, tmp_path: Path
) -> None:
    base = kept(tmp_path / "m", make, tied)
    names = {"table": [TABLE[make]], "head": ["lm_head"], "both": [TABLE[make], "lm_head"]}[which]
    model = learned(base, asked(targets="attention", modules_to_save=names))
    logits = model(input_ids=IDS).logits.detach()
    plain = load_model(base, lambda _: base)
    assert (logits - plain(input_ids=IDS).logits).abs().max() > 0.1
    (tmp_path / "a").mkdir()
    save_adapter(model, base, tmp_path / "a")
    assert adapter_problems(tmp_path / "a", base.path, "m") == []
    adapter = view(tmp_path / "a", Kind.ADAPTER, "a", base="m")
    torch.testing.assert_close(load_model(adapter, lambda _: base)(input_ids=IDS).logits, logits)
    merged = load_model(adapter, lambda _: base, merged=True)
    merged.save_pretrained(tmp_path / "merged")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    straight = merge_adapter(plain, *adapter_state(model))
    for each in (merged, again, straight):
        torch.testing.assert_close(each(input_ids=IDS).logits, logits, atol=1e-5, rtol=1e-4)
    assert again.config.tie_word_embeddings is tied
    assert (again.get_output_embeddings().weight is again.get_input_embeddings().weight) is tied


def test_what_can_not_be_trained_whole_is_named(tmp_path: Path) -> None:
    base = kept(tmp_path / "m", llama, True)
    for names, said in ((["q_proj"], "embed_tokens"), (["lm_headd"], "lm_head")):
        [problem] = check_modules(asked(modules_to_save=names), "m", FakeWorld(base))
        assert problem.field == "modules_to_save" and said in problem.text() and "to train whole" in problem.text()
        with pytest.raises(StudioError, match="to train whole"):
            add_adapter(load_model(base, lambda _: base), asked(modules_to_save=names), 0)
    [problem] = check_modules(asked(targets=["q_projj"]), "m", FakeWorld(base))
    assert (problem.code, problem.field) == ("train.targets", "targets")


def test_forms_and_command_line_say_what_learns(tmp_path: Path) -> None:
    base = kept(tmp_path / "m", llama, True)
    params = asked(targets="attention", modules_to_save=["embed_tokens"])
    told = learning(params, params, "m", FakeWorld(base), 0)
    assert told.text().startswith("trains 0.003") and told.text().endswith(
        "embed_tokens ×1, k_proj ×2, o_proj ×2, q_proj ×2, v_proj ×2; learning rate 0.001"
    )
    lines = forecast_lines("finetune", Quote(seconds=1, memory_bytes=1, disk_bytes=1, learning=told))
    assert len(lines) == 2 and f"({told.share:.1%})" in lines[0] and "q_proj ×2" in lines[1]
    guessed = learning(params, params, "m", FakeWorld().add("m", Kind.MODEL, **base.facts), 0)
    assert guessed.estimated and guessed.text().startswith("trains about")
