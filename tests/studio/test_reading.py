"""The card of a reading on the page Data: what was found, the question that is left, and the rows that follow from a choice."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, get_args

import pytest

from backend.core.errors import Problem
from backend.core.messages import reading_words
from backend.data.inspect_source import Inspection
from backend.data.params import DatasetParams
from backend.data.preview import PreviewRow
from backend.data.reading.model import Candidate, ColumnKind, ColumnReading, Reading, Role, Roles
from backend.data.sources.options import SourceFacts
from backend.db import tables as t
from backend.files import source_reading
from studio.ui.data import look
from studio.ui.data.reading import column_cells
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_stage_pages import key

WHY = Problem(code="data.no_answers", args={"rows": 40}, blocking=False)
COLUMNS = [
    ColumnReading(name="nr", kind="row_number", role="unused", examples=["1"]),
    ColumnReading(name="ticket", kind="text", role="input", examples=["the parcel is late"]),
    ColumnReading(name="reply", kind="text", role="output", examples=["a new one is on its way"]),
    ColumnReading(name="team", kind="label", role="unused", distinct=3, examples=["north"]),
]


def candidate(output: str, schema: str) -> Candidate:
    return Candidate(
        schema_name=schema, task="", roles=Roles(input=["ticket"], output=output), confidence=0.5, reason=WHY
    )


def inspected(params: DatasetParams) -> Inspection:
    """A file that can be read in two ways, until somebody says which column is the answer."""
    facts = SourceFacts(format="csv", title="CSV", encoding="cp1252", encoding_sure=False, delimiter=";")
    both = [candidate("reply", "input_output"), candidate("team", "text_label")]
    longer = candidate("team", "text_label")
    both.insert(1, longer.model_copy(update={"roles": Roles(input=["ticket", "reply"], output="team")}))
    asked = Problem(code="data.output_unknown", args={"file": "tickets.csv", "columns": "reply, team"}, field="output")
    reading = Reading(file="tickets.csv", source=facts, rows=1234, columns=COLUMNS)
    if not params.output:
        return Inspection(
            reading=reading.model_copy(update={"alternatives": both, "question": asked}), problems=[asked]
        )
    inputs = ["ticket", *params.input_columns]
    taken = next(one for one in both if one.roles.output == params.output and one.roles.input == inputs)
    turns = [
        {"role": "user", "content": "the parcel is late"},
        {"role": "assistant", "content": f"the {params.output}"},
    ]
    row = PreviewRow(id="r2", input="the parcel is late", output=f"the {params.output}", text="", turns=turns)
    few = Problem(code="data.few_distinct", args={"rows": 40, "distinct": 3}, field="source", blocking=False)
    counts = {"rows": {"train": 32, "validation": 4, "test": 4, "pool": 0}, "answer": "text", "labels": []}
    forecast: dict[str, Any] = {**counts, "prompt_chars": 20.0, "answer_chars": 9.0}
    sure = reading.model_copy(update={"taken": taken, "notes": [WHY]})
    return Inspection(reading=sure, preview=[row], problems=[WHY, few], forecast=forecast)


@pytest.fixture
def file(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> Path:
    def answer(params: DatasetParams, rows: int, _folder: Path) -> dict[str, Any]:
        return {"inspection": inspected(params).model_dump(mode="json")}

    monkeypatch.setattr(source_reading, "read_in_child", answer)
    return uploaded(builder, "tickets.csv")


def uploaded(builder: StudioBuilder, name: str) -> Path:
    folder = builder.studio.settings.home / "uploads" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / name).write_text("nr;ticket;reply;team\n", encoding="utf-8")
    return folder / name


def test_a_question_is_answered_by_a_choice_and_the_rows_follow(show: Show, builder: StudioBuilder, file: Path) -> None:
    at = show("data")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(file)).run()
    assert not at.exception
    said = words(at)
    assert all(part in said for part in ("CSV", "semicolons", "Windows-1252 (guessed)", "1,234 rows"))
    assert "no column looks like the answer" not in said  # the choice says it
    assert at.button(key="start_dataset").disabled and "How should the rows be read?" in said
    radio = at.radio(key=key(builder, "dataset", "reading"))
    assert [option.replace("*", "") for option in radio.options] == [
        "Question and answer · ticket → reply",
        "Text and label · ticket + reply → team",
        "Text and label · ticket → team",
    ]
    for at_, output in ((2, "team"), (1, "team"), (0, "reply")):
        at.radio(key=key(builder, "dataset", "reading")).set_value(at_).run()
        assert not at.exception
        assert at.selectbox(key=key(builder, "dataset", "output")).value == output
        assert at.radio(key=key(builder, "dataset", "reading")).value == at_
        assert [each.value for each in at.text] == ["the parcel is late", f"the {output}"]
    said = words(at)
    assert said.count("None of the 40 rows has an answer") == said.count("40 rows contain only 3 distinct") == 1
    at.button(key="start_dataset").click().run()
    params = builder.store.runs()[0].jobs[0].params
    assert (params["data_schema"], params["input"], params["output"]) == ("input_output", "ticket", "reply")


def test_what_was_said_of_a_file_does_not_count_for_another(show: Show, builder: StudioBuilder, file: Path) -> None:
    other = file.parent.parent / "1123456789abcdef" / "second.csv"
    other.parent.mkdir()
    other.write_text("nr;ticket\n", encoding="utf-8")
    at = show("data")
    source, output = key(builder, "dataset", "source"), key(builder, "dataset", "output")
    at.selectbox(key=source).set_value(str(file)).run()
    at.radio(key=key(builder, "dataset", "reading")).set_value(0).run()
    assert at.selectbox(key=output).value == "reply"
    at.selectbox(key=source).set_value(str(other)).run()
    assert not at.exception and at.selectbox(key=output).value == ""
    assert at.radio(key=key(builder, "dataset", "reading")).value is None


def test_the_card_speaks_spanish(show: Show, builder: StudioBuilder, file: Path) -> None:
    at = show("data", "es")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(file)).run()
    said = words(at)
    assert all(part in said for part in ("punto y coma", "Windows-1252 (supuesta)", "¿Cómo se deben leer las filas?"))


def test_while_a_large_file_is_read_the_page_stands_and_another_file_can_be_chosen(
    show: Show, builder: StudioBuilder, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.dataset("older")
    go_on = threading.Event()

    def slow(params: DatasetParams, rows: int, _folder: Path) -> dict[str, Any]:
        go_on.wait(20)
        return {"inspection": inspected(params).model_dump(mode="json")}

    monkeypatch.setattr(source_reading, "read_in_child", slow)
    monkeypatch.setattr(look, "WAIT_SECONDS", 0.05)
    at = show("data")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(file)).run()
    assert "Reading the file…" in words(at) and "older" in str(at.main)
    assert at.selectbox(key=key(builder, "dataset", "source")).value == str(file)
    go_on.set()
    monkeypatch.setattr(look, "WAIT_SECONDS", 20)
    at.run()
    assert "How should the rows be read?" in words(at)


def test_rows_that_cannot_be_used_are_left_out_by_one_click(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(params: DatasetParams, rows: int, _folder: Path) -> dict[str, Any]:
        stopped = params.on_bad_row == "stop"
        args = {"file": "tickets.csv", "count": 3, "places": "15, 95, 175"}
        wrong = Problem(code="data.input_empty", args=args, field="source", blocking=stopped)
        found = inspected(params.model_copy(update={"output": "reply"}))
        return {"inspection": found.model_copy(update={"problems": [wrong]}).model_dump(mode="json")}

    monkeypatch.setattr(source_reading, "read_in_child", answer)
    file, skip = uploaded(builder, "tickets.csv"), key(builder, "dataset", "skip_rows")
    at = show("data")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(file)).run()
    said = words(at)
    assert said.count("have no input (rows 15, 95, 175)") == 1 and "Row errors” to" not in said
    assert at.button(key="start_dataset").disabled
    at.button(key=skip).click().run()
    assert "They are skipped." in words(at)
    assert at.session_state[key(builder, "dataset", "on_bad_row")] == "skip"
    at.button(key=skip).click().run()
    assert at.session_state[key(builder, "dataset", "on_bad_row")] == "stop"


def test_layout_of_the_text_can_be_changed_on_the_card(show: Show, builder: StudioBuilder, file: Path) -> None:
    at = show("data")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(file)).run()
    assert "Auto-detected: Windows-1252" in at.selectbox(key=key(builder, "dataset", "encoding")).options
    at.selectbox(key=key(builder, "dataset", "delimiter")).set_value("tab").run()
    at.radio(key=key(builder, "dataset", "reading")).set_value(0).run()
    at.button(key="start_dataset").click().run()
    assert builder.store.runs()[0].jobs[0].params["delimiter"] == "tab"


def test_every_kind_and_role_of_a_column_has_its_word() -> None:
    assert set(reading_words.KINDS) == set(get_args(ColumnKind)) and set(get_args(Role)) <= set(reading_words.ROLES)


def test_columns_are_told_with_what_they_are_taken_for() -> None:
    name, taken, examples = column_cells(COLUMNS[3])
    assert (name["text"], name["sub"]) == ("team", "label · 3 distinct")
    assert taken["tags"] == [{"text": "not used", "tone": ""}] and examples["text"] == "north"
    assert column_cells(COLUMNS[2])[1]["tags"] == [{"text": "answer", "tone": "green"}]


def test_a_stored_dataset_shows_its_reading_and_its_warnings(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset("tickets")
    assert "not imported from a file" in words(show("data", data=data.id, tab="reading"))
    reading = inspected(DatasetParams(source="demo:smart-home", output="reply")).reading
    (data.path / "reading.json").write_text(reading.model_dump_json(), encoding="utf-8")
    facts = {**data.facts, "warnings": [{"code": "data.no_answers", "args": {"rows": 7}}]}
    with builder.store.session() as session:
        session.get_one(t.Artifact, data.id).facts = facts
    said = words(show("data", data=data.id, tab="reading"))
    assert "None of the 7 rows has an answer" in said and "Question and answer" in said
    assert "1 warning" in words(show("data"))


@pytest.mark.parametrize("content", [b"PK", b"not a zip"])
def test_a_damaged_zip_is_no_model(builder: StudioBuilder, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert not builder.studio.holds_model(tmp_path / "a.zip")
