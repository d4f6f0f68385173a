"""The baseline stage: its report beside the dataset, and a job with findings where there is too little."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.stages.baseline import BaselineParams, check, quote, run
from tests.helpers import view
from tests.stages.fake_world import FakeWorld

PLACES = [
    f"{colour} {thing}"
    for colour in ("red", "blue", "old")
    for thing in ["kettle", "radio", "lamp", "tent", "sofa", "mat"]
]


def prepared(tmp_path: Path, train: int, validation: int = 10) -> MemoryContext:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [
        Row(id=f"{label}{thing}", input=text.format(thing), output=None, gold=label)
        for thing in PLACES
        for label, text in {"repair": "my {} is broken", "order": "I want another {}", "ask": "where is the {}"}.items()
    ]
    write_template(folder, Template(answer="label", labels=["ask", "order", "repair"]))
    write_split(folder, "train", rows[validation : validation + train])
    write_split(folder, "validation", rows[:validation])
    return MemoryContext(tmp_path / "job", [view(folder, Kind.DATASET, "dataset-d1", **data_facts(folder))])


def test_the_report_lies_beside_the_dataset(tmp_path: Path) -> None:
    job = prepared(tmp_path, 44)
    result = run(BaselineParams(data="dataset-d1"), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    manifest = sealed["manifest"]
    assert manifest["kind"] == Kind.REPORT and manifest["parents"] == ["dataset-d1"] and manifest["facts"]["passed"]
    assert json.loads((Path(sealed["path"]) / "report.json").read_text("utf-8")) == manifest["facts"]
    kept = {file.name for file in Path(sealed["path"]).iterdir()}
    assert manifest["facts"]["kept"] == "classifier" and {"model.json", "README.md"} <= kept
    assert result.metrics["classifier_accuracy"] == 1 and not result.findings
    assert any("simple classifier" in event.get("text", "") for event in job.events)


def test_too_few_rows_are_a_finding(tmp_path: Path) -> None:
    result = run(BaselineParams(data="dataset-d1"), prepared(tmp_path, 12))
    assert [problem.code for problem in result.findings] == ["baseline.few_distinct"]


def test_rows_are_needed(tmp_path: Path) -> None:
    job = prepared(tmp_path, 44)
    with pytest.raises(StudioError, match="no rows to answer in test"):
        run(BaselineParams(data="dataset-d1", split="test"), job)
    assert check(BaselineParams(data="nothing"), FakeWorld())
    assert quote(BaselineParams(data="nothing"), FakeWorld()).seconds > 0
