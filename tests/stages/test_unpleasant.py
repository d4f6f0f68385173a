"""A teacher behind an endpoint that fails in unpleasant ways: nothing that was answered is asked twice, and the job ends with a
sentence that says what to do."""

from __future__ import annotations

from collections import Counter

import pytest

from backend.core.errors import StudioError
from backend.generation.batch import Reply, log_refused
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, run
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import log_of, made

GOOD = 4
"""Answers before the trouble begins."""
ROWS = 12


def params(server: FakeEndpoint, **change: object) -> TeacherParams:
    how = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "concurrency": 1, "timeout": 2}
    return TeacherParams.model_validate({**how, "retries": 0, **change})


def asked(server: FakeEndpoint) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in server.asked)


@pytest.mark.parametrize(
    ("word", "code", "remedy"),
    [
        ("half", "chat.endpoint_broken", "lower “Concurrent requests”"),
        ("json", "chat.endpoint_garbage", "Check that the endpoint's address"),
        ("drip", "chat.endpoint_silent", "Raise the timeout"),
        ("error", "answers.endpoint_error", "overloaded"),
        ("reset", "chat.endpoint_broken", "lower “Concurrent requests”"),
        ("html", "chat.endpoint_garbage", "nginx"),
    ],
)
def test_what_was_answered_before_the_trouble_is_asked_once(
    server: FakeEndpoint, job: MemoryContext, word: str, code: str, remedy: str
) -> None:
    server.script = lambda n: word if n >= GOOD else "200"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    said = str(caught.value)
    assert caught.value.code == code and f"answers kept: {GOOD}" in said and server.url in said and remedy in said
    answered = set(list(asked(server))[:GOOD])
    server.script = lambda n: "200"
    result = run(params(server), job)
    assert result.metrics["cached"] == GOOD and result.metrics["answered"] == ROWS
    assert all(asked(server)[prompt] == 1 for prompt in answered) and len(asked(server)) == ROWS


@pytest.mark.parametrize("word", ["half", "error", "reset", "drip"])
def test_trouble_that_passes_costs_one_more_try(server: FakeEndpoint, job: MemoryContext, word: str) -> None:
    server.script = lambda n: word if n == GOOD else "200"
    result = run(params(server, retries=1), job)
    assert result.metrics["answered"] == ROWS
    assert sorted(asked(server).values()) == [1] * (ROWS - 1) + [2]


def test_a_pause_that_the_endpoint_asks_for_is_kept(server: FakeEndpoint, job: MemoryContext) -> None:
    server.retry_after = "0.8"
    server.script = lambda n: "429" if n == GOOD else "200"
    assert run(params(server, retries=1), job).metrics["answered"] == ROWS
    assert server.times[GOOD + 1] - server.times[GOOD] >= 0.8
    assert sum(asked(server).values()) == ROWS + 1


def test_an_endpoint_that_stays_busy_is_said_to_be_so(server: FakeEndpoint, job: MemoryContext) -> None:
    server.script = lambda n: "429" if n >= GOOD else "200"
    with pytest.raises(StudioError) as caught:
        run(params(server, retries=1), job)
    assert caught.value.code == "chat.endpoint_busy" and f"answers kept: {GOOD}" in str(caught.value)


def test_an_answer_under_a_wrong_content_type_counts(server: FakeEndpoint, job: MemoryContext) -> None:
    server.script = lambda n: "plain"
    assert run(params(server), job).metrics["answered"] == ROWS


def test_without_log_probabilities_answers_have_no_confidence(server: FakeEndpoint, job: MemoryContext) -> None:
    server.logprobs = "refuses"
    result = run(params(server, include_labelled=False), job)
    assert result.metrics["answered"] == ROWS and "confidence" not in result.metrics
    assert all(row.confidence is None for row in made(job)[0].rows("train"))


def test_rows_that_are_refused_stand_in_the_log_with_the_reason(server: FakeEndpoint, job: MemoryContext) -> None:
    server.fault = lambda body: "400" if body["messages"][-1]["content"].startswith("red") else None
    result = run(params(server, concurrency=4), job)
    assert result.metrics["dropped_no_answer"] == 4
    said = [line for line in log_of(job) if line.startswith("Refused: ")]
    assert len(said) == 4 and any(line.startswith("Refused: p0. HTTP 400: status 400") for line in said)


def test_only_the_first_refusals_are_logged_one_by_one(job: MemoryContext) -> None:
    log_refused(job, [f"r{n}" for n in range(30)], [Reply("", refused="why")] * 30)
    assert log_of(job)[-2:] == ["Refused: r19. why", "10 more were refused."]
