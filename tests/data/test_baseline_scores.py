"""The quick baseline beside a model: the same rows, the same metrics, and whether the model beats it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.progress import Progress
from backend.data import baseline_scores as module
from backend.data.baseline_scores import BaselineScores, baseline_scores_of, stored_baseline
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext

ASKED = {"repair": "my {} is broken", "order": "I want another {}", "ask": "where is the {}"}
THINGS = [f"{colour} {thing}" for colour in ("red", "blue", "old") for thing in ("kettle", "radio", "lamp", "sofa")]


def rows_of(things: list[str]) -> list[Row]:
    return [
        Row(id=f"{label} {thing}", input=ASKED[label].format(thing), output=label)
        for thing in things
        for label in ASKED
    ]


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    write_template(tmp_path, Template(answer="label", labels=["ask", "order", "repair"]))
    write_split(tmp_path, "train", rows_of(THINGS[:8]))
    write_split(tmp_path, "test", rows_of(THINGS[8:]))
    return DataFolder(tmp_path)


def beside(data: DataFolder, given: list[str], split: str = "test") -> BaselineScores:
    rows = list(data.rows("test"))
    progress = Progress(MemoryContext(data.path / "job", []), len(rows), "measuring")
    return baseline_scores_of(data, split, rows, ([row.output or "" for row in rows], given), progress)


def test_every_quality_is_measured_of_every_method(data: DataFolder) -> None:
    found = beside(data, ["ask"] * 12)
    assert found.scores.keys() == {"majority", "classifier", "nearest"} and found.train == found.known == 24
    assert found.figures["accuracy"] == found.figures["macro_f1"] == 1 and found.figures["n"] == 12
    assert found.scores["majority"]["accuracy"] == pytest.approx(1 / 3)
    assert found.beaten is False and found.comparison.code == "baseline.not_beaten"
    assert "Accuracy 33.3%: no better than" in found.comparison.sentence() and "100.0%" in found.comparison.sentence()
    assert stored_baseline({"baseline": found.model_dump(mode="json")}) == found
    assert stored_baseline({}) is stored_baseline({"baseline": {"other": 1}}) is None


def test_a_model_as_good_as_the_baseline_does_not_beat_it(data: DataFolder) -> None:
    assert beside(data, [row.output or "" for row in data.rows("test")]).beaten is False


def test_a_difference_that_may_be_chance_is_said(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    right = [row.output or "" for row in data.rows("test")]
    for wrong, code in ((1, "baseline.by_chance"), (8, "baseline.beaten")):
        replies = {
            method: ["ask" if n < wrong * 1.5 else text for n, text in enumerate(right)] for method in module.WORDS
        }
        monkeypatch.setattr(module, "answers_by_method", lambda *_a, said=replies: said)
        found = beside(data, right)
        assert found.beaten and found.comparison.code == code, found.comparison


def test_free_text_is_compared_by_its_words(tmp_path: Path) -> None:
    write_template(tmp_path, Template())
    write_split(
        tmp_path, "train", [Row(id=thing, input=f"where is the {thing}", output=f"by the {thing}") for thing in THINGS]
    )
    write_split(
        tmp_path, "test", [Row(id=t, input=f"where stands the {t}", output=f"it is by the {t}") for t in THINGS]
    )
    data = DataFolder(tmp_path)
    found = beside(data, [row.output or "" for row in data.rows("test")])
    assert found.method == "nearest" and found.scores.keys() == {"majority", "nearest"}
    assert 0.5 < found.figures["token_f1"] < 1 and found.comparison.code == "baseline.beaten"
    assert beside(data, ["no"] * len(THINGS)).beaten is False


def test_it_is_left_out_with_a_reason(data: DataFolder) -> None:
    assert beside(data, ["ask"] * 12, "train").comparison.code == "baseline.left_out_trained_on"
    call = {"type": "function", "function": {"name": "find", "arguments": {}}}
    write_split(data.path, "test", [Row(id="1", input="x", output="", tool_calls=[call])])
    assert beside(data, ["x"]).comparison.code == "baseline.left_out_calls"
    write_split(data.path, "test", rows_of(THINGS[8:]))
    write_split(data.path, "train", [Row(id="1", input="x")])
    found = beside(data, ["ask"] * 12)
    assert found.comparison.code == "baseline.left_out_no_train" and found.beaten is None and found.figures == {}


def test_it_learns_from_what_training_learns_and_from_a_part_of_very_many(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a teacher answered, its answer counts: the right one is hidden from training too."""
    write_split(
        data.path, "train", [row.model_copy(update={"output": "ask", "gold": row.output}) for row in rows_of(THINGS)]
    )
    assert beside(data, ["ask"] * 12).figures["accuracy"] == pytest.approx(1 / 3)
    monkeypatch.setattr(module, "MAX_TRAIN", 10)
    found = beside(data, ["ask"] * 12)
    assert (found.train, found.known) == (9, 36)
