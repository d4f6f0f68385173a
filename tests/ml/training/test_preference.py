"""DPO and KTO: what is preferred gets likelier, the reference is the model itself, and a stopped run goes on."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import REJECTED, DataFolder, Row, write_split
from backend.data.encoding import EncodedExamples, encode_rows
from backend.jobs.context import MemoryContext
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.checkpoints import latest_checkpoint
from backend.ml.training.preference import PairTrainer, UnpairedTrainer, tune
from backend.ml.training.trainer import _config
from backend.stages.preference import PreferenceParams
from backend.training.preferences import load_preferences
from tests.helpers import dataset_view, model_view, tiny_dataset

pytestmark = pytest.mark.ml


def preference_data(folder: Path, paired: bool = True) -> ArtifactView:
    """A colour with `item` is preferred to one with `thing`, which stands beside it or in rows of its own."""
    data = DataFolder(tiny_dataset(folder, 64))
    for split in ("train", "validation"):
        rows = [row.model_copy(update={"output": f"{row.output} item"}) for row in data.rows(split)]
        told = [row.model_copy(update={"rejected": wrong(row)}) for row in rows]
        write_split(folder, split, told if paired else rows)
        if not paired and split == "train":
            write_split(folder, REJECTED, [row.model_copy(update={"id": f"n{row.id}", "output": None}) for row in told])
    return dataset_view(folder)


def wrong(row: Row) -> str:
    return (row.output or "").replace("item", "thing")


def asked(method: str, **more: Any) -> PreferenceParams:
    given = {"epochs": 3, "batch_size": 8, "learning_rate": 0.02, "rank": 4, "dropout": 0.0, **more}
    return PreferenceParams.model_validate({"model": "m", "data": "d", "method": method, **given})


@pytest.fixture(params=["dpo", "kto"])
def params(request: pytest.FixtureRequest) -> PreferenceParams:
    return asked(request.param)


def loaded(model: Path, data: ArtifactView, params: PreferenceParams, ctx: Any) -> Any:
    return load_preferences(params.method, params.max_length, params.evaluate_rows, model, data, ctx)


def fit(tiny_model: Path, data: ArtifactView, params: PreferenceParams, ctx: MemoryContext) -> tuple[Any, Any]:
    train, held_out = loaded(tiny_model, data, params, ctx)
    model = load_model(model_view(tiny_model), ctx.input)
    return tune(model, tokenizer_of(tiny_model), train, held_out, params, ctx, checkpoint_seconds=0)


def likelihood(model: Any, prompt: list[int], answer: list[int]) -> float:
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1].float()
    return float(functional.log_softmax(logits, -1).gather(-1, torch.tensor(answer)[:, None]).sum())


def margins(model: Any, folder: Path, data: ArtifactView, split: str = "train") -> torch.Tensor:
    """How much likelier the right answer of each row is than the wrong one, by the model's own logits."""
    encoder, rows = Encoder(folder), DataFolder(data.path)
    model.eval()
    found = []
    for row in rows.rows(split):
        prompt = encoder.prompt_ids(rows.template, row)
        better, worse = (encoder.answer_ids(answer) for answer in (row.output or "", wrong(row)))
        found.append(likelihood(model, prompt, better) - likelihood(model, prompt, worse))
    return torch.tensor(found)


def curve(ctx: MemoryContext, name: str) -> list[float]:
    return [event["value"] for event in ctx.events if event["event"] == "metric" and event["name"] == name]


@pytest.mark.parametrize(("method", "paired"), [("dpo", True), ("kto", True), ("kto", False)])
def test_the_margin_grows(tiny_model: Path, ctx: MemoryContext, tmp_path: Path, method: str, paired: bool) -> None:
    data = preference_data(tmp_path / "d", paired)
    before = margins(load_model(model_view(tiny_model), ctx.input), tiny_model, data)
    model, (metrics, said) = fit(tiny_model, data, asked(method), ctx)
    after = margins(model, tiny_model, data)
    assert float((after > before).float().mean()) > 0.9 and float((after - before).mean()) > 0.5
    assert curve(ctx, "reward_margin")[0] == pytest.approx(0, abs=0.05), "at first the model is its reference"
    assert metrics["reward_margin"] > 0.05 and metrics["eval_loss"] < curve(ctx, "eval_loss")[0]
    if method == "dpo":
        assert curve(ctx, "loss")[0] == pytest.approx(log(2), abs=5e-3)
        assert metrics["eval_reward_accuracy"] > 0.9 and "reward_accuracy" in metrics
    assert not [each for each in said if each.blocking]


def test_the_loss_is_that_of_the_paper_by_the_model_without_its_adapter(
    tiny_model: Path, ctx: MemoryContext, tmp_path: Path
) -> None:
    data, params = preference_data(tmp_path / "d"), asked("dpo", beta=0.3)
    model, (metrics, _) = fit(tiny_model, data, params, ctx)
    assert list(model.peft_config) == ["default"], "no copy of the adapter is kept"
    assert not [each for folder in ctx.checkpoints.iterdir() for each in folder.iterdir() if each.is_dir()]
    tuned = margins(model, tiny_model, data, "validation")
    with model.disable_adapter():
        reference = margins(model, tiny_model, data, "validation")
    torch.testing.assert_close(
        reference,
        margins(load_model(model_view(tiny_model), ctx.input), tiny_model, data, "validation"),
        atol=0.1,
        rtol=0,
    )
    expected = -functional.logsigmoid(0.3 * (tuned - reference)).mean()
    assert metrics["eval_loss"] == pytest.approx(float(expected), abs=0.02)


