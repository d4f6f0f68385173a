"""The attach stage on a tiny model: a shared model, an adapter on it with its report, and all that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import ArtifactInfo
from backend.jobs.context import MemoryContext
from backend.ml.inference.open import open_engine
from backend.models.quantization import ADAPTER_FILE
from backend.stages import package, prove, quantize
from backend.stages.attach import STAGE, AttachParams, check, quote, run
from backend.stages.package import PackageParams
from backend.stages.prove import ProveParams
from backend.stages.quantize import QuantizeParams
from tests.helpers import dataset_view, model_view, view
from tests.stages.fake_world import FakeWorld

FACTS = {"parameters": 1000, "vocabulary": 1024, "layers": 3, "hidden_size": 64, "format": "onnx", "precision": "fp32"}
FACTS |= {"context": 512, "room_for": "model-m1"}
ASKED = {"model": "shared", "adapter": "a", "data": "d"}


class Bench:
    """What the stage is given: base, shared model, adapter and dataset, as artifacts."""

    def __init__(self, root: Path) -> None:
        from tests.ml.shared import build_adapter, build_base, build_shared

        self.base = model_view(build_base(root / "model"))
        self.shared = view(build_shared(self.base.path, root / "shared"), Kind.ONNX, "shared", ["model-m1"], **FACTS)
        folder, own = (
            build_adapter(self.base.path, root / "a"),
            {"base": "model-m1", "adapter_parameters": 9000, "context": 512},
        )
        self.adapter = view(folder, Kind.ADAPTER, "a", ["model-m1"], **own)
        self.data = dataset_view(root / "data", "d")

    def job(self, folder: Path) -> MemoryContext:
        return MemoryContext(folder, [self.base, self.shared, self.adapter, self.data])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def left(job: MemoryContext) -> dict[str, Any]:
    return {e["manifest"]["kind"]: e for e in job.events if e["event"] == "artifact"}


@pytest.mark.ml
def test_an_adapter_is_attached_with_its_weights_alone_and_its_report(tmp_path: Path, bench: Bench) -> None:
    job = bench.job(tmp_path)
    result = run(AttachParams(**ASKED, rows=4), job)
    made, report = left(job)["onnx"], left(job)["report"]
    folder, facts = Path(made["path"]), made["manifest"]["facts"]
    assert (folder / ADAPTER_FILE).is_file() and not list(folder.glob("model.onnx*"))
    assert facts["base"] == "shared" and "room_for" not in facts and facts["adapter_parameters"] == 9000
    assert made["manifest"]["parents"] == ["a", "shared"] and made["manifest"]["id"] == result.artifact
    told = report["manifest"]["facts"]
    assert told["passed"] and told["model"] == result.artifact and told["kl_answer"] < 1e-4
    assert json.loads((Path(report["path"]) / "report.json").read_text())["failed"] == []
    found = bench.shared.model_copy(update={"id": result.artifact, "path": folder, "facts": facts})
    known: dict[str, ArtifactView] = {each.id: each for each in (bench.base, bench.shared, bench.adapter)}
    ours, theirs = (open_engine(each, known.__getitem__).logits(list(range(5, 25))) for each in (found, bench.adapter))
    assert abs(ours - theirs).max() < 2e-3


@pytest.mark.ml
def test_an_adapter_that_answers_otherwise_leaves_nothing(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.ml.compression.adapter_slots.sqrt", lambda rank: 1 / rank)
    config = bench.adapter.path / "adapter_config.json"
    kept = config.read_text("utf-8")
    config.write_text(json.dumps({**json.loads(kept), "use_rslora": True}), "utf-8")
    job = bench.job(tmp_path)
    try:
        with pytest.raises(StudioError) as stopped:
            run(AttachParams(**ASKED, rows=4), job)
    finally:
        config.write_text(kept, "utf-8")
    assert stopped.value.code == "slots.parity" and "kl_answer" in stopped.value.text() and left(job) == {}


def world(**more: dict[str, Any]) -> FakeWorld:
    known = FakeWorld()
    held = {
        "d": (Kind.DATASET, {"rows": {"validation": 5}, "prompt_chars": 30, "answer_chars": 9}),
        "a": (Kind.ADAPTER, {"base": "model-m1", "adapter_parameters": 9000}),
        "shared": (Kind.ONNX, FACTS),
    }
    known.known = {ref: ArtifactInfo(kind, more.get(ref, facts)) for ref, (kind, facts) in held.items()}
    return known


def test_what_does_not_fit_is_refused_before_it_starts() -> None:
    asked = AttachParams(**ASKED)
    assert check(asked, world()) == []
    assert [p.code for p in check(asked, world(shared={"format": "onnx"}))] == ["slots.no_room"]
    assert [p.code for p in check(asked, world(a={"base": "model-other"}))] == ["slots.other_base"]
    assert [p.code for p in check(asked, world(d={"rows": {"validation": 0}}))] == ["chat.no_rows"]
    assert quote(asked, world()).disk_bytes == 4 * 9000 + 80 * 1024


def test_room_is_for_full_models_on_the_cpu() -> None:
    known = FakeWorld().add("m", Kind.MODEL, hidden_size=64, parameters=9).add("a", Kind.ADAPTER, hidden_size=64)
    assert [p.code for p in quantize.check(QuantizeParams(model="m", adapters=True), known)] == []
    for wish in ({"model": "a"}, {"model": "m", "target": "cuda"}):
        assert [p.code for p in quantize.check(QuantizeParams(**wish, adapters=True), known)] == ["slots.model"]


def test_an_attached_adapter_is_not_handed_over_alone() -> None:
    known = FakeWorld().add("on", Kind.ONNX, **{**FACTS, "base": "shared"}).add("d", Kind.DATASET)
    assert "slots.attached" in [p.code for p in package.check(PackageParams(model="on"), known)]
    assert "slots.attached" in [p.code for p in prove.check(ProveParams(model="on", data="d"), known)]


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)


def test_a_recipe_that_leaves_no_room_is_refused_before_it_starts() -> None:
    known = FakeWorld().add("m", Kind.MODEL, hidden_size=64, parameters=9, vocabulary=99)
    for room in (False, True):
        forecast = quantize.quote(QuantizeParams(model="m", adapters=room), known).forecast
        assert forecast.get("room_for") == ("m" if room else None)
    there = world()
    there.known["shared"] = ArtifactInfo(Kind.ONNX, {**FACTS, "room_for": ""}, pending=True)
    assert [p.code for p in check(AttachParams(**ASKED), there)] == ["slots.no_room"]
