"""Columns are found, chat messages become examples, the kind of answer is decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.examples import Example, answer_kind, examples
from backend.data.params import DatasetParams
from backend.data.reader import open_source
from backend.data.reading.read import roles_of
from backend.data.row_errors import RowErrors
from tests.data.bad_files import json_lines


def source(folder: Path, rows: list[dict[str, Any]]) -> Any:
    path = folder / "rows.jsonl"
    path.write_text(json_lines(rows), encoding="utf-8")
    return open_source(path)


def read(folder: Path, rows: list[dict[str, Any]], **named: str) -> tuple[list[Example], RowErrors]:
    opened, bad = source(folder, rows), RowErrors("rows.jsonl")
    return list(examples(opened.records(bad), roles_of(opened, DatasetParams(**named)), bad)), bad


def test_wanted_columns_win(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "label": "x", "title": f"h{n}"} for n in range(6)]
    found, _ = read(tmp_path, rows, input="title", output="text")
    assert (found[0].input, found[0].output) == ("h0", "t0")


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        read(tmp_path, [{"text": "a", "label": "b"}], input="q", output="a", group="g")
    assert [problem.field for problem in caught.value.problems] == ["input", "output", "group"]


def test_a_single_column_is_an_unanswered_input(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [{"text": f"t{n}"} for n in range(5)])
    assert [row.output for row in found] == [None] * 5


def test_alpaca_details_follow_the_instruction(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Sum up.", "input": "Long text.", "output": "Short."},
        {"instruction": "Hi", "input": "", "output": "Ho"},
    ]
    found, _ = read(tmp_path, rows)
    assert [row.input for row in found] == ["Sum up.\n\nLong text.", "Hi"]


CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "Three?"},
    {"role": "assistant", "content": "Four."},
]


def test_last_answer_is_the_output_and_the_rest_context(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [{"messages": CHAT}, {"messages": json.dumps(CHAT[1:])}, {"messages": CHAT[:-1]}])
    assert [(row.input, row.output, len(row.context)) for row in found] == [
        ("Three?", "Four.", 3),
        ("Three?", "Four.", 2),
        ("Three?", None, 3),
    ]
    assert found[0].context == CHAT[:3]


def test_sharegpt_and_parts(tmp_path: Path) -> None:
    turns = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": [{"type": "text", "text": "Ho"}]}]
    found, _ = read(tmp_path, [{"conversations": turns, "id": 1}])
    assert (found[0].input, found[0].output) == ("Hi", "Ho")


@pytest.mark.parametrize(
    ("turns", "code", "place"),
    [
        ([CHAT[1], CHAT[1]], "data.chat_roles", "2 → 2: user"),
        ([CHAT[0]], "data.chat_roles", "2 → 1: system"),
        ([CHAT[1], {"role": "tool", "content": "x"}], "data.chat_roles", "2 → 2: tool"),
        ([{"role": "user"}], "data.chat_shape", "2 → content"),
        ([], "data.chat_shape", "2 → empty"),
        (["hi"], "data.chat_shape", "2 → text"),
    ],
)
def test_wrong_messages_name_row_and_turn(turns: list[Any], code: str, place: str, tmp_path: Path) -> None:
    found, bad = read(tmp_path, [{"messages": CHAT}, {"messages": turns}])
    assert len(found) == 1 and bad.places == {code: [place]}


def test_numbers_become_words(tmp_path: Path) -> None:
    found, _ = read(tmp_path, [{"text": "a", "label": 1}, {"text": "b", "label": 2.0}, {"text": "c", "label": True}])
    assert [row.output for row in found] == ["1", "2", "true"]


def test_half_a_character_is_a_bad_row(tmp_path: Path) -> None:
    _, bad = read(tmp_path, [{"text": "a", "label": "x"}, {"text": "\ud800", "label": "x"}])
    assert bad.places == {"data.characters": ["2"]}


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        (["on", "off"] * 10, "label"),
        (["on"] * 20, "text"),
        ([f"answer {n}" for n in range(20)], "text"),
        ([f"class {n % 90}" for n in range(300)], "label"),
        ([f"class {n % 120}" for n in range(900)], "text"),
        (["a long answer that nobody would call a label " * 3, "b"] * 10, "text"),
    ],
)
def test_kind_of_answer(outputs: list[str], kind: str) -> None:
    assert answer_kind(outputs) == kind
