"""The checklist stage on a tiny model: a whole report in three forms, from ONNX and from torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder
from backend.jobs.context import MemoryContext
from backend.stages.checklist import MEASURED_CHECKS, STAGE, ChecklistParams, check, quote, run
from tests.helpers import dataset_view
from tests.onnx_models import Converted, converted
from tests.stages.fake_world import FakeWorld


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


def checked(tmp_path: Path, made: Converted, model: ArtifactView, **change: Any) -> tuple[dict[str, Any], Path]:
    job = MemoryContext(tmp_path / "job", [model, dataset_view(made.data)])
    result = run(ChecklistParams(model=model.id, data="dataset-d1", **{"rows": 8, "requests": 100, **change}), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    folder = Path(sealed["path"])
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    assert sealed["manifest"]["facts"].items() >= result.metrics.items()
    return report, folder


@pytest.mark.ml
def test_an_onnx_model_gets_a_report_in_three_forms(tmp_path: Path, made: Converted) -> None:
    report, folder = checked(tmp_path, made, made.onnx)
    found = {each["name"]: each for each in report["checks"]}
    assert tuple(found) == ("alive", *MEASURED_CHECKS)
    assert found["alive"]["passed"] and found["edge_answered"]["passed"] and found["repeatable"]["passed"]
    assert [at for at, _ in found["memory"]["detail"]["samples"]] == list(range(10, 101, 10))
    assert not found["format"]["passed"] and not report["passed"]  # a random model says anything but a colour
    assert {path.name for path in folder.iterdir()} >= {"report.json", "report.html", "report.md"}
    assert "Quality checklist:" in (folder / "report.html").read_text()
    assert "| Domain questions |" in (folder / "report.md").read_text()


@pytest.mark.ml
def test_a_torch_model_is_asked_too(tmp_path: Path, made: Converted) -> None:
    report, _ = checked(tmp_path, made, made.torch)
    assert [each["name"] for each in report["checks"] if each["value"] is None] == []


@pytest.mark.ml
def test_a_model_that_can_not_be_loaded_is_a_failed_report(tmp_path: Path, made: Converted) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    for file in made.onnx.path.iterdir():
        (folder / file.name).write_bytes(file.read_bytes()[: 5000 if file.suffix == ".onnx" else None])
    report, _ = checked(tmp_path, made, made.onnx.model_copy(update={"path": folder}))
    assert report["failed"] == ["alive", *MEASURED_CHECKS]


def test_the_floor_is_the_commonest_label_unless_one_is_given(tmp_path: Path) -> None:
    from backend.stages.checklist import _min_score
    from tests.helpers import tiny_dataset

    data = DataFolder(tiny_dataset(tmp_path / "data"))
    known = ["red", "red", "blue", "green"]
    assert _min_score(ChecklistParams(model="m", data="d"), data, known) == (True, 0.5)
    assert _min_score(ChecklistParams(model="m", data="d", floor=0.8), data, known) == (True, 0.8)


def test_more_requests_take_longer_and_no_rows_are_refused() -> None:
    world = FakeWorld().add("m", Kind.ONNX, parameters=23_600_448, precision="int4", format="onnx")
    world.add("d", Kind.DATASET, rows={"validation": 50, "test": 0}, prompt_chars=60)
    few, many = (quote(ChecklistParams(model="m", data="d", requests=n), world) for n in (100, 1000))
    assert few.seconds * 3 < many.seconds
    assert check(ChecklistParams(model="m", data="d"), world) == []
    assert [one.code for one in check(ChecklistParams(model="m", data="d", split="test"), world)] == ["chat.no_rows"]


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
