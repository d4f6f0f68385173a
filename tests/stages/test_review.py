"""The review stage: what people accepted or wrote stays, what they rejected goes, and the parameters hold what was frozen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Problem, StudioError
from backend.core.schemas import Kind
from backend.data.dataset import DataFolder, Row, write_split
from backend.data.decisions import Decision, decision_lines
from backend.data.gates.base import Found, FoundRow
from backend.data.gates.check import Checking, Settings
from backend.data.gates.model import Finding, ScoreCard
from backend.data.gates.report import REPORT, write_report
from backend.data.review_order import ReviewQueue
from backend.jobs.context import MemoryContext
from backend.planning import recipes
from backend.stages import curate, judge, teacher
from backend.stages.review import STAGE, ReviewParams, check, quote, run
from tests.helpers import dataset_view, tiny_dataset, view
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld
from tests.studio.builder import StudioBuilder

SAID = [
    Decision(row="p0", decision="accept"),
    Decision(row="p1", decision="accept", output="blue"),
    Decision(row="p2", decision="reject"),
]


@pytest.fixture
def job(tmp_path: Path) -> MemoryContext:
    """`d1` holds what people labelled (0 to 29), `answers` adds four answers of a teacher."""
    source = dataset_view(tiny_dataset(tmp_path / "data"), "d1")
    folder = tiny_dataset(tmp_path / "answers")
    people = list(DataFolder(folder).rows("train"))
    teachers = [
        Row(
            id=f"p{n}",
            input=f"thing {n}",
            output="red",
            confidence=0.5,
            rationale="steps",
            gold="green" if n == 0 else None,
        )
        for n in range(4)
    ]
    write_split(folder, "train", [*people, *teachers])
    (folder / "NOTICE").write_text("by somebody", "utf-8")
    answers = dataset_view(folder, "answers")
    facts = {**answers.facts, "teacher": "big", "answered": 4}
    return MemoryContext(tmp_path / "job", [source, answers.model_copy(update={"facts": facts, "parents": ["d1"]})])


def decided(tmp_path: Path, said: list[Decision] = SAID) -> str:
    file = tmp_path / "decisions.jsonl"
    file.write_text(decision_lines(said), "utf-8")
    return str(file)


def made(job: MemoryContext) -> tuple[DataFolder, dict[str, Any]]:
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    return DataFolder(Path(sealed["path"])), sealed["manifest"]


def test_people_win_over_the_teacher(job: MemoryContext, tmp_path: Path) -> None:
    result = run(ReviewParams(data="answers", decisions=decided(tmp_path)), job)
    data, manifest = made(job)
    rows = {row.id: row for row in data.rows("train")}
    assert len(rows) == 30 + 3 and "p2" not in rows
    assert rows["0"] == next(DataFolder(tmp_path / "answers").rows("train"))
    assert (rows["p0"].output, rows["p0"].gold, rows["p0"].confidence, rows["p0"].rationale) == (
        "red",
        "red",
        0.5,
        "steps",
    )
    assert rows["p1"] == Row(id="p1", input="thing 1", output="blue", gold="blue")
    assert rows["p3"].output == "red" and rows["p3"].gold is None
    assert data.count("validation") == 15 and data.count("test") == 15 and data.count("pool") == 12
    assert (data.path / "NOTICE").read_text("utf-8") == "by somebody"
    assert (data.path / "decisions.jsonl").read_text("utf-8") == decision_lines(SAID)
    counts = {"accepted": 1, "edited": 1, "rejected": 1, "unreviewed": 1}
    assert {name: result.metrics[name] for name in counts} == counts
    assert result.metrics["rows"] == 33 and result.metrics["agreement"] == pytest.approx(1 / 3)
    facts = manifest["facts"]
    assert facts["review"].items() >= counts.items() and facts["review"]["agreement_high"] > 0.7
    assert facts["teacher"] == "big" and facts["rows"]["train"] == 33 and manifest["parents"] == ["answers"]


def test_what_nobody_reviewed_can_go_and_labelled_rows_stay(job: MemoryContext, tmp_path: Path) -> None:
    run(ReviewParams(data="answers", decisions=decided(tmp_path), unreviewed="drop"), job)
    assert [row.id for row in made(job)[0].rows("train")][30:] == ["p0", "p1"]


def test_decisions_of_another_dataset_are_refused_and_stray_ones_told(job: MemoryContext, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as error:
        run(ReviewParams(data="answers", decisions=decided(tmp_path, [Decision(row="x", decision="reject")])), job)
    assert error.value.code == "review.other_rows"
    run(ReviewParams(data="answers", decisions=decided(tmp_path, [*SAID, Decision(row="0", decision="reject")])), job)
    assert "0" in [row.id for row in made(job)[0].rows("train")]
    assert any("1 of 4 decisions" in event.get("text", "") for event in job.events)


def test_nothing_left_is_said(job: MemoryContext, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    write_split(folder, "train", [Row(id="p2", input="x", output="red", confidence=0.1)])
    with pytest.raises(StudioError) as error:
        run(ReviewParams(data="answers", decisions=decided(tmp_path)), job)
    assert error.value.code == "review.nothing_left"
    assert not [event for event in job.events if event["event"] == "artifact"]


def reviewed(job: MemoryContext, tmp_path: Path) -> str:
    """The reviewed dataset, as an input of the next stage."""
    run(ReviewParams(data="answers", decisions=decided(tmp_path)), job)
    data, manifest = made(job)
    folder = shutil.copytree(data.path, tmp_path / "reviewed")
    found = view(folder, Kind.DATASET, "reviewed", manifest["parents"], **manifest["facts"])
    job.order.inputs[found.id] = found
    return found.id


def test_what_people_decided_wins_over_the_filters_that_follow(job: MemoryContext, tmp_path: Path) -> None:
    """`p1` says "blue" now, as the pattern forbids; `p0` is as unsure as `p3`, which nobody reviewed."""
    rules = {"min_confidence": 0.9, "must_match": "red|green", "drop_disagreeing": True}
    curate.run(curate.CurateParams(data=reviewed(job, tmp_path), **rules), job)
    data, manifest = made(job)
    rows = {row.id: row for row in data.rows("train") if row.id.startswith("p")}
    assert rows.keys() == {"p0", "p1"} and rows["p1"].output == "blue" and rows["p0"].confidence == 0.5
    assert manifest["facts"]["curated"] == {"pattern": 10, "unsure": 1}
    assert (data.path / "decisions.jsonl").read_text("utf-8") == decision_lines(SAID)


def test_a_judge_is_asked_only_about_answers_that_no_person_gave_or_saw(job: MemoryContext, tmp_path: Path) -> None:
    data = DataFolder(job.input(reviewed(job, tmp_path)).path)
    before = [*data.rows("train"), Row(id="p9", input="thing 9", output=" ")]
    write_split(data.path, "train", before)
    with FakeEndpoint().running() as server:
        server.answer = lambda body: "1"
        outside = {"endpoint_url": server.url, "endpoint_model": "judge"}
        result = judge.run(judge.JudgeParams(data="reviewed", **outside), job)
        assert len(server.asked) == 1 and "thing 3" in server.asked[0]["messages"][0]["content"]
    after, manifest = made(job)
    assert list(after.rows("train")) == [row for row in before if row.id not in ("p3", "p9")]
    assert manifest["facts"]["curated"] == {"low_score": 1, "no_answer": 1} and result.metrics["score"] == 1
    assert result.metrics["rows"] == 34 and result.metrics["kept"] == 32 and result.metrics["unreadable"] == 0
    assert (after.path / "decisions.jsonl").is_file()


def test_a_judge_with_nothing_left_to_judge_changes_nothing(job: MemoryContext, tmp_path: Path) -> None:
    data = DataFolder(job.input(reviewed(job, tmp_path)).path)
    before = [row for row in data.rows("train") if row.id != "p3"]
    write_split(data.path, "train", before)
    with FakeEndpoint().running() as server:
        outside = {"endpoint_url": server.url, "endpoint_model": "judge"}
        result = judge.run(judge.JudgeParams(data="reviewed", **outside), job)
        assert not server.asked
    after, manifest = made(job)
    assert list(after.rows("train")) == before and manifest["facts"]["curated"] == {}
    assert result.metrics["kept"] == 32 and "score" not in result.metrics and "score" not in manifest["facts"]


def test_another_teacher_keeps_the_decisions_with_the_rows_that_they_are_about(
    job: MemoryContext, tmp_path: Path
) -> None:
    data = reviewed(job, tmp_path)
    with FakeEndpoint().running() as server:
        asked = {"data": data, "endpoint_url": server.url, "endpoint_model": "next", "keep_labels_only": False}
        for more, there in (({}, True), ({"splits": ["train"]}, False), ({"include_labelled": False}, False)):
            teacher.run(teacher.TeacherParams(**asked, **more), job)
            assert (made(job)[0].path / "decisions.jsonl").is_file() == there


def test_of_a_teachers_dataset_people_see_the_teachers_rows_only(tmp_path: Path) -> None:
    source = dataset_view(tiny_dataset(tmp_path / "data"))
    teaching = MemoryContext(tmp_path / "teaching", [source])
    with FakeEndpoint().running() as server:
        asked = {"data": source.id, "endpoint_url": server.url, "endpoint_model": "big", "keep_labels_only": False}
        teacher.run(teacher.TeacherParams(**asked), teaching)
    data, manifest = made(teaching)
    answers = dataset_view(data.path, "answers")
    answers = answers.model_copy(update={"facts": manifest["facts"], "parents": manifest["parents"]})
    review_queue = ReviewQueue(answers, {source.id: source}.__getitem__)
    assert data.count("train") == 42 and {place.row for place in review_queue.positions} == {f"p{n}" for n in range(12)}


def test_problems_are_said_beforehand(tmp_path: Path) -> None:
    world = FakeWorld().add("pending", Kind.DATASET, rows={"train": 5})
    world.known["plain"] = dataset_described(tmp_path)
    assert [p.code for p in check(ReviewParams(data="none"), world)] == ["core.artifact_unknown"]
    assert [p.code for p in check(ReviewParams(data="plain"), world)] == ["review.no_teacher"]
    assert [p.code for p in check(ReviewParams(data="pending"), world)] == ["review.pending"]
    gone = ReviewParams(data="pending", decisions=str(tmp_path / "gone"))
    assert [p.code for p in check(gone, world)] == ["review.file_missing"]
    assert check(ReviewParams(data="pending", decisions=decided(tmp_path)), world) == []
    assert quote(gone, world).forecast == {"rows": {"train": 5}}


def dataset_described(tmp_path: Path) -> Any:
    return FakeWorld(dataset_view(tiny_dataset(tmp_path / "plain"))).known["dataset-d1"]


def test_the_decisions_are_those_of_the_start_and_the_recipe_names_them(home: Path) -> None:
    builder = StudioBuilder(home)
    view = builder.answers()
    plan = builder.studio.plan(
        recipes.build({"name": "r", "stages": [{"id": "r", "stage": "review", "params": {"data": view.id}}]})
    )
    with pytest.raises(StudioError) as error:
        builder.studio.start(plan)
    assert error.value.code == "review.none"
    builder.studio.reviews.save(view.id, Decision(row="p0", decision="reject"))
    (job,) = builder.studio.start(plan).jobs
    builder.studio.reviews.save(view.id, Decision(row="p1", decision="reject"))
    file = Path(job.params["decisions"])
    assert [json.loads(line) for line in file.read_text("utf-8").splitlines()] == [{"row": "p0", "decision": "reject"}]
    assert str(file) in builder.studio.recipe_of(job.run_id)
    other = {"data": view.id, "decisions": "mine.jsonl"}
    assert STAGE.freeze and STAGE.freeze(STAGE.parse(other), builder.studio) == STAGE.parse(other)


@pytest.fixture
def doubts(tmp_path: Path) -> MemoryContext:
    """What people labelled, and a check that doubts a row of each split."""
    source = dataset_view(tiny_dataset(tmp_path / "data"), "d1")
    data = DataFolder(source.path)
    found = [FoundRow(split, next(data.rows(split)).id) for split in ("train", "validation", "test")]
    (tmp_path / "report").mkdir()
    card = ScoreCard(verdict="warnings", rows=60)
    problem = Problem(code="gates.wrong_labels", args={"count": 3, "rows": 60}, blocking=False)
    finding = Finding(gate="wrong_labels", severity="warning", problem=problem, count=3)
    write_report(tmp_path / "report", card, [Found(finding, found)])
    facts = {"report": REPORT, "data": source.id}
    return MemoryContext(tmp_path / "job", [source, view(tmp_path / "report", Kind.REPORT, "checks", [], **facts)])


def test_doubted_rows_of_people_are_corrected_and_the_test_only_when_asked(
    doubts: MemoryContext, tmp_path: Path
) -> None:
    source = next(each for each in doubts.order.inputs.values() if each.kind is Kind.DATASET)
    before = {split: list(DataFolder(source.path).rows(split)) for split in ("train", "validation", "test")}
    said = [Decision(row=rows[0].id, decision="accept", output="blue") for rows in before.values()]
    said.append(Decision(row=before["train"][1].id, decision="reject"))  # nobody asked about this one
    params = {"data": source.id, "report": "checks", "decisions": decided(tmp_path, said)}
    result = run(ReviewParams.model_validate(params), doubts)
    data, manifest = made(doubts)
    after = {split: list(data.rows(split)) for split in before}
    for split in ("train", "validation"):
        assert after[split] == [before[split][0].model_copy(update={"output": "blue"}), *before[split][1:]]
    assert after["test"] == before["test"] and result.metrics["edited"] == 2
    assert manifest["facts"]["review"]["report"] == "checks" and manifest["parents"] == [source.id]
    run(ReviewParams.model_validate(params | {"test": True, "unreviewed": "drop"}), doubts)
    assert next(made(doubts)[0].rows("test")).output == "blue" and len(list(made(doubts)[0].rows("train"))) == 30
    assert any("can't be compared" in event.get("text", "") for event in doubts.events)


def test_what_nobody_reviewed_of_a_report_can_go(doubts: MemoryContext, tmp_path: Path) -> None:
    source = next(each for each in doubts.order.inputs.values() if each.kind is Kind.DATASET)
    first = next(DataFolder(source.path).rows("train"))
    params = {"data": source.id, "report": "checks", "unreviewed": "drop"}
    params["decisions"] = decided(tmp_path, [Decision(row=first.id, decision="accept")])
    run(ReviewParams.model_validate(params), doubts)
    data = made(doubts)[0]
    assert next(data.rows("train")) == first and data.count("train") == 30 and data.count("validation") == 14
    confirmed = Checking(data.path, Settings()).options.confirmed
    assert confirmed == {first.id}


def test_a_report_of_another_dataset_is_refused(doubts: MemoryContext, tmp_path: Path) -> None:
    checks = doubts.order.inputs["checks"]
    doubts.order.inputs["checks"] = checks.model_copy(update={"facts": {"report": REPORT, "data": "other"}})
    source = next(each for each in doubts.order.inputs.values() if each.kind is Kind.DATASET)
    with pytest.raises(StudioError) as error:
        run(ReviewParams(data=source.id, report="checks", decisions=decided(tmp_path)), doubts)
    assert error.value.code == "review.report_other"
