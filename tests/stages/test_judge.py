"""The judge stage: scores read from messy replies, rows dropped by them, nothing asked twice."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data import filter_report
from backend.generation.judge import parse_score
from backend.jobs.context import MemoryContext
from backend.stages.judge import STAGE, JudgeParams, check, quote, run
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld, log_of, made


def params(server: FakeEndpoint, **change: Any) -> JudgeParams:
    settings = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "judge", "retries": 0, "timeout": 2}
    return JudgeParams(**{**settings, **change})


def verdict(body: dict[str, Any]) -> str:
    """Blue is bad, green good, red beyond words."""
    answer = body["messages"][0]["content"].rpartition("Answer:\n")[2].split()[0]
    return {"blue": "Score: 2/5", "green": "5", "red": "lovely"}[answer]


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("4", 4),
        ("Score: 3/5", 3),
        ("**5**.", 5),
        ("On a scale of 1 to 5, I'd say 2.", 2),
        ("De 1 a 5: 4", 4),
        ("<think>maybe 1</think> 3 out of 5", 3),
        ("10", None),
        ("4.5", None),
        ("0", None),
        ("good", None),
        ("", None),
    ],
)
def test_a_score_is_found_or_not(reply: str, score: int | None) -> None:
    assert parse_score(reply) == score


def test_low_scores_go_and_the_others_become_confidence(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = verdict
    result = run(params(server), job)
    data, manifest = made(job)
    rows = list(data.rows("train"))
    assert {(row.output, row.confidence) for row in rows} == {("green", 1.0), ("red", None)}
    assert {
        (drop.row.output, drop.row.confidence) for drop in filter_report.dropped_rows(data.path, "low_score", 99)
    } == {("blue", 0.25)}
    assert result.metrics["dropped_low_score"] == result.metrics["unreadable"] == 10 and result.metrics["kept"] == 20
    assert result.metrics["score"] == manifest["facts"]["score"] == 3.5
    assert data.count("test") == 15 and data.count("pool") == 12 and manifest["parents"] == ["dataset-d1"]
    assert "10 of 30 replies of the judge hold no score" in "\n".join(log_of(job))
    report = filter_report.read_report(data.path)
    assert report and report.after.classes == {"red": 10, "green": 10, "blue": 0}


def test_the_judge_reads_rubric_question_and_answer_and_is_asked_once(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = verdict
    run(params(server, rubric="Colours only."), job)
    said = next(
        body["messages"][0]["content"] for body in server.asked if "red item 0" in body["messages"][0]["content"]
    )
    assert "Colours only." in said and "Name the colour." in said and "one of: red, green, blue" in said
    assert server.asked[0]["temperature"] == 0
    assert run(params(server, rubric="Colours only.", min_score=1), job).metrics["cached"] == 30
    assert len(server.asked) == 30 and made(job)[0].count("train") == 30


def test_after_a_fault_only_the_rest_is_asked(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = verdict
    server.script = lambda n: "500" if n >= 7 else "200"
    with pytest.raises(StudioError, match="answers kept: 7"):
        run(params(server, concurrency=1), job)
    server.script = lambda n: "200"
    assert run(params(server, concurrency=1), job).metrics["cached"] == 7


def test_a_judge_of_no_use_and_rows_of_no_use_say_so(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: "What a lovely answer"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "synth.judge_useless" and "What a lovely" in str(caught.value)
    server.answer = lambda body: "1"
    with pytest.raises(StudioError) as caught:
        run(params(server, rubric="Be strict."), job)
    assert caught.value.code == "synth.nothing_left" and "low judge score (30)" in str(caught.value)


def test_what_can_never_work_is_said_before_and_the_rest_is_quoted() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 0, "pool": 9})
    assert [p.code for p in check(JudgeParams(data="d"), world)] == ["chat.one_teacher", "synth.no_answers"]
    outside = {"data": "d", "endpoint_url": "http://h/v1", "endpoint_model": "x"}
    world.add("d", Kind.DATASET, rows={"train": 1000}, prompt_chars=80, answer_chars=10)
    assert 1000 * 80 < quote(JudgeParams(**outside), world).tokens < 1000 * 300


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
