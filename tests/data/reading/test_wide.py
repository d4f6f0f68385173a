"""Tables of very many columns: those that a person named are read, and nobody waits for the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.inspect_source import inspect
from backend.data.params import DatasetParams
from backend.data.reading import wanted
from tests.stages.test_dataset import build


def _wide(path: Path, columns: int, rows: int = 60) -> Path:
    names = ["text", "label", "origin", *(f"number {at}" for at in range(columns))]
    lines = [
        ",".join([f"question number {at}", "ab"[at % 2], "web", *(str(at * 7 + place) for place in range(columns))])
        for at in range(rows)
    ]
    path.write_text("\n".join([",".join(names), *lines]), "utf-8")
    return path


def test_the_remedy_for_too_many_columns_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted, "MOST_COLUMNS", 50)
    source = str(_wide(tmp_path / "wide.csv", 60))
    with pytest.raises(StudioError) as caught:
        inspect(DatasetParams(source=source))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("reading.columns_many", "input")
    assert "--input" in problem.text() and "--output" in problem.text()
    named: dict[str, Any] = {"source": source, "input": "text", "output": "label", "keep_columns": ["origin"]}
    found = inspect(DatasetParams.model_validate(named))
    assert [column.name for column in found.reading.columns] == ["text", "label", "origin"]
    assert "reading.columns_passed" in [problem.code for problem in found.problems]
    data, facts, _ = build(tmp_path, **named)
    assert facts["labels"] == ["a", "b"]
    assert next(iter(data.rows("train"))).fields == {"origin": "web"}


def test_a_header_as_long_as_a_sample(tmp_path: Path) -> None:
    path = _wide(tmp_path / "wide.csv", 15_000, rows=12)
    header, _, rows = path.read_text("utf-8").partition("\n")
    path.write_text(f"{header.replace('number ', 'number of what was measured in the laboratory at place ')}\n{rows}")
    assert len(header) < 1 << 20 < path.stat().st_size
    found = inspect(DatasetParams(source=str(path), input="text", output="label"))
    assert found.reading.rows == 12 and found.reading.source.header_line == 1
