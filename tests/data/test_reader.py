"""Formats, encodings and separators: what was written is what is read."""

from __future__ import annotations

import codecs
import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.core.errors import StudioError
from backend.data.reader import open_source
from backend.data.row_errors import RowErrors
from tests.data.bad_files import GOOD, csv_text, json_lines, parquet

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries({"text": CELL.map(lambda text: f"x{text}"), "label": CELL}), min_size=1, max_size=8
)


def read(path: Path) -> list[dict[str, Any]]:
    bad = RowErrors(path.name)
    values = [record.values for record in open_source(path).records(bad)]
    assert not bad.counts
    return values


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_separators_and_encodings(mark: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(csv_text(mark=mark).replace("example", "exämple").encode(encoding))
    rows = read(path)
    assert list(rows[0]) == ["text", "label"] and len(rows) == 40
    assert rows[7] == {"text": "exämple number 7", "label": "odd"}


def test_separator_is_not_taken_from_the_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("text;label\n" + "a, b, c;x\n" * 5, encoding="utf-8")
    assert read(path)[0] == {"text": "a, b, c", "label": "x"}


def test_big_endian_mark(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(codecs.BOM_UTF16_BE + csv_text().encode("utf-16-be"))
    assert len(read(path)) == 40


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_of_other_systems(ending: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(csv_text().replace("\n", ending).encode())
    assert read(path) == GOOD


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.json", json.dumps(GOOD)),
        ("rows.json", json.dumps({"version": 1, "data": GOOD, "other": []})),
        ("rows.json", json.dumps({"examples": GOOD})),
        ("rows.json", json_lines(GOOD)),
        ("rows.jsonl", json_lines(GOOD).replace("\n", "\n\n")),
        ("rows.jsonl", json.dumps(GOOD, indent=2)),
        ("rows.ndjson", json_lines(GOOD)),
        ("ROWS.CSV", csv_text()),
        ("rows.tsv", csv_text(mark="\t")),
    ],
)
def test_layouts(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read(tmp_path / name) == GOOD


def test_parquet_keeps_types_and_places(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "messages": [{"role": "user", "content": "x"}], "n": n} for n in range(2500)]
    parquet(tmp_path / "rows.parquet", rows)
    source = open_source(tmp_path / "rows.parquet")
    records = list(source.records(RowErrors("rows.parquet")))
    assert source.count() == 2500 and [records[1999].place, records[1999].values] == [2000, rows[1999]]


def test_place_is_the_line_even_after_cells_of_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('text,label\n"one\ntwo",a\n\nthree,b\nragged\n', encoding="utf-8")
    bad = RowErrors("rows.csv")
    assert [record.place for record in open_source(path).records(bad)] == [2, 5]
    assert bad.places == {"data.ragged": ["6 → 1"]}


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_csv_round_trip(rows: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ["text", "label"], quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
        assert read(path) == rows


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_json_lines_round_trip(rows: list[dict[str, str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="\n"
        )
        assert read(path) == rows


def test_a_large_json_list_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", 1000)
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"about": {"n": 1}, "data": {"items": GOOD}}))
    assert read(file) == GOOD and open_source(file).count() == 40


def test_a_large_json_document_without_a_list_of_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.data.sources.json_document.WHOLE_LIMIT", 1000)
    file = tmp_path / "rows.json"
    file.write_text(json.dumps({"text": ["x" * 2000, "y"], "label": ["a", "b"]}))
    with pytest.raises(StudioError, match="JSON Lines"):
        open_source(file)
