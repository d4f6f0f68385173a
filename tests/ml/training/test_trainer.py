"""Training: loss on the answer with its end of turn, exact resume, cancel, checkpoints that can be trusted."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from backend.core.errors import Cancelled, StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rows
from backend.jobs.context import MemoryContext
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training import shared_prefix
from backend.ml.training.batches import UpdateSampler
from backend.ml.training.checkpoints import explain_disk_full, latest_checkpoint
from backend.ml.training.lora import add_adapter
from backend.ml.training.shared_prefix import head_logits, head_loss, hidden_states
from backend.ml.training.trainer import AnswerTrainer, _config, train
from backend.stages.finetune import FinetuneParams
from backend.training.params import TrainingParams
from tests.helpers import model_view, tiny_dataset

pytestmark = pytest.mark.ml

PARAMS = TrainingParams(epochs=3, batch_size=8, learning_rate=5e-3)


@pytest.fixture(scope="module")
def examples(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> EncodedExamples:
    data = DataFolder(tiny_dataset(tmp_path_factory.mktemp("data") / "d", 120))
    return encode_rows(Encoder(tiny_model), data.template, data.rows("train"), 256)


def fit(
    tiny_model: Path, examples: EncodedExamples, ctx: Any, params: TrainingParams = PARAMS
) -> tuple[dict[str, float], Any]:
    model = load_model(model_view(tiny_model), ctx.input)
    held_out = EncodedExamples(items=examples.items[:10])
    return train(model, tokenizer_of(tiny_model), examples, held_out, params, ctx, checkpoint_seconds=0).metrics, model


def curve(ctx: MemoryContext, name: str) -> list[float]:
    return [event["value"] for event in ctx.events if event["event"] == "metric" and event["name"] == name]


def test_labels_are_the_answer_and_its_end_of_turn(tiny_model: Path) -> None:
    encoder, template = Encoder(tiny_model), Template(system="Name it.")
    row = Row(id="1", input="red item", output="red")
    (item,) = encode_rows(encoder, template, [row, Row(id="2", input="no answer")], 256).items
    asked = [token for token in item["labels"] if token != IGNORE_INDEX]
    end = encoder.tokenizer.token_to_id("<|im_end|>")
    assert asked == [*encoder.ids("red"), end] and item["labels"][-1] == end
    assert item["input_ids"] == encoder.prompt_ids(template, row) + asked


def test_long_prompts_lose_their_beginning_and_answers_nothing(tiny_model: Path) -> None:
    encoder, template = Encoder(tiny_model), Template()
    rows = [Row(id="1", input="red " * 50, output="blue"), Row(id="2", input="x", output="green " * 50)]
    examples = encode_rows(encoder, template, rows, 20)
    assert (examples.truncated, examples.too_long, len(examples.items)) == (1, 1, 1)
    item = examples.items[0]
    assert len(item["input_ids"]) == 20
    assert item["input_ids"] == (encoder.prompt_ids(template, rows[0]) + encoder.answer_ids("blue"))[-20:]


def test_loss_is_that_of_the_answers_tokens(tiny_model: Path, examples: EncodedExamples, ctx: MemoryContext) -> None:
    """Against the model's own logits, with rows of other lengths in the batch; the end of turn (== pad) counts."""
    model = load_model(model_view(tiny_model), ctx.input)
    trainer = AnswerTrainer(
        model=model,
        args=_config(PARAMS, 3, ctx.dir, 4, False),
        train_dataset=_dataset(examples),
        processing_class=tokenizer_of(tiny_model),
    )
    trainer.accelerator.native_amp = False
    batch = DataCollatorForLanguageModeling(pad_token_id=2)(examples.items[:6])
    mine = trainer.compute_loss(model, dict(batch))
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    labels = batch["labels"][:, 1:]
    assert (labels == 2).sum() == 6
    expected = functional.cross_entropy(logits[:, :-1][labels != IGNORE_INDEX], labels[labels != IGNORE_INDEX])
    assert mine.item() == pytest.approx(expected.item(), abs=2e-2)


def _dataset(examples: EncodedExamples) -> Any:
    from datasets import Dataset

    return Dataset.from_list(examples.items)


