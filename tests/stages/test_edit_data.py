"""The stage that writes what a person changed into a new version."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.edits import Edit, edit_lines
from backend.data.row_filter import RowFilter
from backend.jobs.context import MemoryContext
from backend.stages.edit_data import EditParams, check, next_version, run
from tests.helpers import dataset_view
from tests.stages.fake_world import FakeWorld, log_of, made
from tests.studio.builder import StudioBuilder


def edits(tmp_path: Path, *said: Edit) -> EditParams:
    file = tmp_path / "edits.jsonl"
    file.write_text(edit_lines(said), "utf-8")
    return EditParams(data="dataset-d1", edits=str(file))


def test_the_changes_make_a_new_version(job: MemoryContext, tmp_path: Path) -> None:
    said = (
        Edit(op="edit", rows=("0",), output="pink", label="pink"),
        Edit(op="delete", where=RowFilter(label="green"), count=10),
        Edit(op="tag", split="test", rows=("45",), tags=("odd",)),
        Edit(op="add", row=Row(id="new-1", input="a red thing", output="red")),
    )
    result = run(edits(tmp_path, *said), job)
    data, manifest = made(job)
    rows = {row.id: row for row in data.rows("train")}
    assert len(rows) == 30 - 10 + 1 and rows["0"].output == "pink" and rows["new-1"].input == "a red thing"
    assert data.template.labels == ["red", "green", "blue", "pink"] and data.count("pool") == 12
    assert next(row.tags for row in data.rows("test") if row.id == "45") == ["odd"]
    assert result.metrics == {"rows": 60.0 + 12 - 10 + 1, "edited": 2, "deleted": 10, "added": 1, "edited_test": 1}
    assert manifest["parents"] == ["dataset-d1"] and manifest["name"] == "dataset-d1-v2"
    assert manifest["facts"]["edits"]["edited_test"] == 1 and any(
        "Test rows changed: 1" in line for line in log_of(job)
    )
    assert (data.path / "edits.jsonl").read_text("utf-8") == edit_lines(said)


def test_personal_data_that_was_typed_is_known(job: MemoryContext, tmp_path: Path) -> None:
    row = Row(id="new-1", input="write to ana.lopez@example.org", output="red")
    run(edits(tmp_path, Edit(op="add", row=row)), job)
    facts = made(job)[1]["facts"]
    assert facts["personal"] == 1 and "gates.personal" in {each["code"] for each in facts["warnings"]}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (Edit(op="edit", rows=("0",), output="pink"), "edits.label_unknown"),
        (Edit(op="add", row=Row(id="n", input="x", output="pink")), "edits.label_unknown"),
        (Edit(op="delete", rows=("nobody",)), "edits.other_rows"),
        (Edit(op="delete", where=RowFilter(least=1)), "edits.nothing_left"),
    ],
)
def test_changes_that_can_not_be(job: MemoryContext, tmp_path: Path, said: Edit, code: str) -> None:
    with pytest.raises(StudioError) as error:
        run(edits(tmp_path, said), job)
    assert error.value.code == code and not [event for event in job.events if event["event"] == "artifact"]


def test_answers_that_were_no_labels_before_are_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write_template(folder, Template(answer="label", labels=["red"]))
    write_split(folder, "train", [Row(id="1", input="x", output="old"), Row(id="2", input="y", output="red")])
    job = MemoryContext(tmp_path / "job", [dataset_view(folder)])
    run(edits(tmp_path, Edit(op="edit", rows=("1",), input="z")), job)
    assert [row.input for row in made(job)[0].rows("train")] == ["z", "y"]


def test_the_check_reads_the_file(job: MemoryContext, tmp_path: Path) -> None:
    world = FakeWorld(job.input("dataset-d1"))
    assert check(edits(tmp_path, Edit(op="delete", rows=("1",))), world) == []
    (problem,) = check(EditParams(data="dataset-d1", edits=str(tmp_path / "none")), world)
    assert problem.code == "edits.file_missing"
    (problem,) = check(EditParams(data="${data}"), FakeWorld().add("${data}", Kind.DATASET, rows={"train": 3}))
    assert problem.code == "edits.pending"


def test_the_start_freezes_the_draft(home: Path) -> None:
    builder = StudioBuilder(home)
    view, studio = builder.dataset(), builder.studio
    with pytest.raises(StudioError) as error:
        studio.start_stage("edit_data", {"data": view.name})
    assert error.value.code == "edits.none"
    studio.edits.change_rows(view.id, "train", "delete", ["0", "1"])
    assert studio.edits.summary(view.id).changes == 2
    run_view = studio.save_version(view.id, "mine")
    params = run_view.jobs[0].params
    assert params["data"] == view.id and params["name"] == "mine" and Path(params["edits"]).is_file()
    draft = studio.edits.summary(view.id)
    assert draft.changes == 0 and draft.run == run_view.id


def test_names_of_versions() -> None:
    assert [next_version(name) for name in ("tickets", "tickets-v2", "a-v", "x" * 100)] == [
        "tickets-v2",
        "tickets-v3",
        "a-v-v2",
        "x" * 90 + "-v2",
    ]
