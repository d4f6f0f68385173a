"""Workbooks, Parquet and Arrow, YAML, text, the studio's own exports, and files that are none of these."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from backend.core.csv_cells import escape_formula
from backend.core.errors import StudioError
from backend.data.reader import ReadOptions, open_source
from tests.data.sources.helpers import ROWS, notes, opened, rows
from tests.data.sources.workbooks import Date, Formula, ods, xlsx

TABLE: list[list[Any]] = [["text", "label", "n"], *[[row["text"], row["label"], n] for n, row in enumerate(ROWS)]]


@pytest.mark.parametrize("write", [xlsx, ods])
def test_one_sheet(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "a.xlsx", {"Empty": [], "Data": [["Report"], [], *TABLE]})
    source = open_source(path)
    assert rows(source) == [{**row, "n": n} for n, row in enumerate(ROWS)]
    assert source.facts.sheet == "Data" and notes(source) == {"data.header_later"} and source.facts.header_line == 3
    assert source.count() >= 20


def test_several_sheets_are_asked_for(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"One": TABLE, "Two": [["a", "b"], *[["x", "y"]] * 5]})
    with pytest.raises(StudioError, match=r"One, Two.*--records") as asked:
        open_source(path)
    assert asked.value.problems[0].args["choices"] == ["One", "Two"], "a page offers each"
    assert open_source(path, ReadOptions(records="Two")).columns == ["a", "b"]
    assert len(rows(open_source(path, ReadOptions(sheet="One")))) == 20
    with pytest.raises(StudioError, match="One, Two"):
        open_source(path, ReadOptions(sheet="Three"))


def test_a_sheet_without_a_header_and_with_gaps(tmp_path: Path) -> None:
    table = [[n, f"the lamp number {n} came late and was far too small for us", None] for n in range(9)]
    source = open_source(xlsx(tmp_path / "a.xlsx", {"S": [*table, [], [9, None, None]]}))
    assert source.columns == ["column 1", "column 2"] and notes(source) == {"data.header_none"}
    assert rows(source)[-1] == {"column 1": 9, "column 2": None}


def test_damaged_workbooks(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"S": TABLE})
    with pytest.raises(StudioError, match="not a readable workbook"):
        opened(tmp_path / "b.xlsx", path.read_bytes()[:-400])
    content = path.read_bytes()
    at = content.rfind(b"</sheetData>")
    with pytest.raises(StudioError, match="not a readable workbook"):
        opened(tmp_path / "b.xlsx", content[:at] + b"<oops/&&&>  "[:12] + content[at + 12 :])
    locked = b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(StudioError, match="password"):
        opened(tmp_path / "c.xlsx", locked)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_columns_of_every_kind(kind: str, tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array([b"a lamp", b"caf\xc3\xa9", b"\xff"], pa.binary()),
            "price": pa.array([Decimal("1.50"), None, Decimal("2.00")]),
            "day": pa.array([date(2024, 1, 2)] * 3),
            "at": pa.array([datetime(2024, 1, 2, 3, 4)] * 3),
            "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
            "meta": pa.array([{"source": b"web", "tags": [Decimal("1.0")]}] * 3),
            "list": pa.array([[b"a", None]] * 3),
        }
    )
    names = {"info": {"features": {"kind": {"names": ["p", "q"], "_type": "ClassLabel"}}}}
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    path = tmp_path / "a.bin"
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif kind == "arrow":
        pyarrow.feather.write_feather(table, path)
    else:
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    source = open_source(path)
    found = rows(source)
    assert found[1] == {
        "text": "café",
        "price": None,
        "day": "2024-01-02",
        "at": "2024-01-02 03:04:00",
        "kind": "y",
        "meta": {"source": "web", "tags": ["1.0"]},
        "meta.source": "web",
        "list": ["a", None],
    }
    assert found[0]["price"] == "1.50" and found[2]["text"] == b"\xff" and source.count() == 3
    assert source.columns == [*table.schema.names[:6], "meta.source", "list"]
    assert source.facts.label_names == {"kind": ["p", "q"]}
    with pytest.raises(StudioError, match="damaged"):
        rows(opened(tmp_path / "cut.parquet", path.read_bytes()[:-60]))


def test_conversations_in_yaml(tmp_path: Path) -> None:
    pairs = "categories:\n- lamps\nconversations:\n- - Is it on?\n  - yes\n- - And now?\n  - null\n"
    assert rows(opened(tmp_path / "a.yml", pairs)) == [
        {"question": "Is it on?", "answer": "yes"},
        {"question": "And now?", "answer": "null"},
    ]
    longer = rows(opened(tmp_path / "a.yml", pairs + "- - a\n  - b\n  - c\n"))
    assert [turn["role"] for turn in longer[2]["messages"]] == ["user", "assistant", "user"]


def test_other_yaml(tmp_path: Path) -> None:
    assert (
        rows(opened(tmp_path / "a.yaml", "rows:\n- {text: a, label: no}\n- {text: b, label: 1}\n"))[0]["label"] == "no"
    )
    intents = "version: '3.1'\nnlu:\n- intent: greet\n  examples: |\n    - hello\n    - good day\n"
    assert rows(opened(tmp_path / "a.yml", intents))[1] == {"text": "good day", "intent": "greet"}


@pytest.mark.parametrize(
    "content",
    [
        "a: [1, 2",
        "- " * 50_000,
        "x: &a [1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"x{n}: &a{n} [{','.join([f'*a{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)),
        "just words",
        "a: \0",
    ],
    ids=["open", "deep", "aliases", "words", "nul"],
)
def test_hostile_yaml(content: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        opened(tmp_path / "a.yaml", content)
    assert "\n" not in caught.value.text()


def test_text_is_a_row_per_paragraph_or_line(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.txt", "# Lamps\nare fine.\n\n\nDesks, too,\r\nare fine.\n")
    assert [row["text"] for row in rows(source)] == ["# Lamps\nare fine.", "Desks, too,\nare fine."]
    assert notes(source) == {"data.text_paragraphs"}
    source = opened(tmp_path / "a.md", "Lamps are fine.\nDesks, too.\n")
    assert len(rows(source)) == 2 and notes(source) == {"data.text_lines"}


@pytest.mark.parametrize("content", ["# Lamps\nare fine.\n\n# Desks\ntoo.\n# Chairs\n\ntoo.\n", "Q: a?\nA: b\n\n" * 3])
def test_a_text_file_is_one_row_where_asked(tmp_path: Path, content: str) -> None:
    source = opened(tmp_path / "a.txt", content, text_rows="file")
    assert rows(source) == [{"text": content.rstrip()}] and source.count() == 1 and notes(source) == set()


def test_labels_of_fasttext(tmp_path: Path) -> None:
    source = opened(tmp_path / "a.txt", "__label__good a lamp\n__label__bad __label__late a desk\n")
    assert rows(source) == [{"label": "good", "text": "a lamp"}, {"label": "bad, late", "text": "a desk"}]


@pytest.mark.parametrize("name", ["a.txt", "SMSSpamCollection", "a.dat"])
def test_a_table_in_a_text_file(name: str, tmp_path: Path) -> None:
    content = "".join(f"{row['label']}\t{row['text']}\n" for row in ROWS)
    source = opened(tmp_path / name, content)
    assert source.facts.format == "csv" and len(rows(source)) == 20 and source.columns == ["column 1", "column 2"]


def test_the_studios_csv_export_is_read_back(tmp_path: Path) -> None:
    context = [{"role": "user", "content": "=x"}]
    lines = [
        ["split", "id", "input", "output", "gold", "context"],
        ["train", "r1", "=SUM of it", "+1", "", json.dumps(context)],
        ["pool", "r2", "a lamp", "", "-1", ""],
    ]
    out = io.StringIO()
    csv.writer(out).writerows([escape_formula(cell) for cell in line] for line in lines)
    source = opened(tmp_path / "a.csv", "\ufeff" + out.getvalue())
    assert source.facts.own_export and source.facts.split_column == "split"
    train, pool = rows(source)
    assert train == {
        "split": "train",
        "id": "r1",
        "input": "=SUM of it",
        "output": "+1",
        "gold": None,
        "context": context,
    }
    assert pool["output"] is None and pool["gold"] == "-1" and not pool["context"]


def test_the_studios_lines_are_seen_and_others_are_not(tmp_path: Path) -> None:
    row = {"split": "train", "id": "r1", "input": "a", "output": "b"}
    assert opened(tmp_path / "a.jsonl", json.dumps(row) + "\n" + json.dumps(row)).facts.own_export
    assert not opened(tmp_path / "a.jsonl", json.dumps(row | {"split": "dev"})).facts.own_export
    assert not opened(tmp_path / "a.jsonl", json.dumps(row | {"more": 1})).facts.own_export


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    for name, content in (
        ("a.parquet", "text,label\na,b\nc,d\n"),
        ("a.xlsx", json.dumps(ROWS)),
        ("a.json", "text,label\na,b\n"),
    ):
        if name == "a.json":
            with pytest.raises(StudioError, match="not valid JSON"):
                opened(tmp_path / name, content)
        else:
            source = opened(tmp_path / name, content)
            assert rows(source) and notes(source) == {"data.format_taken"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page or XML document"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"SQLite format 3\0", "an SQLite database"),
        (bytes(range(256)) * 9, "binary data"),
    ],
)
def test_what_is_no_table_says_what_it_is(content: bytes, found: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=found):
        opened(tmp_path / "a.csv", content)
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(StudioError, match="another program"):
        open_source(tmp_path / "a.docx")


def test_an_unknown_name_without_rows_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"\.parquet"):
        opened(tmp_path / "a.dat", "some words\nand more of them, without order\n")


def test_a_huge_cell_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.dialect.CELL_LIMIT", 1000)
    with pytest.raises(StudioError, match="row 2"):
        rows(opened(tmp_path / "a.csv", 'text,label\n"' + "x" * 5000 + '",b\n'))


def test_headings_with_text_below(tmp_path: Path) -> None:
    sections = "Intro\n\n# L\n## How long?\n\nA year.\n```\n# not a heading\n```\n## And desks?\nTwo.\n## Why?\nOak."
    source = opened(tmp_path / "a.md", sections.replace("Intro\n", ""))
    assert rows(source) == [
        {"question": "How long?", "answer": "A year.\n```\n# not a heading\n```"},
        {"question": "And desks?", "answer": "Two."},
        {"question": "Why?", "answer": "Oak."},
    ]
    assert notes(source) == {"data.text_questions"}
    plain = opened(tmp_path / "a.md", sections.replace("?", ""))
    assert plain.columns == ["heading", "text"] and rows(plain)[0] == {"heading": "", "text": "Intro"}


def test_marked_questions_and_answers(tmp_path: Path) -> None:
    content = "".join(
        f"**P{n}:** ¿Dónde está la lámpara {n}?\n**R{n}:** En el pasillo {n},\narriba.\n\n" for n in range(3)
    )
    source = opened(tmp_path / "a.txt", content)
    assert rows(source)[1] == {"question": "¿Dónde está la lámpara 1?", "answer": "En el pasillo 1,\narriba."}


def test_a_cover_sheet_is_left_out_and_said(tmp_path: Path) -> None:
    source = open_source(xlsx(tmp_path / "a.xlsx", {"Cover": [["Report"], ["Date", "May"]], "Data": TABLE}))
    assert len(rows(source)) == 20 and notes(source) == {"data.sheet_taken"}


def test_values_of_a_sheet(tmp_path: Path) -> None:
    table: list[list[Any]] = [
        ["text", "day", "at", "n", "half"],
        ["a", Date(45292), Date(45292.5), Formula("1+1", 2.0), 0.5],
    ]
    (row,) = rows(open_source(xlsx(tmp_path / "a.xlsx", {"S": table})))
    assert row == {"text": "a", "day": "2024-01-01", "at": "2024-01-01 12:00:00", "n": 2, "half": 0.5}
