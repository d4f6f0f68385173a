"""Exports: our own formats come back whole, the others are what their readers expect."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.csv_cells import escape_formula, plain_cell
from backend.core.errors import StudioError
from backend.data.dataset import DataFolder, Row, ScoredAnswer, Template, write_split, write_template
from backend.data.own_format import COLUMNS
from backend.files.exports import FORMATS, export

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "León"}'}}
FULL = Row(
    id="=1",
    input='\'=a, "b"\r\nñ',
    output="+1",
    gold="''-x",
    context=[{"role": "system", "content": "s"}],
    confidence=0.1 + 0.2,
    rationale="@why",
    scores=[ScoredAnswer(answer="a", teacher="t", score=3)],
    conversation="'c",
    tools=[TOOL],
    tool_calls=[CALL],
    rejected="\tworse",
    fields={"id": "7", "é": "x"},
    tags=["=tag", "b"],
)
CALLS = Row(id="2", input="call", output="", tools=[TOOL], tool_calls=[CALL])


def folder(path: Path, rows: list[Row], test: list[Row] | None = None, template: Template | None = None) -> DataFolder:
    path.mkdir(exist_ok=True)
    write_template(path, template or Template(system="Be kind."))
    write_split(path, "train", rows)
    write_split(path, "test", test or [])
    return DataFolder(path)


def text(data: DataFolder, format: str, split: str = "train") -> str:
    pieces = [piece.encode() if isinstance(piece, str) else piece for piece in export("d", data, format, split)]
    return b"".join(pieces).decode()


def test_csv_comes_back_whole(tmp_path: Path) -> None:
    rows, test = [FULL, CALLS, Row(id="3", input="pool-like")], [Row(id="4", input="x", output="y")]
    cells = list(csv.reader(io.StringIO(text(folder(tmp_path, rows, test), "csv").removeprefix("\ufeff"), newline="")))
    assert tuple(cells[0]) == COLUMNS
    back = [row_of(dict(zip(COLUMNS, map(plain_cell, line), strict=True))) for line in cells[1:]]
    assert back == [*(("train", row) for row in rows), ("test", test[0])]
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for line in cells for cell in line if cell)


def test_parquet_and_json_lines_come_back_whole(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    data = folder(tmp_path, [FULL, CALLS], [Row(id="4", input="x", output="y")])
    pieces = b"".join(piece for piece in export("d", data, "parquet") if isinstance(piece, bytes))
    table = pq.read_table(io.BytesIO(pieces))
    assert tuple(table.column_names) == COLUMNS and table["confidence"].to_pylist()[0] == FULL.confidence
    cells = [{name: None if cell is None else str(cell) for name, cell in line.items()} for line in table.to_pylist()]
    assert [row_of(line)[1] for line in cells] == [FULL, CALLS, Row(id="4", input="x", output="y")]
    lines = [json.loads(line) for line in text(data, "jsonl").splitlines()]
    assert [line.pop("split") for line in lines] == ["train", "train", "test"]
    assert [Row.model_validate(line) for line in lines[:2]] == [FULL, CALLS]


@given(st.text(alphabet="'=+-@\t\ra", max_size=6))
def test_escaping_for_spreadsheets_is_undone_exactly(cell: str) -> None:
    assert plain_cell(escape_formula(cell)) == cell
    assert escape_formula(cell)[:1] not in ("=", "+", "-", "@", "\t", "\r")


def row_of(cells: dict[str, str | None]) -> tuple[str, Row]:
    """What the cells say: lists and objects are JSON, an empty cell is a value that is not there."""
    plain = ("id", "input", "output", "gold", "rationale", "rejected", "conversation")
    given = {name: value for name, value in cells.items() if value and name != "split"}
    values = {name: value if name in plain else json.loads(value) for name, value in given.items()}
    calls = {"output": ""} if "tool_calls" in values else {}
    return str(cells["split"]), Row.model_validate({"input": "", **calls, **values})


def chat(answers: dict[int, str]) -> list[Row]:
    """A conversation of three turns, of which those in `answers` are rows."""
    context: list[dict[str, Any]] = []
    rows = []
    for turn in range(3):
        if turn in answers:
            rows.append(Row(id=str(turn), input=f"q{turn}", output=f"a{turn}", context=list(context), conversation="c"))
        context += [{"role": "user", "content": f"q{turn}"}, {"role": "assistant", "content": f"a{turn}"}]
    return rows


def test_a_conversation_is_one_line_of_messages(tmp_path: Path) -> None:
    all_turns = chat({0: "", 1: "", 2: ""})
    data = folder(tmp_path, [all_turns[2], Row(id="x", input="alone", output="yes"), *all_turns[:2]])
    lines = [json.loads(line) for line in text(data, "openai").splitlines()]
    assert [len(line["messages"]) for line in lines] == [7, 3]
    assert lines[0]["messages"][0] == {"role": "system", "content": "Be kind."}
    assert [each["content"] for each in lines[0]["messages"] if each["role"] == "assistant"] == ["a0", "a1", "a2"]
    assert not any("weight" in each for each in lines[0]["messages"])


def test_turns_that_are_no_rows_are_not_to_be_learned(tmp_path: Path) -> None:
    (line,) = [json.loads(line) for line in text(folder(tmp_path, chat({0: "", 2: ""})), "openai").splitlines()]
    assert [each.get("weight") for each in line["messages"] if each["role"] == "assistant"] == [None, 0, None]


def test_an_answer_to_the_result_of_a_call_is_learned(tmp_path: Path) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "track", "arguments": "{}"}}
    asked = {"role": "user", "content": "where is it?"}
    called: dict[str, Any] = {"role": "assistant", "content": "", "tool_calls": [call]}
    result = {"role": "tool", "content": "sent", "tool_call_id": "c"}
    tools = [{"type": "function", "function": {"name": "track"}}]
    said = {"role": "assistant", "content": "On its way."}
    rows = [
        Row(id="1", input="where is it?", output="", tool_calls=[call], tools=tools, conversation="c"),
        Row(id="2", input="", output="On its way.", context=[asked, called, result], tools=tools, conversation="c"),
        Row(id="3", input="thanks", output="!", context=[asked, called, result, said], tools=tools, conversation="c"),
    ]
    for count in (2, 3):
        (line,) = [json.loads(line) for line in text(folder(tmp_path, rows[:count]), "openai").splitlines()]
        assert [each["role"] for each in line["messages"]].count("assistant") == count
        assert not any("weight" in each or "tools" in each for each in line["messages"]) and line["tools"] == tools


def test_tools_are_kept_or_refused(tmp_path: Path) -> None:
    data = folder(tmp_path, [CALLS])
    line = json.loads(text(data, "openai"))
    assert line["tools"] == [TOOL] and line["messages"][-1] == {
        "role": "assistant",
        "content": None,
        "tool_calls": [CALL],
    }
    (entry,) = json.loads(text(data, "sharegpt"))
    assert json.loads(entry["tools"]) == [TOOL] and entry["system"] == "Be kind."
    assert json.loads(entry["conversations"][-1]["value"]) == {"name": "weather", "arguments": {"city": "León"}}
    with pytest.raises(StudioError) as error:
        export("d", data, "alpaca")
    assert error.value.code == "edits.tools"


def test_alpaca_and_sharegpt(tmp_path: Path) -> None:
    data = folder(tmp_path, chat({1: ""}))
    assert json.loads(text(data, "alpaca")) == [
        {"instruction": "q1", "input": "", "output": "a1", "system": "Be kind.", "history": [["q0", "a0"]]}
    ]
    turns = json.loads(text(data, "sharegpt"))[0]["conversations"]
    assert [(turn["from"], turn["value"]) for turn in turns] == [
        ("human", "q0"),
        ("gpt", "a0"),
        ("human", "q1"),
        ("gpt", "a1"),
    ]


def test_one_split_in_a_file_for_others(tmp_path: Path) -> None:
    data = folder(tmp_path, [Row(id="1", input="a", output="b")], [Row(id="2", input="c", output="d")])
    for format, known in FORMATS.items():
        said = "".join(piece for piece in export("d", data, format, "test") if isinstance(piece, str))
        assert ('"a"' in said or ",a," in said) is (not known.by_split and format != "parquet")
    for format, split, code in (("openai", "pool", "edits.split_unknown"), ("xls", "train", "files.format")):
        with pytest.raises(StudioError) as error:
            export("d", data, format, split)
        assert error.value.code == code


def test_an_empty_list_is_still_json(tmp_path: Path) -> None:
    data = folder(tmp_path, [Row(id="1", input="a", output="b"), Row(id="2", input="not answered")])
    assert len(json.loads(text(data, "alpaca"))) == 1
