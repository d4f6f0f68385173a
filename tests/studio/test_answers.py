"""What the pages say of answers: the judge of the best one, replies that were cut off, the way to the review."""

from __future__ import annotations

import pytest

from backend.core.schemas import Kind, State
from backend.generation.judge import RUBRIC
from studio.ui.shared.i18n import translator
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words
from tests.studio.test_teacher import PASSED, audition, key


def test_a_judge_is_asked_for_where_the_best_answer_is_taken(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    builder.model()
    at = show("teacher")
    judge = key(builder, "judge")
    assert judge not in [widget.key for widget in at.selectbox]
    at.pills(key=key(builder, "combine")).set_value("best_of_n").run()
    assert at.selectbox(key=judge).value == "" and at.text_area(key=key(builder, "rubric")).value == RUBRIC
    assert at.number_input(key=key(builder, "budget")).value == 0
    said = words(at)
    assert "needs exactly one judge" in said and "nothing to choose from" in said


@pytest.mark.parametrize("stage", ["judge", "teacher"])
def test_the_rubric_is_proposed_in_the_users_language_and_sent_so(
    show: Show, builder: StudioBuilder, stage: str
) -> None:
    builder.answers()
    model = builder.model()
    spanish = translator("es")(RUBRIC)
    assert spanish != RUBRIC
    builder.studio.save_draft(builder.store.project(), "teacher", {"combine": "best_of_n"})
    at = show("teacher", "es", step=stage)
    assert at.text_area(key=key(builder, "rubric", stage)).value == spanish
    if stage == "judge":
        at.button(key="start_judge").click().run()
        (run,) = builder.store.runs()
        assert run.jobs[0].params["rubric"] == spanish and run.jobs[0].params["model"] == model.id


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "25.0% of replies were cut off"), ("es", "Se cortó el 25,0\u00a0% de las respuestas")],
)
def test_replies_that_were_cut_off_are_told_with_what_to_do(
    show: Show, builder: StudioBuilder, language: str, said: str
) -> None:
    run = builder.run("r", ("evaluate", State.SUCCEEDED), result={"artifact": "x", "metrics": {"cut_off": 0.25}})
    data = builder.dataset()
    builder.evaluation(builder.model(), data, 0.8, cut_off=0.25)
    audition(builder, data, {"name": "deep", "endpoint": "deep", "usd_per_1000": 0.1, "cut_off": 0.25, **PASSED})
    for page, query in (("run", {"run": run}), ("compare", {}), ("teacher", {"step": "audition"})):
        text = words(show(page, language, **query)).replace("\xa0", " ")
        assert said in text, page


def test_from_a_teachers_answers_a_link_leads_to_their_review(show: Show, builder: StudioBuilder) -> None:
    made = builder.answers()
    builder.run("r", ("teacher", State.SUCCEEDED), result={"artifact": made.id, "metrics": {}})
    links = [each.proto for each in show("teacher").get("page_link")]
    assert [f"review={made.id}" in link.query_string for link in links if "review" in link.page] == [True]
    assert made.kind is Kind.DATASET
