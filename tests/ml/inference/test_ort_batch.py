"""Rows of answers that come and go, next to the engines that answer one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.inference.protocol import Sampling
from backend.ml.inference import ort_batch as module
from backend.ml.inference.ort_batch import CHUNK, SHORTEST, OrtRows
from backend.ml.inference.ort_engine import OrtEngine
from backend.ml.inference.torch_batch import TorchRows
from backend.ml.inference.torch_engine import TorchEngine
from tests.helpers import model_view, view
from tests.onnx_models import build_onnx

pytestmark = pytest.mark.ml
PROMPTS = [[5 + n % 50 for n in range(length)] for length in (9, CHUNK + 40, 3)]


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> ArtifactView:
    return view(build_onnx(tmp_path_factory.mktemp("rows")), Kind.ONNX)


def begin(rows: Any, prompt: list[int]) -> int:
    """Join a prompt; the likeliest token after it."""
    reading = rows.read(prompt)
    while (logits := reading.step()) is None:
        continue
    rows.join(reading)
    return int(logits.argmax())


def relay(rows: Any, prompts: list[list[int]], length: int) -> list[list[int]]:
    """Greedy answers: each joins two steps after the one before it, and leaves with `length` tokens."""
    said: list[list[int]] = [[] for _ in prompts]
    active: list[int] = []
    for step in range(length + 2 * len(prompts)):
        if step % 2 == 0 and step // 2 < len(prompts):
            said[step // 2].append(begin(rows, prompts[step // 2]))
            active.append(step // 2)
        if active:
            logits = rows.step([said[index][-1] for index in active])
            for at, index in enumerate(active):
                said[index].append(int(logits[at].argmax()))
        for at in range(len(active) - 1, -1, -1):
            if len(said[active[at]]) >= length:
                rows.drop(at)
                active[at] = active[-1]
                active.pop()
    assert rows.lengths == []
    return [ids[:length] for ids in said]


def alone(engine: Any, prompts: list[list[int]], length: int) -> list[list[int]]:
    sampling = Sampling(max_new_tokens=length, full_length=True)
    return [list(engine.stream_ids(prompt, sampling)) for prompt in prompts]


def test_onnx_rows_answer_as_if_alone(onnx: ArtifactView) -> None:
    engine = OrtEngine(onnx, {}.__getitem__)
    engine.stops = frozenset()
    assert relay(OrtRows(onnx, {}.__getitem__), PROMPTS, 12) == alone(engine, PROMPTS, 12)


def test_torch_rows_answer_as_if_alone(tiny_model: Path) -> None:
    model = model_view(tiny_model)
    rows = TorchRows(model, lambda _ref: model)
    assert relay(rows, PROMPTS, 12) == alone(TorchEngine(model, lambda _ref: model), PROMPTS, 12)
    assert rows.bytes_for([3, 4]) == 7 * 2 * 2 * 2 * 8 * 4  # keys and values, layers, heads, size, float32


def test_the_buffer_follows_the_rows(onnx: ArtifactView) -> None:
    rows = OrtRows(onnx, {}.__getitem__)
    each = rows.bytes_for([1]) // SHORTEST

    def held() -> int:
        return sum(block.nbytes for block in rows._block.values())

    begin(rows, PROMPTS[0])
    assert held() == rows.bytes_for([9]) == SHORTEST * each
    begin(rows, PROMPTS[1])
    assert held() == rows.bytes_for([9, 168]) == 2 * 2 * SHORTEST * each
    rows.drop(1)
    rows.step([7])
    assert held() == SHORTEST * each
    rows.drop(0)
    assert held() == 0
    assert rows.bytes_for([1, 1, 1]) == rows.bytes_for([1, 1, 1, 1]) == 4 * SHORTEST * each


def test_what_can_not_be_batched_is_refused(
    onnx: ArtifactView, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def mixed(self: OrtRows, tokens: list[int]) -> Any:
        return np.roll(honest(self, tokens), 1, axis=0)

    honest = OrtRows.step
    monkeypatch.setattr(module.OrtRows, "step", mixed)
    with pytest.raises(StudioError) as caught:
        OrtRows(onnx, {}.__getitem__)
    assert caught.value.code == "serve.rows"
    (tmp_path / "genai_config.json").write_bytes((onnx.path / "genai_config.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(StudioError) as caught:
        OrtRows(view(tmp_path, Kind.ONNX), {}.__getitem__)
    assert caught.value.code == "chat.onnx_load"
