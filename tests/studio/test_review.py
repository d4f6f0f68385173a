"""The page Review around its rows: what it says of the teacher, and the reviewed dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.api.reviews import Chosen, ReviewCounts
from backend.core.schemas import State
from backend.data.dataset import Row
from backend.data.decisions import Decision, read_decisions
from backend.db import tables as t
from backend.stages.review import STAGE
from studio.ui.review.component import box_data
from studio.ui.review.page import agreement_words, reviewable
from tests.studio.builder import LABELS, StudioBuilder, doubted
from tests.studio.conftest import Show, words


def decide(builder: StudioBuilder, accepted: int, rejected: int = 0, dataset: str = "dataset-answers") -> None:
    for n in range(accepted + rejected):
        decision = "accept" if n < accepted else "reject"
        builder.studio.reviews.save(dataset, Decision.model_validate({"row": f"p{n}", "decision": decision}))


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "**75.0%** of 4 answers by big"), ("es", "Aceptado el **75,0\u00a0%** de 4")],
)
def test_the_summary_says_how_often_the_teacher_is_right_and_how_sure_that_is(
    show: Show, builder: StudioBuilder, language: str, said: str
) -> None:
    builder.answers()
    before = show("review", language)
    assert not [button for button in before.button if button.key == "start_review"]
    decide(builder, 3, 1)
    after = words(show("review", language)).replace("\\", "")
    assert said in after
    assert ("30.1%" if language == "en" else "30,1\u00a0%") in after
    assert ("Too few to be reliable" if language == "en" else "Demasiado pocas") in after


def test_words_grow_with_the_number_of_rows(builder: StudioBuilder) -> None:
    view = builder.answers()
    counts = ReviewCounts(total=1000, accepted=0, edited=0, rejected=0, doubtful_first=False)

    def said(**found: int | bool) -> str:
        return " ".join(agreement_words(counts.model_copy(update=found), view))

    assert "Review a few rows" in said()
    assert "Too few to be reliable" in said(accepted=20) and "Least certain" not in said(accepted=20)
    assert "Rough estimate. Review about 246" in said(accepted=80, edited=20, doubtful_first=True).replace("\\", "")
    assert "Least certain" in said(accepted=20, doubtful_first=True)
    assert "Reliable: within" in said(accepted=400, rejected=40)
    assert "All 440 answers" in said(accepted=400, rejected=40, total=440)
    assert "Least certain" not in said(accepted=400, rejected=40, total=440)


def test_the_form_starts_the_stage_on_what_was_decided(show: Show, builder: StudioBuilder) -> None:
    view = builder.answers()
    decide(builder, 2, 1)
    at = show("review")
    assert [caption for caption in at.selectbox if caption.label == "Decisions"] == []
    at.button(key="start_review").click().run()
    assert not at.exception
    (run,) = builder.store.runs()
    params = run.jobs[0].params
    assert params["data"] == view.id and params["unreviewed"] == "keep"
    assert len(read_decisions(Path(params["decisions"]))) == 3


def test_the_dataset_of_the_address_is_shown_and_the_choice_stands_in_it(show: Show, builder: StudioBuilder) -> None:
    first, second = builder.answers("first"), builder.answers("second")
    at = show("review", review=first.id)
    assert at.selectbox(key="review_data").value == first.id
    at.selectbox(key="review_data").select(second.id).run()
    assert second.id in at.query_params["review"]
    decide(builder, 1, dataset=second.id)
    at.run()
    assert at.session_state[f"form.{builder.store.project()}.review.data"] == second.id
    at.selectbox(key="review_data").select(first.id).run()
    assert "start_review" not in [button.key for button in at.button]
    assert show("review", review="gone").selectbox(key="review_data").value == second.id


def test_a_job_is_taken_again_with_its_dataset(show: Show, builder: StudioBuilder) -> None:
    first = builder.answers("first")
    builder.answers("second")
    decide(builder, 1, dataset=first.id)
    params = {"data": first.id, "unreviewed": "drop", "decisions": "/somewhere.jsonl"}
    run = builder.run("mine", ("review", State.SUCCEEDED), params=params)
    at = show("review", **{"from": f"{run}-review"})
    assert at.selectbox(key="review_data").value == first.id
    at.button(key="start_review").click().run()
    newest = builder.store.runs()[0].jobs[0].params
    assert newest["unreviewed"] == "drop" and newest["decisions"] != "/somewhere.jsonl"


def test_only_datasets_of_a_teacher_are_offered_and_of_the_project(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    mine = builder.answers("mine")
    builder.answers("other", project="Another")
    reviewed = builder.answers("reviewed")
    with builder.store.session() as session:
        row = session.get_one(t.Artifact, reviewed.id)
        row.facts = {**row.facts, "review": {"accepted": 1}}
    options = show("review").selectbox(key="review_data")
    assert options.value == mine.id and len(options.options) == 2
    assert [view.id for view in reviewable()] == [mine.id, reviewed.id]


@pytest.mark.parametrize(("minutes", "wins"), [(5, "reviewed"), (50, "answered")])
def test_the_newest_answers_are_what_a_student_learns_next(
    show: Show, builder: StudioBuilder, minutes: int, wins: str
) -> None:
    builder.model()
    made = {name: builder.answers(name) for name in ("reviewed", "answered")}
    for stage, name, ago in (("review", "reviewed", minutes), ("teacher", "answered", 20)):
        builder.run(stage, (stage, State.SUCCEEDED), minutes_ago=ago, result={"artifact": made[name].id, "metrics": {}})
    key = f"form.{builder.store.project()}.distill.data"
    at = show("distill")
    at.segmented_control(key="step").set_value("distill").run()
    assert at.session_state[key] == made[wins].id


def test_the_rows_know_labels_words_and_every_problem(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    data = box_data(builder.answers(), Chosen())
    assert data["dataset"] == "dataset-answers" and data["labels"] == LABELS
    assert {"review.row_unknown", "core.artifact_unknown"} <= data["words"]["problems"].keys()
    assert [key for key, _ in data["words"]["keys"]][:3] == ["A", "R", "E"]
    assert box_data(builder.answers("free", [Row(id="t", input="x", output="y")], labels=[]), Chosen())["labels"] == []
    assert STAGE.queue == "light"


def test_rows_that_a_check_doubts_are_reviewed_whoever_answered_them(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    report = doubted(builder, data, (("3", "train"), ("21", "validation"), ("35", "test")))
    at = show("review", review=data.id, report=report.id)
    assert at.selectbox(key="review_data").value == data.id and "how many flags were right" in words(at)
    assert f"review_rows_{data.id}" not in [each.key for each in at.segmented_control]
    chosen = Chosen(report.id)
    for row, decision in (("3", "accept"), ("21", "reject")):
        builder.studio.reviews.save(data.id, Decision.model_validate({"row": row, "decision": decision}), chosen)
    at = show("review", review=data.id)
    assert report.id in at.query_params["report"] and "**50.0%** of 2 reviewed rows" in words(at)
    assert "2 / 2" in [each.value for each in at.metric]
    at.toggle(key=f"review_test_{data.id}").set_value(True).run()
    assert "2 / 3" in [each.value for each in at.metric]
    at.button(key="start_review").click().run()
    assert not at.exception
    params = builder.store.runs()[0].jobs[0].params
    assert (params["data"], params["report"], params["test"]) == (data.id, report.id, True)
    assert set(read_decisions(Path(params["decisions"]))) == {"3", "21"}


def test_a_teachers_dataset_that_was_checked_has_both(show: Show, builder: StudioBuilder) -> None:
    view = builder.answers()
    report = doubted(builder, view, (("p4", "train"),))
    at = show("review", review=view.id)
    switch = at.segmented_control(key=f"review_rows_{view.id}")
    assert switch.value == "teacher" and "0 / 30" in [each.value for each in at.metric]
    switch.set_value("doubts").run()
    assert "0 / 1" in [each.value for each in at.metric] and report.id in at.query_params["report"]
    linked = show("review", "es", review=view.id, report=report.id)
    assert linked.segmented_control(key=f"review_rows_{view.id}").value == "doubts"
    box = box_data(view, Chosen(report.id, True))
    assert (box["report"], box["test"]) == (report.id, True) and box["words"]["answer"] == "Answer"
