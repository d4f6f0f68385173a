"""Decoders of several sequences that come and go, next to engines that answer one at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.inference.engine import Engine
from backend.inference.protocol import PREFILL_TOKENS, Sampling
from backend.ml.inference import ort_decoder as module
from backend.ml.inference.genai_decoder import GenAIDecoder
from backend.ml.inference.open import open_engine
from backend.ml.inference.ort_decoder import SHORTEST, OrtDecoder
from backend.ml.inference.torch_decoder import TorchDecoder
from backend.ml.inference.torch_engine import TorchEngine
from tests.helpers import model_view, view
from tests.onnx_models import build_onnx, converted

pytestmark = pytest.mark.ml
NOTHING_ELSE: dict[str, ArtifactView] = {}
PROMPTS = [[5 + n % 50 for n in range(length)] for length in (9, PREFILL_TOKENS + 40, 3)]


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> ArtifactView:
    return view(build_onnx(tmp_path_factory.mktemp("rows")), Kind.ONNX)


def begin(decoder: Any, prompt: list[int]) -> int:
    """Join a prompt; the likeliest token after it."""
    prefill = decoder.prefill(prompt, len(prompt) + 50)
    while (logits := prefill.step()) is None:
        continue
    decoder.join(prefill)
    return int(logits.argmax())


def relay(decoder: Any, prompts: list[list[int]], length: int) -> list[list[int]]:
    """Greedy answers: each joins two steps after the one before it, and leaves with `length` tokens."""
    said: list[list[int]] = [[] for _ in prompts]
    active: list[int] = []
    for step in range(length + 2 * len(prompts)):
        if step % 2 == 0 and step // 2 < len(prompts):
            said[step // 2].append(begin(decoder, prompts[step // 2]))
            active.append(step // 2)
        if active:
            logits = decoder.step([said[index][-1] for index in active])
            for at, index in enumerate(active):
                said[index].append(int(logits[at].argmax()))
        for at in range(len(active) - 1, -1, -1):
            if len(said[active[at]]) >= length:
                decoder.drop(at)
                active[at] = active[-1]
                active.pop()
    assert decoder.lengths == []
    return [ids[:length] for ids in said]


def alone(engine: Any, prompts: list[list[int]], length: int) -> list[list[int]]:
    sampling = Sampling(max_new_tokens=length, full_length=True)
    return [list(engine.stream_ids(prompt, sampling)) for prompt in prompts]


def test_onnx_rows_answer_as_if_alone(onnx: ArtifactView) -> None:
    engine = open_engine(onnx, NOTHING_ELSE.__getitem__)
    assert relay(OrtDecoder(onnx, NOTHING_ELSE.__getitem__), PROMPTS, 12) == alone(engine, PROMPTS, 12)


def test_both_decoders_draw_the_same_for_a_seed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """An INT4 model, a prompt of several parts, answers that are drawn: equal bits in all logits, so the same text."""
    made = converted(tmp_path_factory).onnx
    one, several = GenAIDecoder(made, NOTHING_ELSE.__getitem__), OrtDecoder(made, NOTHING_ELSE.__getitem__)
    tokens = [begin(decoder, PROMPTS[1]) for decoder in (one, several)]
    assert tokens[0] == tokens[1]
    for token in range(5, 15):
        assert np.array_equal(one.step([token]), several.step([token]))
    one.drop(0)
    several.drop(0)
    engines = [Engine(made, one), Engine(made, several, slots=3)]
    for seed in range(3):
        sampling = Sampling(max_new_tokens=40, temperature=1.2, top_p=0.95, seed=seed, full_length=True)
        drawn = [[list(engine.stream_ids(prompt, sampling)) for prompt in PROMPTS] for engine in engines]
        assert drawn[0] == drawn[1]
    assert one.bytes_for([SHORTEST]) == several.bytes_for([SHORTEST])


def test_torch_rows_answer_as_if_alone(tiny_model: Path) -> None:
    model = model_view(tiny_model)
    decoder = TorchDecoder(model, lambda _ref: model)
    assert relay(decoder, PROMPTS, 12) == alone(TorchEngine(model, lambda _ref: model), PROMPTS, 12)
    assert decoder.bytes_for([3, 4]) == 7 * 2 * 2 * 2 * 8 * 4  # keys and values, layers, heads, size, float32


def test_the_buffer_follows_the_rows(onnx: ArtifactView) -> None:
    decoder = OrtDecoder(onnx, NOTHING_ELSE.__getitem__)
    each = decoder.bytes_for([1]) // SHORTEST

    def held() -> int:
        return sum(block.nbytes for block in decoder._block.values())

    begin(decoder, PROMPTS[0])
    assert held() == decoder.bytes_for([9]) == SHORTEST * each
    begin(decoder, PROMPTS[1])
    assert held() == decoder.bytes_for([9, 168]) == 2 * 2 * SHORTEST * each
    decoder.drop(1)
    decoder.step([7])
    assert held() == SHORTEST * each
    decoder.drop(0)
    assert held() == 0
    assert decoder.bytes_for([1, 1, 1]) == decoder.bytes_for([1, 1, 1, 1]) == 4 * SHORTEST * each


def test_what_can_not_be_batched_is_refused(
    onnx: ArtifactView, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def mixed(self: OrtDecoder, tokens: list[int]) -> Any:
        return np.roll(honest(self, tokens), 1, axis=0)

    honest = OrtDecoder.step
    monkeypatch.setattr(module.OrtDecoder, "step", mixed)
    with pytest.raises(StudioError) as caught:
        OrtDecoder(onnx, NOTHING_ELSE.__getitem__)
    assert caught.value.code == "serve.rows"
    (tmp_path / "genai_config.json").write_bytes((onnx.path / "genai_config.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(StudioError) as caught:
        OrtDecoder(view(tmp_path, Kind.ONNX), NOTHING_ELSE.__getitem__)
    assert caught.value.code == "chat.onnx_load"
