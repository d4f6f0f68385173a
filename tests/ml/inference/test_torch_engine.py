"""The torch engine against transformers' own generation, and the scorers against known values."""

from __future__ import annotations

from math import exp
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from backend.core.errors import Cancelled
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.inference.protocol import Sampling
from backend.ml.inference.open import open_engine
from backend.ml.inference.torch_engine import TorchEngine
from tests.helpers import model_view, tiny_dataset
from tests.onnx_models import build_lively_model

pytestmark = pytest.mark.ml
TEN = Sampling(max_new_tokens=10)


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_lively_model(tmp_path_factory.mktemp("lively") / "model")


@pytest.fixture(scope="module")
def engine(lively: Path) -> TorchEngine:
    opened = open_engine(model_view(lively), lambda ref: model_view(lively))
    assert isinstance(opened, TorchEngine)
    return opened


@pytest.fixture
def prompts(engine: TorchEngine, tmp_path: Path) -> list[list[int]]:
    data = DataFolder(tiny_dataset(tmp_path / "data"))
    texts = [row.model_copy(update={"input": row.input * (at % 4 + 1)}) for at, row in enumerate(data.rows("train"))]
    return [engine.encode(data.template.prompt(row)) for row in texts[:14]]


def reference(folder: Path, prompt: list[int], tokens: int = 10) -> list[int]:
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    out = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=tokens, do_sample=False
    )[0, len(prompt) :].tolist()
    return out[: out.index(2)] if 2 in out else out


def test_ids_are_those_of_transformers(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    encoder = Encoder(tiny_model)
    messages = [
        {"role": "system", "content": "Name the colour."},
        {"role": "user", "content": " ¿red? 😀\n\n item  2 "},
    ]
    theirs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False)
    assert encoder.ids(encoder.render(messages)) == theirs


def test_one_by_one_it_says_what_transformers_says(engine: TorchEngine, lively: Path, prompts: list[list[int]]) -> None:
    for prompt in prompts[:4]:
        assert list(engine.stream_ids(prompt, TEN)) == reference(lively, prompt)


def test_a_batch_says_what_each_prompt_says_alone(engine: TorchEngine, prompts: list[list[int]]) -> None:
    together = dict(engine.answers(prompts, TEN, batch=5))
    assert sorted(together) == list(range(len(prompts)))
    assert together == {at: engine.answer(prompt, TEN) for at, prompt in enumerate(prompts)}
    assert "".join(engine.stream(prompts[0], TEN)) == together[0]


def test_rows_that_end_early_leave_the_others_alone(engine: TorchEngine, prompts: list[list[int]]) -> None:
    """With a token that some rows say soon as the end of turn, the rest must go on unharmed."""
    alone = [list(engine.stream_ids(prompt, TEN)) for prompt in prompts]
    said = [token for ids in alone for token in ids[2:6]]
    stop = max(set(said), key=said.count)
    engine.stops = frozenset({stop})
    try:
        together = dict(engine.answers(prompts, TEN, batch=16))
    finally:
        engine.stops = frozenset({2})
    cut = [ids[: ids.index(stop)] if stop in ids else ids for ids in alone]
    assert len({len(ids) for ids in cut}) > 1
    assert together == {at: engine.encoder.text(ids) for at, ids in enumerate(cut)}


def test_a_cancel_comes_through_between_tokens(engine: TorchEngine, prompts: list[list[int]]) -> None:
    calls = []

    def tick() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        list(engine.answers(prompts, TEN, tick))
    assert len(calls) == 3


def test_drawn_answers_follow_the_seed(engine: TorchEngine, prompts: list[list[int]]) -> None:
    drawn = [engine.answer(prompts[0], Sampling(max_new_tokens=10, temperature=1.0, seed=seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    sampling = Sampling(max_new_tokens=10, temperature=1.0, seed=1)
    together = dict(engine.answers(prompts, sampling, batch=5))
    assert together == {at: engine.answer(prompt, sampling) for at, prompt in enumerate(prompts)}
    narrow = Sampling(max_new_tokens=10, temperature=1.0, top_p=1e-6)
    assert engine.answer(prompts[0], narrow) == engine.answer(prompts[0], TEN)


def test_the_loss_is_that_of_transformers(engine: TorchEngine, lively: Path, prompts: list[list[int]]) -> None:
    answer = engine.encoder.answer_ids("green")
    assert answer[-1] == 2
    model = AutoModelForCausalLM.from_pretrained(lively, dtype=torch.float32)
    ids = torch.tensor([[*prompts[0], *answer]])
    labels = ids.clone()
    labels[0, : len(prompts[0])] = -100
    with torch.no_grad():
        mean = float(model(ids, labels=labels).loss)
    assert engine.loss(prompts[0], answer) == pytest.approx(mean * len(answer), rel=1e-5)


def test_confidence_is_the_mean_likelihood_of_what_was_said(engine: TorchEngine, prompts: list[list[int]]) -> None:
    alone = [list(engine.stream_ids(prompt, TEN)) for prompt in prompts]
    said = [token for ids in alone for token in ids[2:6]]
    engine.stops = frozenset({max(set(said), key=said.count)})
    try:
        rated = list(engine.rated_answers(prompts, TEN, batch=5))
        ends = [list(engine.stream_ids(prompt, TEN)) for prompt in prompts]
        assert len({len(ids) for ids in ends}) > 1
        assert {cut for *_, cut in rated} == {True, False}
        for index, text, confidence, cut in rated:
            assert cut == (len(ends[index]) == TEN.max_new_tokens)
            ids = ends[index] + ([] if len(ends[index]) == TEN.max_new_tokens else list(engine.stops))
            assert text == engine.encoder.text(ends[index])
            assert confidence == pytest.approx(exp(-engine.loss(prompts[index], ids) / len(ids)), rel=1e-4)
    finally:
        engine.stops = frozenset({2})
    assert sorted(index for index, *_ in rated) == list(range(len(prompts)))