def test_the_head_in_parts_changes_neither_loss_nor_gradients(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(model_view(tiny_model), None).train()  # type: ignore[arg-type]
    head = model.get_output_embeddings()
    hidden, labels = torch.randn(50, head.in_features, requires_grad=True), torch.randint(0, head.out_features, (50,))
    rows: list[int] = []
    head.register_forward_hook(lambda _module, given, _made: rows.append(len(given[0])))

    def found(most: int) -> tuple[float, Any, Any]:
        monkeypatch.setattr(shared_prefix, "HEAD_POSITIONS", most)
        rows.clear()
        loss = head_loss(model, hidden, labels)
        by_hidden, by_weight = torch.autograd.grad(loss, [hidden, head.weight])
        return float(loss), by_hidden, by_weight

    whole = found(50)
    assert rows == [50]
    parts = found(16)
    assert rows[:4] == [16, 16, 16, 2] and max(rows) == 16
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other)


def test_shared_beginning_changes_neither_states_nor_gradients(tiny_model: Path, examples: EncodedExamples) -> None:
    model = load_model(model_view(tiny_model), None).train()  # type: ignore[arg-type]
    batch = DataCollatorForLanguageModeling(pad_token_id=2)(examples.items[:9])
    first = int((batch["labels"] != IGNORE_INDEX).any(dim=0).long().argmax())
    states, skipped = hidden_states(model, batch, first)
    whole = model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    assert shared_prefix._MIN_SHARED_TOKENS < skipped < first
    real = batch["attention_mask"][:, skipped:] == 1
    pairs = zip(
        torch.autograd.grad((states[real] ** 2).sum(), list(model.parameters())),
        torch.autograd.grad((whole[:, skipped:][real] ** 2).sum(), list(model.parameters())),
        strict=True,
    )
    torch.testing.assert_close(states[real], whole[:, skipped:][real], atol=1e-5, rtol=1e-4)
    for mine, theirs in pairs:
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-3)


def test_order_depends_on_seed_and_epoch() -> None:
    lengths = [n % 37 + 1 for n in range(200)]
    sampler = UpdateSampler(lengths, 16, seed=1)
    first = list(sampler)
    assert sorted(first) == list(range(200)) and first == list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first and list(UpdateSampler(lengths, 16, seed=2)) != first


def test_an_update_mixes_lengths_and_its_batches_do_not() -> None:
    """Long and short answers learn together; of one update's rows the longest share a batch."""
    lengths = [5] * 500 + [50] * 500
    order = list(UpdateSampler(lengths, 16, seed=1))
    updates = [[lengths[index] for index in order[at : at + 16]] for at in range(0, 1000, 16)]
    mixed = [update for update in updates if 5 in update and 50 in update]
    assert len(mixed) > 0.95 * len(updates) and all(update == sorted(update, reverse=True) for update in updates)


def test_loss_falls_and_is_reported(tiny_model: Path, examples: EncodedExamples, ctx: MemoryContext) -> None:
    metrics, _ = fit(tiny_model, examples, ctx)
    losses = curve(ctx, "loss")
    assert losses[-1] < losses[0] - 1 and len(curve(ctx, "eval_loss")) == 3
    assert metrics["eval_loss"] == curve(ctx, "eval_loss")[-1] and metrics["tokens_per_s"] > 0
    done = [event for event in ctx.events if event["event"] == "progress"]
    assert done[-1]["done"] == done[-1]["total"] == metrics["steps"] == PARAMS.optimizer_steps(len(examples.items))