def test_ids_are_those_of_a_fine_tuning(tiny_model: Path, ctx: MemoryContext, tmp_path: Path) -> None:
    """Of the prompt and the preferred answer, up to the batch that TRL's trainers read."""
    data = preference_data(tmp_path / "d")
    rows, encoder = DataFolder(data.path), Encoder(tiny_model)
    plain = encode_rows(encoder, rows.template, rows.rows("train"), 256).items
    pairs, _ = loaded(tiny_model, data, asked("dpo", max_length=256), ctx)
    unpaired, _ = loaded(tiny_model, data, asked("kto", max_length=256), ctx)
    for found in (pairs.items, [item for item in unpaired.items if item["desirable"]]):
        assert [(item["input_ids"], item["labels"]) for item in found] == [
            (item["input_ids"], item["labels"]) for item in plain
        ]
    tokenizer = tokenizer_of(tiny_model)
    for kind, examples in ((PairTrainer, pairs), (UnpairedTrainer, unpaired)):
        batch = _trainer(kind, examples, tokenizer, tiny_model, ctx).data_collator(examples.items[:4])
        masks = zip(batch["input_ids"], batch["attention_mask"], batch["completion_mask"], strict=True)
        seen = [(ids[real == 1].tolist(), ids[learned == 1].tolist()) for ids, real, learned in masks]
        wanted = [examples.items[at] for at in range(4)]
        for item, (ids, learned) in zip(wanted, seen, strict=False):
            assert ids == item["input_ids"] and learned == [label for label in item["labels"] if label >= 0]
        if kind is PairTrainer:
            assert [learned for _, learned in seen[4:]] == [item["rejected_ids"] for item in wanted]
        else:
            matched = [learned for _, learned in seen]
            others = zip(batch["KL_input_ids"], batch["KL_completion_mask"], strict=True)
            assert [ids[mask == 1].tolist() for ids, mask in others] == [matched[-1], *matched[:-1]]


def _trainer(kind: Any, examples: EncodedExamples, tokenizer: Any, folder: Path, ctx: MemoryContext) -> Any:
    from backend.ml.training.batches import as_dataset
    from backend.ml.training.lora import add_adapter
    from backend.ml.training.preference import _CONFIGS

    params = asked("dpo" if kind is PairTrainer else "kto")
    args = _config(params, 0, ctx.dir, len(examples.items), False, settings=_CONFIGS[params.method])
    model = add_adapter(load_model(model_view(folder), ctx.input), params, 0)
    return kind(model=model, args=args, train_dataset=as_dataset(examples), processing_class=tokenizer)


def test_resumed_run_ends_like_an_unbroken_one(
    tiny_model: Path, tmp_path: Path, params: PreferenceParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = preference_data(tmp_path / "d")
    expected, whole = fit(tiny_model, data, params, MemoryContext(tmp_path / "whole"))
    ctx = MemoryContext(tmp_path / "broken")
    progress = ctx.progress

    def stop_at_6(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        ctx.stop = done >= 6

    monkeypatch.setattr(ctx, "progress", stop_at_6)
    with pytest.raises(Cancelled):
        fit(tiny_model, data, params, ctx)
    assert latest_checkpoint(ctx.checkpoints)
    monkeypatch.undo()
    ctx.stop = False
    model, resumed = fit(tiny_model, data, params, ctx)
    assert any("Resuming from step" in event.get("text", "") for event in ctx.events)
    for left, right in zip(expected.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)
    for name in ("train_loss", "eval_loss", "reward_margin", "steps"):
        assert resumed.metrics[name] == pytest.approx(whole.metrics[name], rel=1e-3, abs=1e-5), name


def test_what_is_no_number_ends_it(tiny_model: Path, ctx: MemoryContext, tmp_path: Path) -> None:
    data = preference_data(tmp_path / "d")
    with pytest.raises(StudioError, match="diverged"):
        fit(tiny_model, data, asked("dpo").model_copy(update={"learning_rate": float("inf"), "warmup_ratio": 0}), ctx)


def test_rejected_answers_to_test_prompts_are_left_out(tiny_model: Path, ctx: MemoryContext, tmp_path: Path) -> None:
    data = preference_data(tmp_path / "d", paired=False)
    folder = DataFolder(data.path)
    test, held = next(folder.rows("test")), next(folder.rows("validation"))
    more = [Row(id="t", input=test.input, rejected="pink"), Row(id="v", input=held.input, rejected="grey")]
    write_split(data.path, REJECTED, [*folder.rows(REJECTED), *more])
    train, evaluated = loaded(tiny_model, data, asked("kto"), ctx)
    wrong = {Encoder(tiny_model).text(item["input_ids"]) for item in train.items if not item["desirable"]}
    assert len(train.items) == 64 and not [text for text in wrong if "pink" in text or "grey" in text]
    assert sum(not item["desirable"] for item in evaluated.items) == 1
    assert any("1 rejected answers were left out" in event.get("text", "") for event in ctx.events)
