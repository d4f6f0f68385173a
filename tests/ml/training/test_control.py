"""Early stopping and the best weights: on a run that overfits, and after a kill like without one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.core.errors import Cancelled, StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.encoding import EncodedExamples, encode_rows
from backend.files.checkpoints import list_checkpoints, superfluous
from backend.files.disk import remove_all
from backend.jobs.context import MemoryContext
from backend.ml.inference.load import load_model, tokenizer_of
from backend.ml.training.answer_score import asked_row
from backend.ml.training.checkpoints import latest_checkpoint
from backend.ml.training.lora import add_adapter
from backend.ml.training.trainer import AnswerTrainer, Trained, train
from backend.training.lora import LoraParams
from backend.training.params import TrainingParams
from tests.helpers import model_view, tiny_dataset

pytestmark = pytest.mark.ml


class Params(LoraParams, TrainingParams):
    """Of a run that learns twelve rows by heart."""


OVERFIT = Params(
    epochs=40, batch_size=4, learning_rate=0.02, schedule="constant", evaluate_steps=2, patience=4, keep="best", rank=4
)


@pytest.fixture(scope="module")
def rows(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    data = DataFolder(tiny_dataset(tmp_path_factory.mktemp("data") / "d", 120))
    return [*encode_rows(Encoder(tiny_model), data.template, data.rows("train"), 256).items]


def trained(
    tiny_model: Path,
    rows: list[dict[str, Any]],
    ctx: MemoryContext,
    params: Params = OVERFIT,
    adapter: bool = False,
    count: int = 12,
    pause: float = 0.2,
) -> tuple[Trained, Any]:
    model = load_model(model_view(tiny_model), ctx.input)
    model = add_adapter(model, params, 0) if adapter else model
    data, held_out = EncodedExamples(items=rows[:count]), EncodedExamples(items=rows[-20:])
    return train(model, tokenizer_of(tiny_model), data, held_out, params, ctx, checkpoint_seconds=pause), model


def fit(
    tiny_model: Path, rows: list[dict[str, Any]], ctx: MemoryContext, params: Params = OVERFIT, count: int = 12
) -> tuple[dict[str, float], Any]:
    made, model = trained(tiny_model, rows, ctx, params, count=count)
    return made.metrics, model


def points(ctx: MemoryContext, name: str = "eval_loss") -> dict[float, float]:
    told = [event for event in ctx.events if event["event"] == "metric" and event["name"] == name]
    return {event["step"]: event["value"] for event in told}


def held_out_loss(model: Any, tiny_model: Path, rows: list[dict[str, Any]], folder: Path) -> float:
    """Of a model as it is, by the trainer's own evaluation."""
    from backend.ml.training.batches import as_dataset
    from backend.ml.training.trainer import _config

    trainer = AnswerTrainer(
        model=model,
        args=_config(OVERFIT.model_copy(update={"patience": 0, "keep": "last"}), 0, folder, 12, True),
        train_dataset=as_dataset(EncodedExamples(items=rows[:12])),
        eval_dataset=as_dataset(EncodedExamples(items=rows[-20:])),
        processing_class=tokenizer_of(tiny_model),
    )
    return float(trainer.evaluate()["eval_loss"])


@pytest.mark.parametrize("adapter", [False, True])
def test_a_run_that_overfits_stops_and_keeps_its_best_weights(
    tiny_model: Path, rows: list[dict[str, Any]], tmp_path: Path, adapter: bool
) -> None:
    ctx = MemoryContext(tmp_path / "best")
    (found, said), model = trained(tiny_model, rows, ctx, adapter=adapter)
    curve = points(ctx)
    best = min(curve, key=lambda step: curve[step])
    assert found["steps"] == best + 4 * 2 < found["planned_steps"] == OVERFIT.optimizer_steps(12)
    assert found["kept_step"] == found["best_step"] == best and found["trained_parameters"] > 0
    assert found["eval_loss"] == found["best_eval_loss"] == curve[best] < found["last_eval_loss"] == curve[max(curve)]
    assert held_out_loss(model, tiny_model, rows, tmp_path / "again") == pytest.approx(curve[best], rel=2e-3)
    log = MemoryContext(tmp_path / "last")
    (last, told), _ = trained(tiny_model, rows, log, OVERFIT.model_copy(update={"keep": "last"}), adapter)
    assert last["eval_loss"] == pytest.approx(found["last_eval_loss"], rel=1e-5) and last["kept_step"] == last["steps"]
    assert last["best_step"] == best and "last_eval_loss" not in last
    assert any("Stopped at step" in event.get("text", "") for event in ctx.events)
    assert [problem.code for problem in said] == ["curve.few_rows"]
    rises = last["eval_loss"] > 1.05 * curve[best]  # an adapter hardly does
    assert rises is not adapter
    assert {problem.code for problem in told} == {"curve.few_rows", *(["curve.overfit"] if rises else [])}
    warned = [event for event in log.events if event["event"] == "log" and event["level"] == "warning"]
    assert sum("Overfitting" in event["text"] for event in warned) == rises


