"""Quotes against times and memory that were measured on the reference machine."""

from __future__ import annotations

import pytest

from backend.core.schemas import Kind
from backend.models import costs
from backend.stages import distill, evaluate, finetune, quantize, teacher
from tests.stages.fake_world import FakeWorld

SMOL = {"parameters": 134_515_008, "layers": 30, "hidden_size": 576, "vocabulary": 49152, "context": 8192, "tied": True}
SIX = costs.with_layers(SMOL, 6)
ROWS = {"rows": {"train": 600, "pool": 1200, "test": 241}, "prompt_chars": 54.4, "answer_chars": 15.8}
NEAR = 0.15


def world(**model: object) -> FakeWorld:
    return FakeWorld().add("m", Kind.MODEL, **{**SMOL, **model}).add("d", Kind.DATASET, **ROWS)


def learned_per_second(stage: object, more: object, less: object, **model: object) -> float:
    """Tokens a second of what two quotes differ in, so that loading does not count."""
    tokens = 600 * costs.row_tokens(ROWS, 512)
    known = world(**model)
    return 2 * tokens / (stage.quote(more, known).seconds - stage.quote(less, known).seconds)  # type: ignore[attr-defined]


def test_training_is_as_fast_as_measured() -> None:
    lora = {"model": "m", "data": "d", "evaluate_rows": 0}
    taught = [finetune.FinetuneParams(**lora, epochs=epochs) for epochs in (3.0, 1.0)]
    assert learned_per_second(finetune, *taught) == pytest.approx(241, rel=NEAR)
    full = {"student": "m", "data": "d", "evaluate_rows": 0}
    taught = [distill.DistillParams(**full, epochs=epochs) for epochs in (3.0, 1.0)]
    assert learned_per_second(distill, *taught, **SIX) == pytest.approx(1250, rel=NEAR)


def test_answering_takes_as_long_as_measured() -> None:
    answered = teacher.quote(teacher.TeacherParams(model="m", data="d"), world())
    assert answered.seconds == pytest.approx(90, rel=NEAR)
    assert answered.memory_bytes == pytest.approx(1.38e9, rel=NEAR)
    assert evaluate.quote(evaluate.EvaluateParams(model="m", data="d"), world()).seconds == pytest.approx(45, rel=NEAR)


def test_converting_takes_as_long_as_measured() -> None:
    known = FakeWorld().add("six", Kind.MODEL, **SIX)
    assert 20 <= quantize.quote(quantize.QuantizeParams(model="six"), known).seconds <= 25


def test_an_int4_student_is_small() -> None:
    assert costs.answer_bytes({**SIX, "format": "onnx", "precision": "int4"}) == pytest.approx(0.37e9, rel=0.02)


def test_a_prompt_of_the_demo_is_counted() -> None:
    assert costs.prompt_tokens(ROWS["prompt_chars"]) == pytest.approx(30, abs=2)


def test_an_adapter_has_the_sides_of_its_matrices() -> None:
    assert costs.lora_size(SMOL, 1, "all-linear") == 30 * 10_176
    assert costs.lora_size({**SMOL, "intermediate_size": 3072}, 1, ["gate_proj"]) == 30 * (576 + 3072)
    assert costs.lora_size(SMOL, 1, ["fc1"]) == pytest.approx(30 * 10_176 / 7, rel=0.01)


def test_what_is_merged_has_the_size_of_its_base() -> None:
    facts = {**SMOL, "format": "adapter", "base": "b", "adapter_parameters": 4_884_480}
    known = FakeWorld().add("a", Kind.ADAPTER, **facts).add("d", Kind.DATASET, **ROWS)
    packed = quantize.quote(quantize.QuantizeParams(model="a"), known).forecast
    taught = distill.quote(distill.DistillParams(student="a", data="d"), known).forecast
    for forecast in (packed, taught):
        assert forecast["parameters"] == 134_515_008
        assert "adapter_parameters" not in forecast and "base" not in forecast


def test_a_model_of_another_precision_can_be_quoted() -> None:
    ours = costs.answer_bytes({**SIX, "format": "onnx", "precision": "int4"})
    assert costs.answer_bytes({**SIX, "format": "onnx", "precision": "int8"}) == ours
    assert costs.answer_bytes({**SIX, "format": "onnx", "precision": "fp32"}) > ours
