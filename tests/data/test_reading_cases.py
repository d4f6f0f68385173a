"""Files of public shapes are read right with nothing but the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.data.dataset import Row
from backend.data.params import DatasetParams
from backend.data.prepare import prepare
from tests.data.reading_cases import ReadingCase, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_file_of_a_public_shape(case: ReadingCase, tmp_path: Path) -> None:
    file = tmp_path / case.name
    file.write_bytes(case.content)
    found = prepare(DatasetParams(source=str(file)), 0, tmp_path)
    rows = [Row.model_validate(row) for split in ("train", "validation", "test") for row in found.rows(split)]
    read = [("\n".join(turn["content"] or "" for turn in found.template.prompt(row)), row.output) for row in rows]
    assert set(found.template.labels) == case.labels
    for wanted in case.rows:
        answers = [answer for prompt, answer in read if all(text in prompt for text in wanted.prompt)]
        assert wanted.answer in answers, wanted
    assert not [text for pair in read for text in pair for never in case.never if never in (text or "")]
