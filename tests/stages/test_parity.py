"""The parity stage on a tiny model: what a good export shows, what damaged weights show, what is refused at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.jobs.context import MemoryContext
from backend.stages.parity import STAGE, ParityParams, check, quote, run
from tests.checks import broken_exports as ways
from tests.checks.broken_exports import broken_copy
from tests.helpers import dataset_view, view
from tests.onnx_models import Converted, converted
from tests.stages.fake_world import FakeWorld


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


def compared(tmp_path: Path, made: Converted, export: ArtifactView, **change: Any) -> dict[str, Any]:
    """The report of the stage on 4 rows, with limits that fit a random model, which holds all tokens for about equally
    likely; its facts and metrics say the same."""
    job = MemoryContext(tmp_path / "job", [export, made.torch, dataset_view(made.data)])
    given = {"rows": 4, "max_new_tokens": 6, "min_agreement": 0.1, "max_kl": 1e-3, "max_kl_prompt": 7e-4, **change}
    result = run(ParityParams(model=export.id, data="dataset-d1", **given), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    report: dict[str, Any] = json.loads((Path(sealed["path"]) / "report.json").read_text())
    facts = sealed["manifest"]["facts"]
    assert len(result.findings) == len(facts["failed"]) and all(found.sentence() for found in result.findings)
    assert {key: report[key] for key in facts} == facts and facts.items() >= result.metrics.items()
    assert sealed["manifest"]["kind"] == "report" and made.torch.id in sealed["manifest"]["parents"]
    return report


@pytest.mark.ml
def test_a_good_export_passes_and_says_by_how_much(tmp_path: Path, made: Converted) -> None:
    report = compared(tmp_path, made, made.onnx)
    assert report["failed"] == [] and report["passed"] and report["report"] == "parity"
    found = {each["name"]: each for each in report["checks"]}
    assert found["runs"]["value"] == 0 and found["runtime_tokens"]["value"] == 0
    assert 0.1 <= found["token_agreement"]["value"] <= 1 and 0 < found["kl_answer"]["value"] < 1e-3
    assert found["kl_prompt"]["detail"]["positions"] > found["kl_answer"]["detail"]["positions"] >= 4
    assert all(each["sentence"] for each in report["checks"])


@pytest.mark.ml
def test_damaged_weights_fail_by_their_probabilities(tmp_path: Path, made: Converted) -> None:
    folder = broken_copy(made.onnx.path, tmp_path / "export", ways.damaged_weights)
    report = compared(tmp_path, made, made.onnx.model_copy(update={"path": folder}))
    assert not report["passed"]
    assert {"kl_prompt", "kl_answer"} & set(report["failed"]), report["checks"]
    assert not {"template", "vocabulary", "stop_tokens", "context"} & set(report["failed"])


@pytest.mark.ml
def test_an_export_that_can_not_be_loaded_is_a_failed_report(tmp_path: Path, made: Converted) -> None:
    def cut(folder: Path) -> None:
        file = folder / "model.onnx"
        file.write_bytes(file.read_bytes()[:5000])

    folder = broken_copy(made.onnx.path, tmp_path / "export", cut)
    report = compared(tmp_path, made, made.onnx.model_copy(update={"path": folder}))
    assert {"runs", "token_agreement", "kl_answer", "task_loss"} <= set(report["failed"])
    assert "kl_answer" not in report


@pytest.mark.ml
def test_the_model_in_a_package_is_compared(tmp_path: Path, made: Converted) -> None:
    package = tmp_path / "package"
    broken_copy(made.onnx.path, package / "it" / "model", ways.swapped_end)
    packed = view(package, Kind.PACKAGE, "package-p1", [made.onnx.id], folder="it", model=made.onnx.id)
    job = MemoryContext(tmp_path / "job", [packed, made.onnx, made.torch, dataset_view(made.data)])
    result = run(ParityParams(model=packed.id, data="dataset-d1", rows=4, max_new_tokens=2), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    assert "stop_tokens" in sealed["manifest"]["facts"]["failed"] and result.metrics["checks_failed"] >= 1
    assert sealed["manifest"]["facts"]["precision"] == "int4"


@pytest.mark.ml
def test_what_has_no_original_is_refused_before_it_starts(tmp_path: Path, made: Converted) -> None:
    data = dataset_view(made.data)
    params = ParityParams(model=made.onnx.id, data=data.id)
    assert check(params, FakeWorld(made.onnx, made.torch, data)) == []
    assert [one.code for one in check(params, FakeWorld(made.onnx, data))] == ["gate.no_original"]
    empty = dataset_view(made.data).model_copy(update={"facts": {**data.facts, "rows": {"validation": 0}}})
    codes = [one.code for one in check(params, FakeWorld(made.onnx, made.torch, empty))]
    assert codes == ["chat.no_rows"]


def test_more_rows_take_longer_and_the_original_takes_the_memory() -> None:
    facts: dict[str, Any] = {"parameters": 134_515_008, "precision": "int4", "format": "onnx"}
    world = FakeWorld().add("m", Kind.ONNX, **facts).add("d", Kind.DATASET, rows={"validation": 500}, prompt_chars=60)
    few, many = (quote(ParityParams(model="m", data="d", rows=rows), world) for rows in (16, 200))
    assert few.seconds < many.seconds and few.memory_bytes > 4 * facts["parameters"]
    assert few.forecast == {"report": "parity"}
    world.add("p", Kind.PACKAGE, model="m")
    assert quote(ParityParams(model="p", data="d", rows=200), world) == many


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
