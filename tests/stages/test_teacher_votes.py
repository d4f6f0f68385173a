"""The teacher stage with several answers to a row: votes of samples and of teachers, and steps before the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, check, quote, run
from tests.helpers import dataset_view, model_view, tiny_dataset
from tests.onnx_models import build_lively_model
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld, made
from tests.stages.test_teacher import params, said_colour


class Wavering:
    """Says the colour, and for `wrong` out of every three requests of a prompt another one."""

    def __init__(self, *wrong: str) -> None:
        self.wrong, self.times = wrong, dict[str, int]()

    def __call__(self, body: dict[str, Any]) -> str:
        prompt = body["messages"][-1]["content"]
        self.times[prompt] = self.times.get(prompt, 0) + 1
        at = self.times[prompt] - 1
        return self.wrong[at] if at < len(self.wrong) else said_colour(body)


def test_several_answers_are_a_vote_with_its_share(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = Wavering("blue")  # type: ignore[method-assign]
    result = run(params(server, samples=3, temperature=0.7), job)
    rows = [row for row in made(job)[0].rows("train") if row.id.startswith("p")]
    assert len(server.asked) == result.metrics["asked"] == 36
    assert len({body["seed"] for body in server.asked}) == 3
    assert all(row.output == row.gold for row in rows)
    assert {row.confidence for row in rows} == {1.0, 0.6667}
    assert result.metrics["confidence"] == pytest.approx((4 * 1.0 + 8 * 0.6667) / 12, abs=1e-4)
    again = run(params(server, samples=3, temperature=0.7), job)
    assert len(server.asked) == 36 and again.metrics["cached"] == 36


def test_unsure_answers_are_dropped_and_counted(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = Wavering("blue")  # type: ignore[method-assign]
    result = run(params(server, samples=3, temperature=0.7, min_confidence=0.9), job)
    assert result.metrics["dropped_unsure"] == result.metrics["dropped"] == 8
    assert {row.input[:4] for row in made(job)[0].rows("train") if row.id.startswith("p")} == {"blue"}
    server.answer = Wavering("blue", "green")  # type: ignore[method-assign]
    with pytest.raises(StudioError) as caught:
        run(params(server, samples=2, temperature=0.8, min_confidence=1.0, splits=["pool"], max_rows=2), job)
    assert caught.value.code == "synth.all_unsure"


def test_a_fault_among_several_answers_asks_only_the_rest(server: FakeEndpoint, job: MemoryContext) -> None:
    server.script = lambda n: "500" if n >= 17 else "200"
    with pytest.raises(StudioError, match="answers kept: 17"):
        run(params(server, concurrency=1, samples=2, temperature=1), job)
    server.script = lambda n: "200"
    result = run(params(server, concurrency=1, samples=2, temperature=1), job)
    assert result.metrics["cached"] == 17 and result.metrics["asked"] == 7


def test_steps_are_asked_for_and_kept_beside_the_answer(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: (
        said_colour(body) if "thing 1" in body["messages"][-1]["content"] else f"I look.\nSo: {said_colour(body)}"
    )
    result = run(params(server, rationale=True, marker="So:", max_new_tokens=0), job)
    assert server.asked[0]["messages"][-1]["content"].endswith("a last line that begins with So:")
    assert server.asked[0]["max_tokens"] > 256
    rows = [row for row in made(job)[0].rows("train") if row.id.startswith("p")]
    assert {row.rationale for row in rows} == {"I look."} and all(row.output == row.gold for row in rows)
    assert result.metrics["dropped_no_marker"] == 12 - len(rows) == 3  # things 1, 10 and 11
    with pytest.raises(StudioError) as caught:
        run(params(server, rationale=True, marker="Thus:"), job)
    assert caught.value.code == "synth.marker_missing" and "Thus:" in str(caught.value)


def test_what_can_never_work_is_said_before() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 9}).add("m", Kind.MODEL, parameters=1000)
    outside = {"endpoint_url": "http://h/v1", "endpoint_model": "x"}

    def codes(**settings: Any) -> list[str]:
        return [problem.code for problem in check(TeacherParams(data="d", **settings), world)]

    assert codes(model="m", samples=3) == ["synth.samples_alike"]
    assert codes(**outside, min_confidence=0.5) == ["synth.no_confidence"]
    assert codes(**outside, min_confidence=0.5, samples=2, temperature=1) == []
    assert codes(model="m", min_confidence=0.5) == []
    assert codes(model="m", rationale=True, rationale_request="Think.") == ["synth.steps_marker"]
    assert codes(model="m", others=["m"]) == ["synth.teacher_twice"]


def test_the_forecast_grows_with_the_samples() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 1000}, prompt_chars=90, answer_chars=10)
    outside = {"data": "d", "endpoint_url": "http://h/v1", "endpoint_model": "x"}
    one, five = (quote(TeacherParams(**outside, samples=k), world) for k in (1, 5))
    assert five.tokens == pytest.approx(5 * one.tokens, rel=0.01) and five.seconds > 4 * one.seconds
    assert quote(TeacherParams(**outside, rationale=True), world).tokens > 2 * one.tokens


@pytest.mark.ml
def test_a_local_model_says_how_sure_it_is_and_others_vote_with_it(tmp_path: Path) -> None:
    models = [
        model_view(build_lively_model(tmp_path / name, hidden=size), name) for name, size in (("a", 32), ("b", 64))
    ]
    job = MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data")), *models])
    settings: dict[str, Any] = {"data": "dataset-d1", "model": "a", "keep_labels_only": False, "max_new_tokens": 4}
    alone = run(TeacherParams(**settings), job)
    first = {row.id: row for row in made(job)[0].rows("train") if row.id.startswith("p")}
    assert first and all(0 < (row.confidence or 0) < 1 for row in first.values())
    again = run(TeacherParams(**settings), job)
    kept = {row.id: row for row in made(job)[0].rows("train") if row.id.startswith("p")}
    assert again.metrics["asked"] == 0 and kept == first
    assert alone.metrics["confidence"] == pytest.approx(
        sum(row.confidence or 0 for row in first.values()) / len(first), abs=1e-4
    )
    both = run(TeacherParams(**settings, others=["b"]), job)
    assert both.metrics["cached"] == 12 and both.metrics["asked"] == 12
    assert made(job)[1]["parents"] == ["a", "b", "dataset-d1"] and made(job)[1]["facts"]["teacher"] == "a + b"
    assert made(job)[1]["facts"]["teachers"] == ["a", "b"]
    assert {row.confidence for row in made(job)[0].rows("train") if row.id.startswith("p")} <= {0.5, 1.0}
    mixed = run(TeacherParams(**settings, others=["b"], combine="mix"), job)
    assert mixed.metrics["cached"] == 12 and mixed.metrics["rows"] == 12
    turns = [row for row in made(job)[0].rows("train") if row.id in ("p0", "p2", "p4")]
    assert all(row == first[row.id] for row in turns)


@pytest.mark.ml
def test_a_vote_with_an_endpoint_names_no_local_teacher(server: FakeEndpoint, tmp_path: Path) -> None:
    model = model_view(build_lively_model(tmp_path / "model"), "b")
    job = MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data")), model])
    run(params(server, others=["b"], keep_labels_only=False, max_new_tokens=4, max_rows=2), job)
    assert made(job)[1]["parents"] == ["b", "dataset-d1"] and made(job)[1]["facts"]["teachers"] == []
