"""Training in two processes is training in one: the same losses, reported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.ml.training.distributed import shared_config
from backend.training.params import TrainingParams
from benchmarks.distributed import measure
from tests.helpers import tiny_dataset

pytestmark = [pytest.mark.ml, pytest.mark.proc]


def test_two_processes_have_the_losses_of_one(tiny_model: Path, tmp_path: Path) -> None:
    data = tiny_dataset(tmp_path / "data", 100)
    one, two = (measure(tiny_model, data, count, steps=20) for count in (1, 2))
    assert len(one["losses"]) == 20 and one["losses"][-1] < one["losses"][0]
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-4)
    assert two["eval_loss"] == pytest.approx(one["eval_loss"], abs=1e-2)
    assert two["tokens_per_s"] > 0


def test_a_batch_that_can_not_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shared_config(TrainingParams(batch_size=3), True) == {}
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert shared_config(TrainingParams(batch_size=4), True)["ddp_backend"] == "gloo"
    with pytest.raises(StudioError, match="A batch of 3 can't be shared by 2 processes"):
        shared_config(TrainingParams(batch_size=3), True)
