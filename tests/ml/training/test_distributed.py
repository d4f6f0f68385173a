"""Training in two processes is training in one: the same losses, evaluations and weights, reported once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.jobs.context import MemoryContext
from backend.ml.training import lora, trainer
from backend.stages.finetune import STAGE
from benchmarks.distributed import PARAMS, curves, measure
from tests.helpers import dataset_view, model_view, tiny_dataset

pytestmark = [pytest.mark.ml, pytest.mark.proc]


def test_two_processes_have_the_losses_of_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """49 rows: the last batch of each epoch is one row, of which the second process has nothing; 24 validation rows fill one
    batch and half of the next."""
    data = tiny_dataset(tmp_path / "data", 98)
    asked: dict[str, Any] = {**PARAMS, "max_steps": 20, "batch_size": 4, "accumulation": 2, "learning_rate": 2e-2}
    asked |= {"evaluate_steps": 8, "best_by": "token_f1", "keep": "best", "method": "full"}
    for module in (lora, trainer):
        monkeypatch.setattr(module, "bf16_pays", lambda: False)
    views = [model_view(tiny_model), dataset_view(data)]
    ctx = MemoryContext(tmp_path / "one", views)
    metrics = STAGE.run(STAGE.parse({"model": views[0].id, "data": views[1].id, **asked}), ctx).metrics
    one, two = curves(ctx.events), measure(tiny_model, data, 2, 1, tmp_path / "two", **asked)
    assert len(one["loss"]) == 20 and one["loss"][-1] < one["loss"][0] / 2
    for curve in ("loss", "eval_loss", "eval_token_f1"):
        assert two[curve] == pytest.approx(one[curve], abs=1e-4), curve
    same = ("eval_loss", "kept_step", "best_step", "steps", "train_loss")
    assert [two["metrics"][name] for name in same] == pytest.approx([metrics[name] for name in same], abs=1e-4)
    assert two["metrics"]["trained_tokens"] == metrics["trained_tokens"] + 2, "and what stands in, in two whole epochs"
