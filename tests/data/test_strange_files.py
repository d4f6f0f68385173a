"""Odd files are read right, or stop with a sentence that says what is odd: never silently wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.dataset import Row
from backend.data.params import DatasetParams
from backend.data.prepare import PreparedDataset, prepare
from tests.data.strange_records import records
from tests.data.strange_tables import Strange, tables

SPLITS = ("train", "validation", "test", "pool")
CASES = [*tables(), *records()]


@pytest.mark.parametrize("case", [case for case in CASES if not case.stops], ids=lambda case: case.name)
def test_an_odd_file_is_read_right(case: Strange, tmp_path: Path) -> None:
    found = prepare(_params(case, tmp_path), 0, tmp_path)
    read = _read(found)
    for wanted, answer in case.rows:
        answers = [said for prompt, said in read if all(part in prompt for part in wanted)]
        assert answer in answers, (wanted, answers)
    if case.labels is not None:
        assert set(found.template.labels) == case.labels
    assert len(read) == (case.count or len(read))
    assert not [pair for pair in read for never in case.never if never in f"{pair[0]}{pair[1]}"]
    said = " ".join(problem.text() for problem in found.warnings)
    assert not case.says or any(word in said for word in case.says), said


@pytest.mark.parametrize("case", [case for case in CASES if case.stops], ids=lambda case: case.name)
def test_an_odd_file_stops_with_its_reason(case: Strange, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        prepare(_params(case, tmp_path), 0, tmp_path)
    assert any(word in problem.text() for problem in caught.value.problems for word in case.stops), caught.value.text()


def _params(case: Strange, folder: Path) -> DatasetParams:
    file = folder / case.name
    file.write_bytes(case.content)
    return DatasetParams(source=str(file), **case.params)


def _read(found: PreparedDataset) -> list[tuple[str, str | None]]:
    rows = [Row.model_validate(row) for split in SPLITS for row in found.rows(split)]
    return [("\n".join(turn["content"] or "" for turn in found.template.prompt(row)), row.output) for row in rows]
