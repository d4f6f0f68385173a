"""What the table of architectures says is said before a start: on the card of a model and by each stage's checks."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.schemas import Kind
from backend.models.architectures import table
from backend.models.card import card
from backend.stages import distill, finetune, quantize, scheme_search
from backend.stages.distill import DistillParams
from backend.stages.finetune import FinetuneParams
from backend.stages.quantize import QuantizeParams
from backend.stages.scheme_search import SchemeSearchParams
from tests.stages.fake_world import FakeWorld

FACTS: dict[str, Any] = {
    "parameters": 134_515_008,
    "layers": 30,
    "hidden_size": 576,
    "intermediate_size": 1536,
    "vocabulary": 49152,
    "context": 8192,
    "tied": True,
}
ROWS: dict[str, Any] = {"rows": {"train": 400, "validation": 100}, "prompt_chars": 51, "answer_chars": 16, "labels": []}
REFUSED = {row.type for row in table() if row.steps.get("int4", "yes") != "yes"} - {
    row.type for row in table() if row.steps.get("int4", "yes") == "yes"
}
KINDS = sorted({row.type for row in table()})


def _world(kind: str) -> FakeWorld:
    return FakeWorld().add("m", Kind.MODEL, **FACTS, architecture=kind).add("d", Kind.DATASET, **ROWS)


def _said(problems: list[Any]) -> list[tuple[str, bool]]:
    return [(each.code, each.blocking) for each in problems if each.code.startswith("arch.")]


def test_some_are_refused_and_some_are_not() -> None:
    assert "gpt2" in REFUSED and "llama" not in REFUSED and len(KINDS) > len(REFUSED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_that_exports_refuses_what_the_table_refuses(kind: str) -> None:
    world = _world(kind)
    for said in (
        _said(quantize.check(QuantizeParams(model="m"), world)),
        _said(scheme_search.check(SchemeSearchParams(model="m", data="d"), world)),
    ):
        assert [blocking for _, blocking in said] == ([True] if kind in REFUSED else [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_says_that_its_result_can_not_be_exported(kind: str) -> None:
    world = _world(kind)
    for said in (
        _said(finetune.check(FinetuneParams(model="m", data="d"), world)),
        _said(distill.check(DistillParams(student="m", data="d"), world)),
    ):
        assert [blocking for _, blocking in said] == ([False] if kind in REFUSED else [])


@pytest.mark.parametrize("kind", KINDS)
def test_the_card_says_the_same(kind: str) -> None:
    made = card({**FACTS, "architecture": kind}, _world(kind))
    assert bool(made.exports["int4"]) == (kind in REFUSED)
    shown = dict(made.rows())["ONNX export, int4"]
    assert shown == "yes" if kind not in REFUSED else "onnxruntime-genai" in shown
