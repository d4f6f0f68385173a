"""JSON in every orient and wrapping, JSON Lines with late and nested keys, and broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.row_errors import RowErrors
from tests.data.sources.helpers import ROWS, notes, opened, rows

TEXTS = [row["text"] for row in ROWS]
LABELS = [row["label"] for row in ROWS]


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        {
            "columns": ["text", "label"],
            "index": list(range(20)),
            "data": list(map(list, zip(TEXTS, LABELS, strict=True))),
        },
        {"text": TEXTS, "label": LABELS},
        {
            "text": {str(n): text for n, text in enumerate(TEXTS)},
            "label": {str(n): text for n, text in enumerate(LABELS)},
        },
        {str(n): row for n, row in enumerate(ROWS)},
        {"schema": {"fields": [{"name": "text"}]}, "data": ROWS},
        {"about": "lamps", "result": {"page": 1, "list": ROWS}},
        [["text", "label"], *map(list, zip(TEXTS, LABELS, strict=True))],
    ],
    ids=["records", "split", "lists", "columns", "index", "table", "wrapped", "list-of-lists"],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_orients(content: Any, indent: int | None, tmp_path: Path) -> None:
    source = opened(tmp_path / "a.json", json.dumps(content, indent=indent))
    assert rows(source) == ROWS and source.columns == ["text", "label"] and source.count() == 20


@pytest.mark.parametrize("whole", [10**9, 10])
def test_lists_for_each_split(whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", whole)
    for content in ({"train": ROWS, "dev": ROWS[:3]}, {"data": {"train": ROWS, "dev": ROWS[:3]}}):
        source = opened(tmp_path / "a.json", json.dumps(content))
        found = rows(source)
        assert source.facts.split_column == "split" and source.columns == ["split", "text", "label"]
        assert [row["split"] for row in found] == ["train"] * 20 + ["validation"] * 3


@pytest.mark.parametrize("whole", [10**9, 10])
def test_several_lists_are_asked_for(whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", whole)
    content = json.dumps({"people": [{"name": "a"}], "letters": ROWS})
    with pytest.raises(StudioError, match=r"people .*letters .*--records"):
        opened(tmp_path / "a.json", content)
    assert rows(opened(tmp_path / "a.json", content, records="letters")) == ROWS
    with pytest.raises(StudioError):
        opened(tmp_path / "a.json", content, records="nobody")


def test_an_object_per_id_keeps_the_id(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.json", json.dumps({f"q{n}": row for n, row in enumerate(ROWS)}))
    assert source.columns == ["key", "text", "label"] and rows(source)[1]["key"] == "q1"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a", "a.csv"])
def test_objects_that_follow_one_another(indent: int | None, name: str, tmp_path: Path) -> None:
    source = opened(tmp_path / name, "\n".join(json.dumps(row, indent=indent) for row in ROWS))
    assert rows(source) == ROWS
    assert notes(source) == ({"data.format_taken"} if name == "a.csv" else set())


def test_late_and_nested_keys(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = [{"text": "a"}] * 500
    lines += [{"text": "b", "label": "x", "meta": {"source": "web", "at": {"year": 1}, "tags": ["t"]}}, {"text": "c"}]
    source = opened(tmp_path / "a.jsonl", "\n\n".join(map(json.dumps, lines)))
    assert source.columns == ["text", "label", "meta", "meta.source", "meta.at.year"]
    found = rows(source)
    assert (
        found[500]["meta.source"] == "web" and found[500]["meta.at.year"] == 1 and found[500]["meta"]["tags"] == ["t"]
    )
    assert found[501] == {"text": "c"} and source.count() == 502


def test_objects_with_an_id_as_key_make_no_columns(tmp_path: Path) -> None:
    lines = [{"text": "a", "votes": {f"user{n}": 1}} for n in range(500)]
    assert opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines))).columns == ["text", "votes"]


def test_broken_lines_have_their_number_and_reason(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.jsonl", '{"a": 1}\n{"a": }\n\n[1]\n{"a": 2}\n' + "[" * 100_000 + "\n")
    errors = RowErrors("a.jsonl")
    assert [record.place for record in source.records(errors)] == [1, 5]
    assert errors.places["data.json_line"] == ["2 → Expecting value (7)", "6 → nested too deeply (1)"]
    assert errors.places["data.json_item"] == ["4 → list"]


def test_numbers_are_exact_and_other_json_is_read(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.jsonl", '{"id": 12345678901234567890123, "x": NaN}\n{"id": 1, "x": "\\ud83d"}\n')
    found = rows(source)
    assert found[0]["id"] == 12345678901234567890123 and found[1]["x"] == "\ud83d"


def test_lines_that_are_lists(tmp_path: Path) -> None:
    lists = [["text", "label"], *map(list, zip(TEXTS, LABELS, strict=True))]
    source = opened(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lists)))
    assert rows(source) == ROWS


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_encodings_of_json(encoding: str, tmp_path: Path) -> None:
    lines = [{"text": f"El niño pidió más café número {n}"} for n in range(9)]
    one_by_one = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    for name, content in (("a.jsonl", one_by_one), ("a.json", json.dumps(lines, ensure_ascii=False))):
        assert rows(opened(tmp_path / name, content.encode(encoding))) == lines


def test_a_damaged_byte_is_a_row_error(tmp_path: Path) -> None:
    good = "\n".join(json.dumps({"text": f"niño {n}"}, ensure_ascii=False) for n in range(9)).encode()
    source = opened(tmp_path / "a.jsonl", good.replace("niño 4".encode(), b"ni\xf1o 4"))
    assert len(rows(source, {"data.encoding": 1})) == 8


@pytest.mark.parametrize("whole", [10**9, 10])
@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '[{"a": ' * 50_000,
        '[{"a": 1}',
        '[{"a": 1} {"a": 2}]',
        '{"a": [1',
        "nonsense",
        '[{"a": "x',
        "[{}]x",
    ],
)
def test_hostile_documents_end_in_a_sentence(
    content: str, whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", whole)
    with pytest.raises(StudioError) as caught:
        opened(tmp_path / "a.json", content)
    assert "\n" not in caught.value.text()


def test_places_in_a_document_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", 10)
    monkeypatch.setattr("backend.data.sources.json_stream.PIECE", 7)
    with pytest.raises(StudioError, match="line 4, column 8"):
        opened(tmp_path / "a.json", '[\n{"a": 1},\n{"a": 12.5e3},\n {"a": }\n]')
    assert rows(opened(tmp_path / "a.json", '{"n": 1234567, "d": [{"a": 12.5e3},\n {"a": "x, y"} ]}')) == [
        {"a": 12500.0},
        {"a": "x, y"},
    ]


def test_what_is_taken_among_several_lists_is_said(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.json", json.dumps({"data": ROWS, "authors": [{"name": "a"}]}))
    assert rows(source) == ROWS and notes(source) == {"data.records_taken"}
    source = opened(
        tmp_path / "a.json", json.dumps({"train": [[text, label] for text, label in zip(TEXTS, LABELS, strict=True)]})
    )
    assert source.columns[-2:] == ["column 1", "column 2"] and notes(source) == {"data.header_none"}
