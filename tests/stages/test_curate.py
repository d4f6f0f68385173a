"""The curate stage: what it leaves in the dataset and beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import Kind
from backend.data import filter_report
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.stages.curate import STAGE, CurateParams, check, quote, run
from tests.helpers import view
from tests.stages.fake_world import FakeWorld

LABELS = ["red", "green", "blue"]
THINGS = ["apple", "kettle", "carpet", "teapot", "mirror", "window", "garden", "bottle"]


@pytest.fixture
def job(tmp_path: Path) -> MemoryContext:
    """24 good rows of a teacher, one copy, one that is no label, one unsure, one that is in the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    good = [
        Row(id=f"{colour}{n}", input=f"{thing} is {colour}", output=colour, gold=colour, confidence=0.9)
        for colour in LABELS
        for n, thing in enumerate(THINGS)
    ]
    bad = [
        Row(id="copy", input="Apple is red!", output="red", confidence=0.8),
        Row(id="maroon", input="a maroon hat", output="maroon", confidence=0.9),
        Row(id="unsure", input="something like the sea", output="blue", gold="green", confidence=0.3),
        Row(id="leaked", input="the lantern of my aunt is blue", output="blue", gold="red", confidence=0.9),
    ]
    write_template(folder, Template(system="Colour?", answer="label", labels=LABELS))
    write_split(folder, "train", [*good, *bad])
    write_split(folder, "validation", [Row(id="v", input="the shirt is red", output="red")])
    write_split(folder, "test", [Row(id="t", input="The lantern of my aunt is blue", output="blue")])
    write_split(folder, "pool", [Row(id="p", input="the door is green")])
    (folder / "NOTICE").write_text("Sentences by somebody", encoding="utf-8")
    source = view(folder, Kind.DATASET, "dataset-d1", **data_facts(folder), teacher="big", agreement=0.9)
    return MemoryContext(tmp_path / "job", [source])


def made(job: MemoryContext) -> tuple[DataFolder, dict[str, Any]]:
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    return DataFolder(Path(sealed["path"])), sealed["manifest"]


def test_bad_rows_go_and_are_counted_named_and_kept_aside(job: MemoryContext) -> None:
    result = run(CurateParams(data="dataset-d1", min_confidence=0.5), job)
    data, manifest = made(job)
    counts = {"no_label": 1, "unsure": 1, "leak": 1, "near_duplicate": 1}
    assert manifest["facts"]["curated"] == counts and manifest["facts"]["rows"]["train"] == data.count("train") == 24
    assert {name: result.metrics[f"dropped_{name}"] for name in counts} == counts
    assert (result.metrics["rows"], result.metrics["kept"], result.metrics["dropped"]) == (28, 24, 4)
    drops = json.loads((data.path / "drops.json").read_text("utf-8"))
    assert drops["counts"] == counts
    assert {"id": "copy", "reason": "near_duplicate", "other": "red0"} in drops["rows"]
    assert {"id": "leaked", "reason": "leak", "other": "t"} in drops["rows"]
    (aside,) = filter_report.dropped_rows(data.path, "unsure", 5)
    assert aside.row.input == "something like the sea" and aside.row.confidence == 0.3


def test_the_rest_of_the_dataset_is_its_own(job: MemoryContext) -> None:
    run(CurateParams(data="dataset-d1"), job)
    data, manifest = made(job)
    assert [data.count(split) for split in ("validation", "test", "pool")] == [1, 1, 1]
    assert data.template.system == "Colour?" and (data.path / "NOTICE").read_text("utf-8") == "Sentences by somebody"
    assert manifest["parents"] == ["dataset-d1"] and manifest["license"] == "Apache-2.0"
    assert (
        manifest["facts"]["teacher"] == "big" and manifest["facts"]["agreement"] == 24 / 25
    )  # the unsure one is wrong


def test_variety_is_told_before_and_after(job: MemoryContext) -> None:
    result = run(CurateParams(data="dataset-d1", min_confidence=0.5), job)
    report = filter_report.read_report(made(job)[0].path)
    assert report and report.before.rows == 28 and report.after.rows == 24
    assert report.before.classes == {"red": 9, "green": 8, "blue": 10} and set(report.after.classes.values()) == {8}
    assert report.before.near_duplicates == pytest.approx(1 / 28, abs=1e-4) and report.after.near_duplicates == 0
    assert result.metrics["near_duplicates"] == 0 and 0 < result.metrics["distinct_2"] <= 1
    assert len(report.points) == 28 and {point.state for point in report.points} == {"kept", "dropped"}
    assert len({(point.x, point.y) for point in report.points}) > 20
    assert filter_report.read_report(job.input("dataset-d1").path) is None


def test_nothing_left_and_cancel_make_no_artifact(job: MemoryContext) -> None:
    with pytest.raises(StudioError) as caught:
        run(CurateParams(data="dataset-d1", answer_shortest=100), job)
    assert caught.value.code == "synth.nothing_left" and "answer length (27)" in str(caught.value)
    job.stop = True
    with pytest.raises(Cancelled):
        run(CurateParams(data="dataset-d1"), job)
    assert not [event for event in job.events if event["event"] == "artifact"]


def test_what_can_never_work_is_said_before() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 0, "pool": 9}, answer="text")
    wrong = CurateParams(data="d", balance="median", must_match="(", answer_shortest=5, answer_longest=2)
    codes = [problem.code for problem in check(wrong, world)]
    assert codes == ["synth.pattern", "synth.lengths", "synth.no_answers", "synth.balance_text"]
    fine = FakeWorld().add("d", Kind.DATASET, rows={"train": 4000, "test": 100}, prompt_chars=60, answer_chars=10)
    assert not check(CurateParams(data="d"), fine)
    assert quote(CurateParams(data="d"), fine).forecast["rows"] == {"train": 4000, "test": 100}


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
