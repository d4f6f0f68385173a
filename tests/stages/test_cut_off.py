"""Replies that were cut off by the limit of tokens are counted, shown and told."""

from __future__ import annotations

import json

import pytest

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import StudioError
from backend.data.dataset import DataFolder, write_template
from backend.generation.self_instruct import parse_texts
from backend.jobs.context import MemoryContext
from backend.stages import audition, evaluate, generate, teacher
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import log_of


@pytest.fixture
def truncated(server: FakeEndpoint) -> FakeEndpoint:
    server.ending = "length"
    return server


def who(server: FakeEndpoint) -> dict[str, object]:
    return {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "retries": 0, "timeout": 2}


def as_text(job: MemoryContext) -> None:
    folder = job.input("dataset-d1").path
    write_template(folder, DataFolder(folder).template.model_copy(update={"answer": "text", "labels": []}))


def test_an_evaluation_tells_its_share(truncated: FakeEndpoint, job: MemoryContext) -> None:
    asked = evaluate.EvaluateParams(**who(truncated), cost_prompts=1)
    assert evaluate.run(asked, job).metrics["cut_off"] == 0  # every answer is a whole label
    as_text(job)
    result = evaluate.run(asked, job)
    assert result.metrics["cut_off"] == 1 and [found.code for found in result.findings] == ["good.cut_off"]
    assert evaluate.run(asked.model_copy(update={"max_cut_off": 1.0}), job).findings == []
    assert any("15 of 15 replies were cut off" in line and "Raise max_new_tokens" in line for line in log_of(job))
    truncated.ending = "stop"
    assert evaluate.run(asked, job).metrics["cut_off"] == 0


def test_an_evaluation_of_answers_that_are_no_label_ends_with_a_finding(
    server: FakeEndpoint, job: MemoryContext
) -> None:
    server.answer = lambda body: "It may be red."
    result = evaluate.run(evaluate.EvaluateParams(**who(server), cost_prompts=1), job)
    assert result.metrics["unusable"] == 1 and [found.code for found in result.findings] == ["good.unusable"]
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    assert sealed["manifest"]["facts"]["findings"][0]["code"] == "good.unusable"


def test_an_audition_tells_it_of_each_candidate(truncated: FakeEndpoint, job: MemoryContext) -> None:
    as_text(job)
    job.order.endpoints["a"] = SavedEndpoint(name="a", url=truncated.url, model="a")
    params = audition.AuditionParams(data="dataset-d1", endpoints=["a"], rows=4, retries=0, timeout=2)
    for _ in range(2):  # the second time from what was kept
        audition.run(params, job)
        sealed = [event for event in job.events if event["event"] == "artifact"][-1]
        assert sealed["manifest"]["facts"]["candidates"][0]["cut_off"] == 1.0


def test_a_teacher_tells_the_share_of_its_replies(truncated: FakeEndpoint, job: MemoryContext) -> None:
    truncated.answer = lambda body: "red" if "thing 0" in body["messages"][-1]["content"] else "It may be red or"
    params = teacher.TeacherParams(**who(truncated), keep_labels_only=True)
    result = teacher.run(params, job)
    assert result.metrics["cut_off"] == 11 / 12 and result.metrics["answered"] == 1
    assert any("11 of 12 replies were cut off" in line for line in log_of(job))


def test_generated_inputs_lose_what_is_not_whole(truncated: FakeEndpoint, job: MemoryContext) -> None:
    truncated.answer = lambda body: f"1. a whole kettle {len(truncated.asked)}\n2. half a k"
    params = generate.GenerateParams(**who(truncated), rows=2, concurrency=1, max_requests=2, near_duplicates=1.0)
    result = generate.run(params, job)
    sealed = [event for event in job.events if event["event"] == "artifact"][-1]
    new = [row.input for row in DataFolder(sealed["path"]).rows("pool") if row.id.startswith("g")]
    assert new and all(text.startswith("a whole kettle") for text in new)
    assert result.metrics["cut_off"] == 1.0 and any("replies were cut off" in line for line in log_of(job))


def test_when_nothing_whole_comes_the_limit_is_named(truncated: FakeEndpoint, job: MemoryContext) -> None:
    truncated.answer = lambda body: "1. half a k"
    with pytest.raises(StudioError) as caught:
        generate.run(generate.GenerateParams(**who(truncated), rows=2, max_requests=2), job)
    assert caught.value.code == "answers.new_cut_off" and "Raise “Maximum answer length”" in str(caught.value)


def test_only_the_last_line_of_a_cut_reply_is_unfinished() -> None:
    assert parse_texts("1. one\n2. two", truncated=True) == ["one"] and parse_texts("1. one\n2. two") == ["one", "two"]
    assert parse_texts(json.dumps(["one", "two"]), truncated=True) == ["one", "two"]
