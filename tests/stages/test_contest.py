"""Best-of: a judge chooses among the answers of several teachers or samples."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.generation.voting import Sample, best_group, group_by_answer
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, check, quote, run
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld, made

JUDGED = "Score an answer by this rubric."


@pytest.fixture
def judged(server: FakeEndpoint, job: MemoryContext) -> MemoryContext:
    """Samples differ by their seeds, the judge likes green only."""
    server.counts = True

    def answer(body: dict[str, Any]) -> str:
        said = body["messages"][-1]["content"]
        if said.startswith(JUDGED):
            return "5" if said.rpartition("Answer:\n")[2].startswith("green") else "2"
        return ("red", "green", "red")[body["seed"] % 3]

    server.answer = answer  # type: ignore[method-assign]
    job.order.endpoints["critic"] = SavedEndpoint(
        name="critic", url=server.url, model="critic", input_price=1000.0, output_price=0.0
    )
    return job


def params(server: FakeEndpoint, **change: Any) -> TeacherParams:
    how = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "retries": 0, "timeout": 2}
    best_of = {"combine": "best_of_n", "judge_endpoint": "critic", "samples": 3, "temperature": 0.5}
    return TeacherParams(**{**how, **best_of, "include_labelled": False, **change})


def test_the_highest_score_wins_and_all_scores_stay_with_the_row(server: FakeEndpoint, judged: MemoryContext) -> None:
    result = run(params(server), judged)
    data, manifest = made(judged)
    rows = list(data.rows("train"))
    assert {(row.output, row.confidence) for row in rows} == {("green", 1.0)} and len(rows) == 12
    assert {(one.answer, one.score, one.teacher) for row in rows for one in row.scores} == {
        ("red", 2, "big"),
        ("green", 5, "big"),
    }
    assert result.metrics["judged"] == 24 and result.metrics["score"] == 5.0 and result.metrics["unreadable"] == 0
    assert manifest["facts"]["judge"] == "critic" and result.metrics["agreement"] == pytest.approx(4 / 12)
    asked = len(server.asked)
    assert asked == 36 + 24 and result.metrics["spent_usd"] > 0
    run(params(server), judged)
    assert len(server.asked) == asked


def test_the_most_frequent_answer_would_have_won_the_vote(server: FakeEndpoint, judged: MemoryContext) -> None:
    run(params(server, combine="vote", judge_endpoint=""), judged)
    assert {(row.output, len(row.scores)) for row in made(judged)[0].rows("train")} == {("red", 0)}


def test_a_low_best_score_is_not_sure_enough(server: FakeEndpoint, judged: MemoryContext) -> None:
    server.answer = lambda body: "2" if body["messages"][-1]["content"].startswith(JUDGED) else "red"
    with pytest.raises(StudioError) as caught:
        run(params(server, min_confidence=0.5), judged)
    assert caught.value.code == "synth.all_unsure"


def test_the_budget_holds_for_the_judge_too(server: FakeEndpoint, judged: MemoryContext) -> None:
    with pytest.raises(StudioError) as caught:
        run(params(server, budget=1.0, concurrency=1), judged)
    assert caught.value.code == "endpoints.budget_reached"
    assert 0 < sum(body["messages"][-1]["content"].startswith(JUDGED) for body in server.asked) < 24


def test_a_judge_of_no_use_says_so(server: FakeEndpoint, judged: MemoryContext) -> None:
    server.answer = lambda body: "red"
    with pytest.raises(StudioError) as caught:
        run(params(server), judged)
    assert caught.value.code == "answers.judge_useless"


def test_of_equal_scores_the_more_frequent_answer_wins() -> None:
    groups = group_by_answer(
        [Sample("a"), Sample("b"), Sample("B"), Sample("x", reject_reason="no_label")], ignore_case=True
    )
    assert [[sample.answer for sample in group] for group in groups] == [["a"], ["b", "B"]]
    assert best_group(groups, [4, 4]) == 1 and best_group(groups, [5, 4]) == 0
    assert best_group(groups, [None, 1]) == 1 and best_group(groups, [None, None]) is None
    assert best_group(groups[:1] * 2, [3, 3]) == 0


def test_what_can_never_work_is_said_before_and_the_judge_is_quoted() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 100}, prompt_chars=80, answer_chars=10)
    world.save("critic", input_price=1.0, output_price=1.0)
    outside = {"data": "d", "endpoint_url": "http://h/v1", "endpoint_model": "x"}
    alone = TeacherParams(**outside, combine="best_of_n")
    assert {problem.code for problem in check(alone, world)} >= {"answers.one_judge", "answers.one_answer"}
    several = {**outside, "samples": 2, "temperature": 0.5}
    judged = TeacherParams(**several, combine="best_of_n", judge_endpoint="critic")
    assert not [problem for problem in check(judged, world) if problem.blocking]
    plain, whole = quote(TeacherParams(**several), world), quote(judged, world)
    assert plain.money == 0 < whole.money and whole.tokens > 2 * plain.tokens and whole.seconds > plain.seconds
    unpriced = FakeWorld().add("d", Kind.DATASET, rows={"pool": 100}).save("critic")
    found = check(judged.model_copy(update={"budget": 1.0}), unpriced)
    assert "endpoints.budget_no_price" in {problem.code for problem in found}
