"""A look at a large file takes its head; what is wrong with the head's end alone is no fault of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.data import inspect_source, source_head
from backend.data.inspect_source import inspect
from backend.data.params import DatasetParams


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_source, "WHOLE_BYTES", 20_000)
    monkeypatch.setattr(source_head, "HEAD_BYTES", 10_000)


def _params(path: Path, text: str) -> DatasetParams:
    path.write_text(text, "utf-8")
    return DatasetParams(source=str(path), input="text", output="label")


@pytest.mark.usefixtures("small_limits")
def test_a_large_file_is_sampled_and_its_rows_are_estimated(tmp_path: Path) -> None:
    rows = "".join(f"question number {number:05},{'ab'[number % 2]}\n" for number in range(4000))
    found = inspect(_params(tmp_path / "large.csv", f"text,label\n{rows}"))
    assert found.reading.sampled
    assert found.reading.file == "large.csv"
    assert found.reading.rows < 500
    assert sum(found.forecast["rows"].values()) == pytest.approx(4000, rel=0.02)


@pytest.mark.usefixtures("small_limits")
def test_a_cell_of_many_lines_where_the_head_ends_is_no_error(tmp_path: Path) -> None:
    long = "line\n" * 3000
    rows = "".join(f"question {number},{'ab'[number % 2]}\n" for number in range(100))
    found = inspect(_params(tmp_path / "cells.csv", f'text,label\n{rows}"{long}",a\n{rows}'))
    assert found.forecast
    assert found.reading.rows == 201
