"""The stage that cleans a dataset: a new version with counts, lineage and everything that lay beside the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.stages import check_data
from backend.stages.clean_data import STAGE
from tests.helpers import view
from tests.stages.fake_world import FakeWorld, made

WORDS = ["apple", "kettle", "carpet", "teapot", "mirror", "window", "garden", "bottle"]


@pytest.fixture
def job(tmp_path: Path) -> MemoryContext:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [Row(id=f"r{n}", input=f"{word} stands there", output="a") for n, word in enumerate(WORDS)]
    write_template(folder, Template(answer="text"))
    write_split(
        folder,
        "train",
        [
            *rows,
            Row(id="copy", input="Apple stands there", output="a"),
            Row(id="p", input="to ana@example.com", output="b"),
        ],
    )
    write_split(folder, "test", [Row(id="t", input="kettle stands there!", output="a")])
    (folder / "NOTICE").write_text("by somebody", encoding="utf-8")
    (folder / "quality.json").write_text("{}", encoding="utf-8")
    return MemoryContext(
        tmp_path / "job", [view(folder, Kind.DATASET, "dataset-d1", source="x.csv", **data_facts(folder))]
    )


def test_a_new_version_with_its_counts(job: MemoryContext) -> None:
    fixes = ["drop_leaks", "mask_personal", "drop_duplicates"]
    result = STAGE.run(STAGE.parse({"data": "dataset-d1", "fixes": fixes}), job)
    data, manifest = made(job)
    facts = manifest["facts"]
    assert facts["cleaned"] == {
        "mask_personal": {"train": 1},
        "drop_duplicates": {"train": 1},
        "drop_leaks": {"train": 1},
    }
    assert list(facts["cleaned"]) == ["mask_personal", "drop_duplicates", "drop_leaks"]  # the registry's order
    assert facts["rows"] == {"train": 8, "validation": 0, "test": 1, "pool": 0} and facts["personal"] == 0
    assert (
        facts["source"] == "x.csv" and manifest["parents"] == ["dataset-d1"] and manifest["name"] == "dataset-d1-clean"
    )
    assert (data.path / "NOTICE").read_text("utf-8") == "by somebody" and not (data.path / "quality.json").exists()
    assert "ana@example.com" not in (data.path / "train.jsonl").read_text("utf-8") and "EMAIL" not in str(facts)
    assert (result.metrics["rows"], result.metrics["kept"], result.metrics["drop_leaks"]) == (11, 9, 1)


def test_warnings_of_the_split_stay_and_those_of_the_rows_are_found_anew(job: MemoryContext, tmp_path: Path) -> None:
    before = job.input("dataset-d1")
    args = {"rows": 900_000, "limit": 100_000}
    said = [
        {"code": "split.near_not_checked", "args": args},
        {"code": "gates.personal", "args": {"count": 1, "rows": 11, "found": "e-mail (1)"}},
        {"code": "data.one_class", "args": {}},
    ]
    source = before.model_copy(update={"facts": before.facts | {"warnings": said, "personal": 1}})
    again = MemoryContext(tmp_path / "again", [source])
    STAGE.run(STAGE.parse({"data": "dataset-d1", "fixes": ["mask_personal"]}), again)
    facts = made(again)[1]["facts"]
    assert facts["personal"] == 0 and facts["warnings"][0] == {"code": "split.near_not_checked", "args": args}
    assert [each["code"] for each in facts["warnings"]] == ["split.near_not_checked", "gates.duplicates"]
    third = MemoryContext(tmp_path / "third", [view(made(again)[0].path, Kind.DATASET, "dataset-d2", **facts)])
    STAGE.run(STAGE.parse({"data": "dataset-d2", "fixes": ["drop_duplicates"]}), third)
    assert [each["code"] for each in made(third)[1]["facts"]["warnings"]] == ["split.near_not_checked"]


def test_rows_of_a_report_go(job: MemoryContext, tmp_path: Path) -> None:
    check_data.STAGE.run(check_data.STAGE.parse({"data": "dataset-d1"}), job)
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    report = view(Path(sealed["path"]), Kind.REPORT, "report-1", report="check_data")
    again = MemoryContext(tmp_path / "job2", [job.input("dataset-d1"), report])
    params = {"data": "dataset-d1", "fixes": ["drop_rows"], "report": "report-1", "gates": ["personal"], "rows": ["r7"]}
    STAGE.run(STAGE.parse(params), again)
    ids = [row.id for row in made(again)[0].rows("train")]
    assert "p" not in ids and "r7" not in ids and len(ids) == 8


def test_nothing_left_is_an_error(job: MemoryContext) -> None:
    params = {"data": "dataset-d1", "fixes": ["drop_rows"], "rows": [*(f"r{n}" for n in range(8)), "copy", "p"]}
    with pytest.raises(StudioError, match="No training row"):
        STAGE.run(STAGE.parse(params), job)


def test_what_is_missing_is_named() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 10}).add("r", Kind.REPORT, report="checklist")
    (problem,) = STAGE.check(STAGE.parse({"data": "d", "fixes": ["drop_rows"]}), world)
    assert problem.code == "gates.no_rows_named"
    (problem,) = STAGE.check(STAGE.parse({"data": "d", "fixes": ["drop_empty"], "report": "r"}), world)
    assert (problem.code, problem.field) == ("gates.report_other", "report")
    with pytest.raises(StudioError):
        STAGE.parse({"data": "d", "fixes": ["drop_everything"]})
    assert [each.code for each in STAGE.check(STAGE.parse({"data": "d"}), world)] == ["gates.no_fixes"]
