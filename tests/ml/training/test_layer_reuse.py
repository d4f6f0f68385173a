"""Frozen layers below those that learn are computed once: the same curve and the same weights, with less work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import EncodedExamples, encode_rows
from backend.jobs.context import MemoryContext
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.layer_reuse import LayerReuse, first_learning_layer, layer_reuse, layers_of
from backend.ml.training.lora import add_adapter, find_targets
from backend.ml.training.shared_prefix import hidden_states
from backend.ml.training.trainer import AnswerTrainer, base_model_of, train
from backend.stages.finetune import FinetuneParams
from tests.helpers import model_view, tiny_dataset
from tests.ml.training.test_lora import gpt2, llama

pytestmark = pytest.mark.ml
PARAMS = FinetuneParams(epochs=3, batch_size=8, learning_rate=5e-3, top_share=0.5, rank=4, alpha=8)


@pytest.fixture(scope="module")
def examples(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodedExamples:
    data = DataFolder(tiny_dataset(tmp_path_factory.mktemp("data") / "d", 60))
    return encode_rows(Encoder(tiny_model), data.template, data.rows("train"), 256)


def fit(tiny_model: Path, examples: EncodedExamples, ctx: MemoryContext) -> tuple[list[float], list[torch.Tensor], int]:
    """Curve, adapter, and how often the first layer worked."""
    model = add_adapter(load_model(model_view(tiny_model), ctx.input), PARAMS, 0)
    works: list[int] = []
    layers = layers_of(base_model_of(model).base_model)
    assert layers
    layers[0].get_submodule("self_attn").register_forward_hook(lambda *_: works.append(1))
    train(model, tokenizer_of(tiny_model), examples, EncodedExamples(items=examples.items[:8]), PARAMS, ctx)
    losses = [event["value"] for event in ctx.events if event["event"] == "metric" and "loss" in event["name"]]
    return losses, [each for each in model.parameters() if each.requires_grad], len(works)


def test_the_same_curve_and_weights_with_a_third_of_the_work(
    tiny_model: Path, examples: EncodedExamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, weights, works = fit(tiny_model, examples, MemoryContext(tmp_path / "reuse"))
    monkeypatch.setattr(AnswerTrainer, "reuses_layers", False)
    plain, all_weights, all_works = fit(tiny_model, examples, MemoryContext(tmp_path / "plain"))
    assert losses == pytest.approx(plain, abs=1e-4) and losses[-1] < losses[0]
    for mine, theirs in zip(weights, all_weights, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-3)
    assert works < 0.4 * all_works
    assert not list((tmp_path / "reuse").rglob("*.layers")), "nothing is left on the disk"


@pytest.mark.parametrize("make", [llama, gpt2])
@pytest.mark.parametrize("shared", [0, 5])
def test_states_are_those_of_the_whole_model(make: Any, shared: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = add_adapter(make(), PARAMS, 0).get_base_model().eval()
    ids = torch.randint(3, 60, (3, 12))
    ids[:, :shared] = ids[0, :shared]
    mask = torch.ones_like(ids)
    mask[1, 9:] = ids[1, 9:] = 0
    inputs, real = {"input_ids": ids, "attention_mask": mask}, mask[:, shared:].bool()
    expected, skipped = hidden_states(model, inputs, 8)
    assert skipped == shared
    reuse = layer_reuse(model, ids.tolist(), 2, MemoryContext(tmp_path))
    assert reuse
    for _ in range(2):  # computed, then read
        with reuse.batch(ids, mask):
            states, _skipped = hidden_states(model, inputs, 8)
        torch.testing.assert_close(states[real], expected[real])
    torch.testing.assert_close(hidden_states(model, inputs, 8)[0], expected)  # outside of a batch nothing is read


def test_only_what_is_frozen_below_is_reused(tmp_path: Path) -> None:
    def first(model: Any, **asked: Any) -> int:
        tuned = add_adapter(model, PARAMS.model_copy(update=asked), 0).get_base_model()
        layers = layers_of(tuned.base_model)
        assert layers
        return first_learning_layer(tuned, layers)

    assert first(llama()) == 1 and first(gpt2()) == 1
    assert first(llama(), top_share=1.0) == 0 and first(llama(), modules_to_save=["embed_tokens"]) == 0
    dropping = gpt2()
    dropping.transformer.drop.p = 0.1
    assert first(dropping) == 0
    assert layer_reuse(add_adapter(llama(), PARAMS, 0).get_base_model(), [[1]], 1, MemoryContext(tmp_path)) is None


def test_a_full_disk_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    ctx = MemoryContext(tmp_path)
    assert layer_reuse(add_adapter(llama(), PARAMS, 0).get_base_model(), [[1]], 3, ctx) is None
    assert any("No room on the disk" in event.get("text", "") for event in ctx.events)


def test_rows_beyond_the_room_are_computed_again(tmp_path: Path) -> None:
    model = add_adapter(llama(), PARAMS, 0).get_base_model().eval()
    layers = layers_of(model.base_model)
    assert layers
    reuse, ids = LayerReuse(layers, 1, 32, 5, tmp_path), torch.tensor([[3, 4, 5, 6], [7, 8, 9, 10]])
    for _ in range(2):
        with reuse.batch(ids, torch.ones_like(ids)):
            states = model.base_model(input_ids=ids).last_hidden_state
        torch.testing.assert_close(states, model.base_model(input_ids=ids).last_hidden_state)


def test_the_last_layers_alone_are_adapted() -> None:
    assert {path.split(".")[2] for path in find_targets(llama(), "all-linear", 0.5)} == {"1"}
    assert len(find_targets(llama(), "attention", 0.5)) == 4
    assert len(find_targets(gpt2(), ["c_attn"], 0.5)) == 1
