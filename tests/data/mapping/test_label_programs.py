"""Exports of labelling tools, rows of evals, and the studio's own exports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.data.mapping.reading_builder import mapped, reading


def choice(*labels: str, **more: Any) -> dict[str, Any]:
    return {"result": [{"type": "choices", "value": {"choices": list(labels)}}], **more}


def test_label_studio() -> None:
    rows = [
        {"data": {"text": "a"}, "annotations": [choice("good")]},
        {"data": {"text": "b"}, "annotations": [choice("x", was_cancelled=True), choice("bad", "late")]},
        {"data": {"text": "c"}, "annotations": []},
        {"data": {"text": "d"}, "annotations": [choice("good"), choice("bad")]},
        {"data": {"text": "e"}, "annotations": [{"result": [{"type": "textarea", "value": {"text": ["Fine."]}}]}]},
        {
            "data": {"text": "f"},
            "annotations": [{"result": [{"type": "labels", "value": {"start": 0, "labels": ["P"]}}]}],
        },
    ]
    found = mapped(rows, reading("label_studio", input=["data.text"], output="annotations"))
    assert found.pairs == [("a", "good"), ("b", "bad, late"), ("c", None), ("d", "good"), ("e", "Fine.")]
    assert found.errors.places == {"data.spans": ["6 → labels"]} and found.notes.counts == {
        "data.annotators_disagree": 1
    }


def test_label_studio_in_columns() -> None:
    rows = [{"text": "a", "sentiment": "good"}, {"text": "b", "sentiment": '{"choices": ["x", "y"]}'}]
    found = mapped(rows, reading("label_studio", input=["text"], output="sentiment"))
    assert found.pairs == [("a", "good"), ("b", "x, y")]


def test_doccano() -> None:
    rows = [{"text": "a", "label": ["good"]}, {"text": "b", "label": []}, {"text": "c", "label": [[0, 1, "P"]]}]
    found = mapped(rows, reading("doccano", input=["text"], output="label"))
    assert found.pairs == [("a", "good"), ("b", None)] and found.errors.places == {"data.spans": ["3 → label"]}


def test_evals() -> None:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    found = mapped(
        [{"input": turns, "ideal": ["4", "four"]}, {"input": "3+3?", "ideal": "6"}],
        reading("openai_evals", input=["input"], output="ideal"),
    )
    assert found.pairs == [("2+2?", "4"), ("3+3?", "6")] and found.examples[0].context == turns[:1]
    assert found.notes.counts == {"data.answers_several": 1}


ROW = {
    "id": "r7.2",
    "input": "=SUM",
    "output": "-1",
    "gold": "+1",
    "context": [{"role": "user", "content": "é"}],
    "confidence": 0.5,
    "fields": {"id": "7"},
    "conversation": "c",
}


@pytest.mark.parametrize("table", [False, True])
def test_own_rows_come_back_as_they_were(table: bool) -> None:
    row: dict[str, Any] = {"split": "validation", **ROW}
    if table:
        row |= {"context": json.dumps(row["context"]), "fields": json.dumps(row["fields"]), "tags": "", "rejected": ""}
    found = mapped([row], reading("own_export", input=["input"], output="output", split="split"))
    assert found.rows == [ROW] and found.examples[0].split == "validation"


def test_a_call_alone_is_an_answer_in_a_table_too() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    row = {"split": "train", "id": "r1", "input": "a", "output": None, "tool_calls": [call]}
    assert mapped([row], reading("own_export", input=["input"], output="output")).rows[0]["output"] == ""


@pytest.mark.parametrize(("change", "place"), [({"context": "{"}, "1 → context"), ({"input": 5}, "1 → input")])
def test_a_changed_export_is_a_row_error(change: dict[str, Any], place: str) -> None:
    found = mapped([{"split": "train", "id": "r1", "input": "a", "output": "b", **change}], reading("own_export"))
    assert found.errors.places == {"data.own_export": [place]}
