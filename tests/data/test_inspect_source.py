"""A look at a large file takes rows from all over it; what is wrong with a sample alone is no fault of the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.data import inspect_source
from backend.data.inspect_source import inspect
from backend.data.params import DatasetParams
from backend.data.sampling import lines, spread


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_source, "WHOLE_BYTES", 60_000)
    monkeypatch.setattr(spread, "HEAD_ROWS", 100)
    monkeypatch.setattr(spread, "FURTHER_ROWS", 200)
    monkeypatch.setattr(lines, "HEAD_BYTES", 4_000)
    monkeypatch.setattr(lines, "SAMPLE_BYTES", 24_000)
    monkeypatch.setattr(lines, "PLACES", 20)


def _params(path: Path, text: str, **told: str) -> DatasetParams:
    path.write_text(text, "utf-8")
    return DatasetParams(source=str(path), **{"input": "text", "output": "label", **told})


def test_a_large_file_is_sampled_and_its_rows_are_estimated(tmp_path: Path) -> None:
    rows = "".join(f"question number {number:05},{'ab'[number % 2]}\n" for number in range(4000))
    found = inspect(_params(tmp_path / "large.csv", f"text,label\n{rows}"))
    assert found.reading.sampled
    assert found.reading.file == "large.csv"
    assert found.reading.rows < 1500
    assert found.reading.estimated == pytest.approx(4000, rel=0.05)
    assert sum(found.forecast["rows"].values()) == pytest.approx(4000, rel=0.05)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_sorted_file_shows_all_of_its_labels(tmp_path: Path, kind: str) -> None:
    told = [(f"question number {number:05}", f"label {number // 400:02}") for number in range(4000)]
    lines_ = [json.dumps({"text": text, "label": label}) for text, label in told]
    table = ["text,label", *(f"{text},{label}" for text, label in told)]
    found = inspect(_params(tmp_path / f"sorted.{kind}", "\n".join(table if kind == "csv" else lines_)))
    assert found.reading.sampled
    assert found.reading.labels == [f"label {number:02}" for number in range(10)]


def test_cells_of_many_lines_are_kept_whole(tmp_path: Path) -> None:
    rows = "".join(
        f'"question, {number}\nwith ""quotes"",\nof the third kind, and\na last line",{"ab"[number % 2]}\n'
        for number in range(2000)
    )
    found = inspect(_params(tmp_path / "cells.csv", f"text,label\n{rows}"))
    assert found.reading.sampled and found.forecast
    assert found.reading.labels == ["a", "b"]
    assert not [problem for problem in found.problems if problem.blocking]


def test_a_cell_that_no_place_holds_whole_is_no_error(tmp_path: Path) -> None:
    long = "line\n" * 30_000
    rows = "".join(f"question {number},{'ab'[number % 2]}\n" for number in range(1000))
    found = inspect(_params(tmp_path / "cells.csv", f'text,label\n{rows}"{long}",a\n{rows}'))
    assert found.forecast and found.reading.sampled
    assert not [problem for problem in found.problems if problem.blocking]


def test_a_row_error_has_its_line_in_the_file(tmp_path: Path) -> None:
    rows = [f"question number {number:05},{'ab'[number % 2]}" for number in range(4000)]
    rows[-2] += ",more"
    found = inspect(_params(tmp_path / "ragged.csv", "\n".join(["text,label", *rows]) + "\n"))
    assert found.reading.sampled
    assert [(problem.code, problem.args["places"]) for problem in found.problems] == [("data.ragged", "4000 → 3")]


def test_a_key_that_the_sample_does_not_show_is_found(tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"question number {number:05}", "label": "ab"[number % 2]}) for number in range(4000)]
    rows[1717] = json.dumps({"text": "question", "label": "a", "late": "here"})
    found = inspect(_params(tmp_path / "late.jsonl", "\n".join(rows), group="late"))
    assert found.forecast and not [problem for problem in found.problems if problem.blocking]


def test_what_is_read_from_its_beginning_is_seen_all_over(tmp_path: Path) -> None:
    rows = [f"question number {number:05},label {number // 400}" for number in range(4000)]
    rows[-2] += ",more"
    path = tmp_path / "wide.csv"
    path.write_text("text,label\n" + "\n".join(rows), "utf-16")
    found = inspect(DatasetParams(source=str(path), input="text", output="label", on_bad_row="skip"))
    assert found.reading.sampled and found.reading.source.encoding == "utf-16"
    assert found.reading.rows < 400 and found.reading.estimated == pytest.approx(4000, abs=2)
    assert found.reading.labels == [f"label {number}" for number in range(10)]
    assert [problem.args["places"] for problem in found.problems if problem.code == "data.ragged"] == ["4000 → 3"]


def test_the_file_itself_is_left_alone(tmp_path: Path) -> None:
    rows = "".join(f"question number {number:05},{'ab'[number % 2]}\n" for number in range(4000))
    params = _params(tmp_path / "large.csv", f"text,label\n{rows}")
    before = (tmp_path / "large.csv").read_bytes()
    assert inspect(params) == inspect(params)
    assert (tmp_path / "large.csv").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
