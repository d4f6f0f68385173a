"""The order in which people see a teacher's answers, and which answers are a teacher's."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.gates.report import Doubt
from backend.data.review_order import ReviewQueue, human_answers
from tests.helpers import dataset_view, view

NOTHING_ELSE: dict[str, ArtifactView] = {}


def made(folder: Path, *rows: Row, labels: list[str] | None = None, parents: list[str] | None = None) -> ArtifactView:
    folder.mkdir()
    write_template(folder, Template(answer="label" if labels else "text", labels=labels or []))
    write_split(folder, "train", rows)
    found = dataset_view(folder, folder.name)
    return found.model_copy(update={"facts": {**found.facts, "teacher": "t"}, "parents": parents or []})


def order(found: ArtifactView) -> list[str]:
    return [place.row for place in ReviewQueue(found, NOTHING_ELSE.__getitem__).positions]


def test_doubt_comes_first_then_disagreement_then_rare_labels(tmp_path: Path) -> None:
    rows = [
        Row(id="often", input="x", output="a"),
        Row(id="often2", input="x", output="a"),
        Row(id="rare", input="x", output="b"),
        Row(id="wrong", input="x", output="a", gold="b"),
        Row(id="agrees", input="x", output="a", gold=" a "),
        Row(id="sure", input="x", output="a", confidence=0.9),
        Row(id="unsure", input="x", output="a", confidence=0.3),
        Row(id="unsure-wrong", input="x", output="a", gold="b", confidence=0.3),
    ]
    found = made(tmp_path / "d", *rows, labels=["a", "b"])
    expected = ["unsure-wrong", "unsure", "sure", "wrong", "rare", "often", "often2", "agrees"]
    assert order(found) == expected == order(found)
    assert ReviewQueue(found, NOTHING_ELSE.__getitem__).doubtful
    plain = made(tmp_path / "plain", *rows[:3], labels=["a", "b"])
    assert not ReviewQueue(plain, NOTHING_ELSE.__getitem__).doubtful


def test_rows_are_read_from_their_places(tmp_path: Path) -> None:
    rows = [Row(id=f"ñ{n}", input="日本 " * n, output=f"é{n}", confidence=1 - n / 9) for n in range(6)]
    review_queue = ReviewQueue(made(tmp_path / "d", *rows), NOTHING_ELSE.__getitem__)
    assert list(review_queue.rows(review_queue.positions)) == rows[::-1]
    assert list(review_queue.rows([review_queue.positions[2]])) == [rows[3]]
    (tmp_path / "d" / "train.jsonl").unlink()
    with pytest.raises(StudioError) as error:
        list(review_queue.rows(review_queue.positions))
    assert error.value.code == "core.artifact_damaged"


def test_what_people_labelled_is_no_teachers_answer(tmp_path: Path) -> None:
    own = Row(id="r1", input="x", output="person")
    folder = tmp_path / "source"
    folder.mkdir()
    write_template(folder, Template())
    write_split(folder, "train", [own, Row(id="r2", input="x", output="person")])
    source = dataset_view(folder, "source")
    model = view(tmp_path, Kind.MODEL, "model")
    teachers = [
        own,
        Row(id="r2", input="x", output="another"),
        Row(id="r1b", input="x", output="person"),
        Row(id="p1", input="x", output="person", gold="person"),
    ]
    answered = made(tmp_path / "answered", *teachers, parents=["source", "model"])
    again = made(tmp_path / "again", *teachers, parents=["answered"])
    known = {"source": source, "model": model, "answered": answered}
    assert len(human_answers(again, known.__getitem__)) == 2
    for each in (answered, again):
        assert [place.row for place in ReviewQueue(each, known.__getitem__).positions] == ["r2", "r1b", "p1"]


def test_a_row_that_is_there_twice_is_seen_once(tmp_path: Path) -> None:
    found = made(tmp_path / "d", Row(id="a", input="1", output="x"), Row(id="a", input="2", output="y"))
    review_queue = ReviewQueue(found, NOTHING_ELSE.__getitem__)
    assert [row.input for row in review_queue.rows(review_queue.positions)] == ["1"]


def test_a_dataset_without_a_teacher_is_refused(tmp_path: Path) -> None:
    found = made(tmp_path / "d", Row(id="a", input="1", output="x"))
    with pytest.raises(StudioError) as error:
        ReviewQueue(found.model_copy(update={"facts": {}}), NOTHING_ELSE.__getitem__)
    assert error.value.code == "review.no_teacher"


def test_doubts_come_in_their_order_from_every_split(tmp_path: Path) -> None:
    found = made(tmp_path / "d", *[Row(id=f"t{n}", input="é" * n, output="a") for n in range(4)])
    write_split(tmp_path / "d", "validation", [Row(id="v", input="von", output="b"), Row(id="none", input="x")])
    found = found.model_copy(update={"facts": {}})
    doubts = [Doubt("t3", "train", "a → b"), Doubt("v", "validation", ""), Doubt("t1", "train", "")]
    doubts += [Doubt("gone", "train", ""), Doubt("none", "validation", "")]
    review_queue = ReviewQueue(found, NOTHING_ELSE.__getitem__, doubts)
    assert [place.row for place in review_queue.positions] == ["t3", "v", "t1"]
    assert [row.input for row in review_queue.rows(review_queue.positions)] == ["ééé", "von", "é"]
    assert review_queue.positions[0].why == "a → b" and review_queue.doubtful
    with pytest.raises(StudioError):
        ReviewQueue(found, NOTHING_ELSE.__getitem__, [Doubt("x", "test", "")])
