"""A model in its own process: what it answers, and what its end or an error looks like from outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import psutil
import pytest

from backend.checks.asked_model import AskedModel, Died, Refused
from backend.core.errors import Cancelled
from tests.helpers import build_tiny_model, model_view, view

pytestmark = pytest.mark.ml


def nothing() -> None:
    return None


def test_it_answers_gives_logits_refuses_and_dies(tmp_path: Path) -> None:
    model = model_view(build_tiny_model(tmp_path / "model"))
    with AskedModel(model, {}, tmp_path, nothing) as asked_model:
        asked_model.loaded()
        heard = asked_model.answer([1, 5, 6], 4)
        assert len(heard.ids) <= 4 and heard.ended == (len(heard.ids) < 4) and heard.ms >= heard.first_ms > 0
        asked_model.logits([1, 5, 6], tmp_path / "logits.npy")
        assert np.load(tmp_path / "logits.npy").shape == (3, 1024)
        assert asked_model.memory() > 50_000_000
        with pytest.raises(Refused, match=r"IndexError|index"):
            asked_model.answer([999_999], 2)
        assert asked_model.answer([1, 5, 6], 4).ids == heard.ids
        psutil.Process(asked_model.process.pid).kill()
        with pytest.raises(Died, match="-9"):
            asked_model.answer([1], 2)


def test_what_can_not_be_loaded_dies_with_its_reason_and_a_cancel_ends_it(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    nowhere = view(tmp_path / "empty", "model", "m")
    with AskedModel(nowhere, {}, tmp_path, nothing) as asked_model, pytest.raises(Died, match="Unrecognized model"):
        asked_model.loaded()

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled), AskedModel(nowhere, {}, tmp_path, stop) as asked_model:
        asked_model.loaded()
    assert asked_model.process.poll() is not None
