"""What the table of architectures says is said before a start: on the card of a model and by each stage's checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from backend.cli import app
from backend.core.schemas import Kind
from backend.db import tables as t
from backend.models.architectures import table
from backend.models.card import card
from backend.planning.planner import plan
from backend.planning.recipes import Recipe
from backend.stages import distill, finetune, quantize, search
from backend.stages.distill import DistillParams
from backend.stages.finetune import FinetuneParams
from backend.stages.quantize import QuantizeParams
from backend.stages.search import SearchParams
from tests.stages.fake_world import FakeWorld
from tests.studio.builder import MODEL_FACTS, StudioBuilder

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
        _said(search.check(SearchParams(stage="quantize", model="m", data="d"), world)),
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


def _imported(folder: Path, **config: Any) -> tuple[StudioBuilder, str, str]:
    """A studio with a Llama whose config alone tells that it can't be exported, and a dataset."""
    builder = StudioBuilder(folder)
    config = {"model_type": "llama", "hidden_size": 576, "num_attention_heads": 9} | config
    files = {"config.json": json.dumps(config)}
    facts = {**MODEL_FACTS, "architecture": "llama"}
    return builder, builder.artifact(Kind.MODEL, "odd", facts=facts, files=files).id, builder.dataset().id


ODD = pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"rope_scaling": {"type": "dynamic", "factor": 2.0}}, "arch.no_rope"),
        ({"num_attention_heads": 24}, "chat.head_size"),
        ({"model_type": "phi", "qk_layernorm": True}, "arch.no_part"),
    ],
)


@ODD
def test_what_the_folder_alone_tells_is_said_before_a_training_and_the_stages_after_it(
    home: Path, config: dict[str, Any], code: str
) -> None:
    builder, model, data = _imported(home, **config)
    with builder.store.session() as session:
        kept = session.get_one(t.Artifact, model)
        kept.facts = {**kept.facts, "architecture": config.get("model_type", "llama")}
    distilled = {"student": model, "data": data, "batch_size": 1, "max_length": 32}
    tuned = {"model": "${distilled}", "data": data, "batch_size": 1, "max_length": 32}
    stages: list[dict[str, Any]] = [
        {"id": "distilled", "stage": "distill", "params": distilled},
        {"id": "tuned", "stage": "finetune", "params": tuned},
    ]
    chain = [*stages, {"id": "int4", "stage": "quantize", "params": {"model": "${tuned}", "block_size": 32}}]
    settings = builder.studio.settings

    def said(stages: list[dict[str, Any]]) -> list[tuple[str | None, str, bool]]:
        recipe = Recipe.model_validate({"name": "odd", "stages": stages})
        found = plan(recipe, builder.store, settings).problems
        return [(each.stage, each.code, each.blocking) for each in found if each.code == code]

    assert said(stages) == [("distilled", code, False), ("tuned", code, False)]
    assert said(chain)[-1] == ("int4", code, True)


def test_the_command_line_says_it_before_a_run(home: Path) -> None:
    _builder, model, data = _imported(home, rope_scaling={"type": "dynamic", "factor": 2.0})
    recipe = home / "odd.yaml"
    params = {"student": model, "data": data, "batch_size": 1, "max_length": 32}
    stages = [{"id": "distilled", "stage": "distill", "params": params}]
    recipe.write_text(yaml.safe_dump({"name": "odd", "stages": stages}), "utf-8")
    done = CliRunner().invoke(app, ["run", str(recipe), "--quote"], catch_exceptions=False)
    assert done.exit_code == 0 and "does not support RoPE scaling “dynamic”" in done.output
