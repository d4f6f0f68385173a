"""An import whose rows are read otherwise than the sample showed stops and says how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data import inspect_source
from backend.data.inspect_source import inspect
from backend.data.params import DatasetParams
from backend.data.reading.promise import broken_promise
from backend.data.sampling import lines
from backend.stages import dataset
from tests.stages.test_dataset import build


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_source, "WHOLE_BYTES", 60_000)
    monkeypatch.setattr(dataset, "WHOLE_BYTES", 60_000)
    monkeypatch.setattr(lines, "HEAD_BYTES", 4_000)
    monkeypatch.setattr(lines, "SAMPLE_BYTES", 24_000)
    monkeypatch.setattr(lines, "PLACES", 20)


def _source(path: Path, late: str) -> Path:
    """A file whose answers are two labels, but for one `late` answer that no sample of so few places shows."""
    answers = [f"label {number % 2}" for number in range(4000)]
    answers[2322] = late
    rows = "".join(f"question number {number:05},{answer}\n" for number, answer in enumerate(answers))
    path.write_text(f"text,label\n{rows}", "utf-8")
    return path


def test_as_the_sample_showed_it(tmp_path: Path) -> None:
    source = _source(tmp_path / "large.csv", "label 0")
    assert inspect(DatasetParams(source=str(source))).reading.sampled
    _, facts, _ = build(tmp_path, source=source)
    assert facts["labels"] == ["label 0", "label 1"]


def test_another_kind_of_answer_than_the_sample_showed(tmp_path: Path) -> None:
    source = _source(tmp_path / "large.csv", "an answer that is written out and no label at all as anybody sees")
    seen = inspect(DatasetParams(source=str(source))).reading
    assert seen.sampled and (seen.answer, seen.labels) == ("label", ["label 0", "label 1"])
    with pytest.raises(StudioError) as caught:
        build(tmp_path, source=source)
    (problem,) = caught.value.problems
    assert problem.code == "reading.sample_differs"
    assert problem.args["sample"] == "--schema text_label --input text --output label --answer label"
    assert problem.args["whole"] == "--schema input_output --input text --output label --answer text"
    named: dict[str, Any] = {"data_schema": "input_output", "input": "text", "output": "label", "answer": "text"}
    _, facts, _ = build(tmp_path / "named", source=source, **named)
    assert facts["answer"] == "text" and facts["rows"]["train"] > 3000


def test_what_notes_say_breaks_no_promise(tmp_path: Path) -> None:
    read = inspect(DatasetParams(source=str(_source(tmp_path / "large.csv", "label 0")))).reading
    assert read.taken is not None
    grouped = read.taken.roles.model_copy(update={"group": "text"})
    other = read.model_copy(update={"taken": read.taken.model_copy(update={"roles": grouped})})
    assert broken_promise(read, other, read.answer) is None
    assert broken_promise(read, other, "text") is not None