def test_the_last_evaluations_and_the_best_stay_when_a_job_has_ended(
    tiny_model: Path, rows: list[dict[str, Any]], ctx: MemoryContext
) -> None:
    """Whether the best is one of them or not (tests/studio/test_checkpoints.py has one that is not)."""
    params = OVERFIT.model_copy(update={"keep": "last", "checkpoints_kept": 3})
    (found, _said), _ = trained(tiny_model, rows, ctx, params, pause=math.inf)
    curve = points(ctx)
    best = min(curve, key=lambda step: curve[step])
    expected = sorted({best, *sorted(curve)[-3:]})
    resumable = {path.parent.name for path in ctx.checkpoints.glob("*/optimizer.pt")}
    assert resumable == {f"checkpoint-{step:.0f}" for step in sorted(curve)[-2:]}
    remove_all(superfluous(ctx.dir))
    kept = list_checkpoints(ctx.dir, found["kept_step"])
    assert [each.step for each in kept] == expected and [each.step for each in kept if each.best] == [best]
    assert [each.step for each in kept if each.taken] == [max(curve)]
    assert [each.scores["eval_loss"] for each in kept] == [curve[step] for step in expected]
    assert {path.suffix for path in ctx.dir.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".jinja", ".md"}
    assert [path.name for path in ctx.dir.iterdir()] == ["checkpoints"]
    weights = max(path.stat().st_size for path in ctx.dir.rglob("*.safetensors"))
    quoted = params.checkpoint_bytes(weights + 500_000, found["trained_parameters"], found["steps"])
    assert sum(each.size_bytes for each in kept) < quoted
    assert params.model_copy(update={"checkpoints_kept": 0}).checkpoint_bytes(weights, 1, 1) == 0


@pytest.mark.parametrize("stop_at", [5, 9, "end"])
def test_a_resumed_run_stops_at_the_same_step_with_the_same_weights(
    tiny_model: Path, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int | str
) -> None:
    """Killed before the best evaluation, between two that count against it, and when all was learned."""
    whole, expected = fit(tiny_model, rows, MemoryContext(tmp_path / "whole"))
    ctx = MemoryContext(tmp_path / "broken")
    if stop_at == "end":
        fit(tiny_model, rows, ctx)
    else:
        progress = ctx.progress

        def stop(done: float, total: float, note: str = "") -> None:
            progress(done, total, note)
            ctx.stop = done >= float(stop_at)

        monkeypatch.setattr(ctx, "progress", stop)
        with pytest.raises(Cancelled):
            fit(tiny_model, rows, ctx)
        monkeypatch.undo()
        ctx.stop = False
    moved = ctx.dir.rename(tmp_path / "moved")
    ctx.dir = moved
    assert latest_checkpoint(ctx.checkpoints)
    resumed, model = fit(tiny_model, rows, ctx)
    for name in ("steps", "kept_step", "best_step", "planned_steps"):
        assert resumed[name] == whole[name], name
    for name in ("eval_loss", "last_eval_loss", "train_loss"):
        assert resumed[name] == pytest.approx(whole[name], rel=1e-4), name
    for left, right in zip(expected.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(left, right, atol=1e-5, rtol=1e-4)


def test_evaluations_come_after_so_many_steps_and_at_the_end(
    tiny_model: Path, rows: list[dict[str, Any]], ctx: MemoryContext
) -> None:
    params = Params(max_steps=7, batch_size=4, evaluate_steps=3, learning_rate=1e-3)
    found, _ = fit(tiny_model, rows, ctx, params)
    assert list(points(ctx)) == [3, 6, 7] and found["kept_step"] == found["steps"] == 7
    assert found["eval_loss"] == points(ctx)[7] and "planned_steps" not in found
    assert params.evaluations(7, 2.3) == 3


def test_without_validation_rows_the_run_says_so(
    tiny_model: Path, rows: list[dict[str, Any]], ctx: MemoryContext
) -> None:
    model = load_model(model_view(tiny_model), ctx.input)
    data = EncodedExamples(items=rows[:12])
    with pytest.raises(StudioError, match="No validation row"):
        train(model, tokenizer_of(tiny_model), data, EncodedExamples(items=[]), OVERFIT, ctx)


def test_the_best_weights_by_the_answers_that_the_model_gives(
    tiny_model: Path, rows: list[dict[str, Any]], ctx: MemoryContext
) -> None:
    """The score of the weights that are kept is what transformers' own generation says of them."""
    params = OVERFIT.model_copy(
        update={"best_by": "accuracy", "epochs": 8, "evaluate_steps": 20, "learning_rate": 1e-2}
    )
    found, model = fit(tiny_model, rows, ctx, params, count=40)
    scores = points(ctx, "eval_accuracy")
    best = max(scores, key=lambda step: (scores[step], -step))
    assert found["kept_step"] == found["best_step"] == best and found["eval_accuracy"] == scores[best]
    assert 0 < found["eval_accuracy"] >= scores[max(scores)] and found["eval_loss"] == points(ctx)[best]
    tokenizer, right = tokenizer_of(tiny_model), 0
    model.eval()
    for item in rows[-20:]:
        start = item["labels"].count(-100)
        ids = torch.tensor([item["input_ids"][:start]])
        given = model.generate(ids, max_new_tokens=8, do_sample=False, attention_mask=torch.ones_like(ids))
        expected = tokenizer.decode(item["input_ids"][start:], skip_special_tokens=True).strip()
        right += tokenizer.decode(given[0, start:], skip_special_tokens=True).strip() == expected
    assert right / 20 == pytest.approx(scores[best], abs=0.051)  # evaluations round to bfloat16 where that pays


def test_a_conversation_is_asked_for_its_last_answer() -> None:
    assert asked_row([1, 2, 3, 4, 5, 6], [-100, 2, -100, -100, 5, 6]) == ([1, 2, 3, 4], [5, 6])
    assert asked_row([1, 2, 3, 4], [-100, 2, 3, -100]) == ([1], [2, 3])
    assert asked_row([7, 8], [7, 8]) == ([], [7, 8])
