"""Columns are found by their names, else by what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.columns import ColumnMapping, map_columns
from backend.data.reader import open_source
from tests.data.bad_files import json_lines


def source(folder: Path, rows: list[dict[str, Any]]) -> Any:
    path = folder / "rows.jsonl"
    path.write_text(json_lines(rows), encoding="utf-8")
    return open_source(path)


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (["id", "text", "label"], ("text", "label", "")),
        (["intent", "utterance"], ("utterance", "intent", "")),
        (["Pregunta", "Respuesta"], ("Pregunta", "Respuesta", "")),
        (["mensaje", "etiqueta", "fecha"], ("mensaje", "etiqueta", "")),
        (["question_text", "best_answer"], ("question_text", "best_answer", "")),
        (["instruction", "input", "output"], ("instruction", "output", "input")),
        (["id", "category", "Q", "A"], ("Q", "A", "")),
        (["prompt", "completion"], ("prompt", "completion", "")),
    ],
)
def test_columns_are_found_by_name(columns: list[str], found: tuple[str, str, str], tmp_path: Path) -> None:
    rows = [{name: f"{name} value {n}" for name in columns} for n in range(6)]
    mapping = map_columns(source(tmp_path, rows), ColumnMapping())
    assert (mapping.input, mapping.output, mapping.details) == found


def test_columns_are_found_by_content(tmp_path: Path) -> None:
    rows = [{"nr": str(n), "a": f"a longer sentence {n}", "b": "xy"[n % 2]} for n in range(30)]
    mapping = map_columns(source(tmp_path, rows), ColumnMapping())
    assert (mapping.input, mapping.output) == ("a", "b")


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        map_columns(source(tmp_path, [{"text": "a", "label": "b"}]), ColumnMapping(input="q", output="a", group="g"))
    assert [problem.field for problem in caught.value.problems] == ["input", "output", "group"]
