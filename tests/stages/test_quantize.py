"""The quantize stage on a tiny model: forecast against result, and all that is refused before it starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.jobs.context import MemoryContext
from backend.ml.inference.open import open_engine
from backend.stages.quantize import STAGE, QuantizeParams, check, quote, run
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.onnx_models import SCALE, Converted, build_lively_model, converted
from tests.stages.fake_world import FakeWorld

FACTS = {
    "parameters": 134_515_008,
    "hidden_size": 576,
    "vocabulary": 49152,
    "context": 8192,
    "tied": True,
    "layers": 30,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


@pytest.mark.ml
def test_the_result_is_whole_and_knows_its_template(made: Converted) -> None:
    verify(made.onnx.path)
    names = {path.name for path in made.onnx.path.iterdir()}
    assert {"model.onnx", "genai_config.json", "tokenizer.json", "template.json", "olive.json"} <= names
    assert not [path for path in made.onnx.path.rglob("*") if path.is_symlink()]
    assert json.loads((made.onnx.path / "genai_config.json").read_text())["model"]["eos_token_id"] == 2
    assert made.onnx.facts["recipe"] == "tied" and made.onnx.facts["format"] == "onnx"
    assert made.onnx.parents == [made.torch.id]


@pytest.mark.ml
def test_the_workflow_is_kept_without_paths_of_this_machine(made: Converted) -> None:
    assert str(made.torch.path.parent) not in (made.onnx.path / "olive.json").read_text()


@pytest.mark.ml
def test_progress_names_the_phases(made: Converted) -> None:
    notes = [event["note"] for event in made.events if event["event"] == "progress"]
    assert "starting Olive" in notes and notes[-1] == "done"


def test_the_forecast_of_sizes_is_what_was_measured() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **FACTS).add("six", Kind.MODEL, **{**FACTS, "parameters": 49_552_128})
    measured = {("m", "int4", "auto", 64): 82_784_563, ("six", "int4", "auto", 64): 33_996_263}
    measured |= {("six", "int4", "auto", 32): 37_441_500, ("six", "int4", "never", 64): 146_815_000}
    measured |= {("six", "fp32", "auto", 64): 317_115_000}
    for (ref, precision, method, block), size in measured.items():
        params = QuantizeParams(model=ref, precision=precision, tie_embeddings=method, block_size=block)
        assert quote(params, world).disk_bytes == pytest.approx(size, rel=0.02)


def test_a_forecast_model_has_the_facts_that_later_stages_need() -> None:
    forecast = quote(QuantizeParams(model="m"), FakeWorld().add("m", Kind.MODEL, **FACTS)).forecast
    assert forecast["format"] == "onnx" and forecast["precision"] == "int4" and forecast["parameters"] == 134_515_008


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    world = FakeWorld().add("m", Kind.MODEL, **{**FACTS, "tied": False})
    problems = check(QuantizeParams(model="m", block_size=128, tie_embeddings="always"), world)
    assert [problem.code for problem in problems] == ["chat.block_size", "chat.untied"]
    assert "32, 64" in problems[0].text()
    assert [p.code for p in check(QuantizeParams(model="nobody"), world)] == ["core.artifact_unknown"]
    assert [p.code for p in check(QuantizeParams(model="d"), world.add("d", Kind.DATASET))] == ["core.artifact_kind"]


def test_a_hidden_size_without_blocks_leaves_fp32() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **{**FACTS, "hidden_size": 100})
    assert [p.code for p in check(QuantizeParams(model="m"), world)] == ["chat.no_block_size"]
    assert check(QuantizeParams(model="m", precision="fp32"), world) == []


@pytest.mark.ml
def test_narrow_heads_are_refused_also_below_an_adapter(tmp_path: Path) -> None:
    base = model_view(build_tiny_model(tmp_path / "narrow", hidden=32))
    adapter = view(tmp_path, Kind.ADAPTER, "a", base=base.id, hidden_size=32, tied=True, parameters=1000)
    for ref in (base.id, "a"):
        problems = check(QuantizeParams(model=ref, block_size=32), FakeWorld(base, adapter))
        assert [problem.code for problem in problems] == ["chat.head_size"]


def test_fp16_is_for_graphics_cards_and_what_is_built_for_them_is_marked() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **FACTS)
    assert [p.code for p in check(QuantizeParams(model="m", precision="fp16"), world)] == ["quant.fp16_cpu"]
    built = QuantizeParams(model="m", precision="fp16", target="cuda")
    assert check(built, world) == []
    assert quote(built, world).forecast["run"] is False
    assert "run" not in quote(QuantizeParams(model="m"), world).forecast


def test_calibration_and_scan_need_rows_of_their_own_splits() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **FACTS).add("d", Kind.DATASET, rows={"train": 5, "validation": 0})
    for wish in ({"rounding": "gptq"}, {"exact_layers": 2}):
        assert [p.code for p in check(QuantizeParams(model="m", **wish), world)] == ["quant.data_needed"]
    assert check(QuantizeParams(model="m", data="d", rounding="gptq"), world) == []
    assert [p.code for p in check(QuantizeParams(model="m", data="d", exact_layers=2), world)] == ["chat.no_rows"]
    assert next(p.code for p in check(QuantizeParams(model="m", data="d", exact_layers=31), world)) == "quant.layers"
    assert check(QuantizeParams(model="m", precision="int8", exact_layers=2), world) == []


def test_an_untied_model_takes_the_plain_way() -> None:
    world = FakeWorld().add("m", Kind.MODEL, **{**FACTS, "tied": False})
    assert quote(QuantizeParams(model="m"), world).forecast["recipe"] == "plain"


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)


SCHEMES = {
    "floats for a graphics card": {"precision": "fp16", "target": "cuda"},
    "table unchanged, head in 8 bits": {
        "rounding": "kquant",
        "tie_embeddings": "never",
        "head_bits": 8,
        "block_size": 32,
    },
    "calibrated, one layer in 8 bits": {"rounding": "gptq", "exact_layers": 1, "block_size": 32},
}


@pytest.mark.ml
@pytest.mark.parametrize("name", SCHEMES)
def test_what_is_offered_loads_and_answers(tmp_path: Path, name: str) -> None:
    """Olive, then ONNX Runtime GenAI: a recipe that either refuses would raise."""
    model = model_view(build_lively_model(tmp_path / "model", hidden=64, scale=SCALE))
    data = dataset_view(tiny_dataset(tmp_path / "data"))
    ctx = MemoryContext(tmp_path / "job", [model, data])
    params = QuantizeParams(model=model.id, data=data.id, calibration_rows=4, **SCHEMES[name])
    result = run(params, ctx)
    onnx = ctx.order.artifacts / "onnx" / result.artifact
    (manifest,) = [event["manifest"] for event in ctx.events if event["event"] == "artifact"]
    bits = sorted({bits_of(node) for node in onnx_nodes(onnx) if node.op_type == "MatMulNBits"})
    if params.precision == "fp16":
        assert manifest["facts"]["run"] is False and bits == []
        with pytest.raises(StudioError) as caught:
            open_engine(view(onnx, Kind.ONNX, "made", **manifest["facts"]), lambda ref: model)
        assert caught.value.code == "quant.not_here"
    else:
        assert bits == [4, 8]
        assert len(manifest["facts"]["exact_layers"]) == params.exact_layers
        assert manifest["parents"] == ([data.id, model.id] if params.exact_layers else [model.id])


def onnx_nodes(folder: Path) -> list[Any]:
    import onnx

    return list(onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.node)


def bits_of(node: Any) -> int:
    return next(int(each.i) for each in node.attribute if each.name == "bits")