@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit"])
def test_resumed_run_ends_like_an_unbroken_one(
    tiny_model: Path, examples: EncodedExamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    """Stopped in the middle of the second epoch, with the newest checkpoint half-written."""
    params = PARAMS.model_copy(update={"optimizer": optimizer})
    whole, expected = fit(tiny_model, examples, MemoryContext(tmp_path / "whole"), params)
    again, same = fit(tiny_model, examples, MemoryContext(tmp_path / "again"), params)
    _assert_equal(expected, same, exact=True)
    ctx = MemoryContext(tmp_path / "broken")
    progress = ctx.progress

    def stop_at_12(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        ctx.stop = done >= 12

    monkeypatch.setattr(ctx, "progress", stop_at_12)
    with pytest.raises(Cancelled):
        fit(tiny_model, examples, ctx, params)
    kept = latest_checkpoint(ctx.checkpoints)
    assert kept and kept.name == "checkpoint-11"
    shutil.copytree(kept, kept.with_name("checkpoint-12"))
    (kept.with_name("checkpoint-12") / "optimizer.pt").write_bytes(b"half")
    monkeypatch.undo()
    ctx.stop = False
    resumed, model = fit(tiny_model, examples, ctx, params)
    assert any("Resuming from step 11" in event.get("text", "") for event in ctx.events)
    _assert_equal(expected, model, exact=False)
    for name in ("train_loss", "eval_loss", "steps"):
        assert resumed[name] == pytest.approx(whole[name], rel=1e-4) == pytest.approx(again[name], rel=1e-4)


def _assert_equal(one: Any, other: Any, exact: bool) -> None:
    for left, right in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=0 if exact else 1e-5, rtol=0 if exact else 1e-4)


def test_checkpoints_hold_no_pickle_of_settings_and_two_are_kept(
    tiny_model: Path, examples: EncodedExamples, ctx: MemoryContext
) -> None:
    fit(tiny_model, examples, ctx)
    folders = sorted(ctx.checkpoints.iterdir())
    assert len(folders) == 2 and all((folder / "complete.json").is_file() for folder in folders)
    assert not list(ctx.checkpoints.rglob("training_args.bin"))


def test_diverging_training_says_so(tiny_model: Path, examples: EncodedExamples, ctx: MemoryContext) -> None:
    with pytest.raises(StudioError, match="diverged"):
        fit(tiny_model, examples, ctx, PARAMS.model_copy(update={"learning_rate": float("inf"), "warmup_ratio": 0}))


def test_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="full"), explain_disk_full(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(StudioError, match="full"), explain_disk_full(tmp_path):
        raise Exception("No space left on device (os error 28)")  # what tokenizers raises
    with pytest.raises(RuntimeError, match="shape"), explain_disk_full(tmp_path):
        raise RuntimeError("shape mismatch")


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("granite", {"logits_scaling": 8.0}),
        ("cohere", {"logit_scale": 0.25, "pad_token_id": 0}),
        ("gemma2", {"final_logit_softcapping": 3.0, "head_dim": 16}),
        ("llama", {}),
    ],
)
def test_logits_are_those_of_the_architecture(kind: str, own: dict[str, Any]) -> None:
    size = {"vocab_size": 96, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    config = AutoConfig.for_model(
        kind, **size, num_attention_heads=2, num_key_value_heads=2, initializer_range=0.5, **own
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    ids = torch.tensor([[5, 7, 9, 11]])
    with torch.inference_mode():
        hidden = model.base_model(input_ids=ids).last_hidden_state
        torch.testing.assert_close(head_logits(model, hidden), model(input_ids=ids).logits)


def test_modules_trained_whole_resume_too(
    tiny_model: Path, examples: EncodedExamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = FinetuneParams(epochs=2, batch_size=8, learning_rate=5e-3, rank=4, alpha=8, modules_to_save=["lm_head"])

    def tuned(ctx: MemoryContext) -> dict[str, torch.Tensor]:
        model = add_adapter(load_model(model_view(tiny_model), ctx.input), params, 0)
        train(model, tokenizer_of(tiny_model), examples, EncodedExamples(items=[]), params, ctx, checkpoint_seconds=0)
        return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}

    whole = tuned(MemoryContext(tmp_path / "whole"))
    ctx = MemoryContext(tmp_path / "broken")
    progress = ctx.progress

    def stop_at_8(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        ctx.stop = done >= 8

    monkeypatch.setattr(ctx, "progress", stop_at_8)
    with pytest.raises(Cancelled):
        tuned(ctx)
    monkeypatch.undo()
    ctx.stop = False
    resumed = tuned(ctx)
    assert any("Resuming from step 7" in event.get("text", "") for event in ctx.events)
    assert any("modules_to_save" in name for name in whole)
    for name, weight in whole.items():
        torch.testing.assert_close(resumed[name], weight, atol=1e-5, rtol=1e-4)
