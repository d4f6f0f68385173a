"""The audition: candidates on the same rows, one that fails, the ranking, the budget, and what a second time costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext
from backend.stages.audition import STAGE, AuditionParams, check, quote, ranked, run
from backend.stages.teacher import TeacherParams
from backend.stages.teacher import run as teach
from tests.helpers import dataset_view, model_view, tiny_dataset
from tests.onnx_models import build_lively_model
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld

PRICE = {"input_price": 1000.0, "output_price": 2000.0}


@pytest.fixture
def good() -> Iterator[FakeEndpoint]:
    server = FakeEndpoint()
    server.counts = True
    with server.running():
        yield server


def saved(name: str, server: FakeEndpoint, **about: Any) -> SavedEndpoint:
    return SavedEndpoint(**{"name": name, "url": server.url, "model": "m", **PRICE, **about})


def context(tmp_path: Path, *endpoints: SavedEndpoint, **about: Any) -> MemoryContext:
    data = dataset_view(tiny_dataset(tmp_path / "data"))
    return MemoryContext(tmp_path / "job", [data, *about.pop("inputs", [])], endpoints=list(endpoints), **about)


def params(*names: str, **change: Any) -> AuditionParams:
    settings = {"data": "dataset-d1", "endpoints": list(names), "retries": 0, "timeout": 1, "concurrency": 1}
    return AuditionParams(**{**settings, **change})


def facts(ctx: MemoryContext) -> dict[str, Any]:
    sealed = [event for event in ctx.events if event["event"] == "artifact"][-1]
    return sealed["manifest"]["facts"]


def test_three_candidates_of_which_one_fails(tmp_path: Path, good: FakeEndpoint) -> None:
    half, silent = FakeEndpoint(), FakeEndpoint(lambda n: "500")
    half.answer = lambda body: "Label: red" if first_word(body) == "green" else f"**{first_word(body)}**"
    with half.running(), silent.running():
        ctx = context(tmp_path, saved("broken", silent), saved("half", half), saved("best", good))
        result = run(params("broken", "half", "best"), ctx)
    found = facts(ctx)
    assert [each["name"] for each in found["candidates"]] == ["best", "half", "broken"]
    best, second, broken = found["candidates"]
    assert found["winner"] == "best" and found["metric"] == "accuracy" and found["n"] == 15
    assert best["metric"] == 1.0 and best["low"] < 1.0 and best["failed"] == "" and best["invalid_rate"] == 0
    assert second["metric"] == pytest.approx(2 / 3) and second["p_against_best"] == pytest.approx(2 / 2**5)
    assert second["example"]["expected"] == "green" and second["example"]["answer"] == "Label: red"
    assert broken["failed"] == "it didn't answer" and broken["failure"]["code"] == "chat.endpoint_failed"
    assert best["usd_per_1000"] == pytest.approx(1000 * (13 * 1000 + 1 * 2000) / 1e6) and best["seconds_per_answer"] > 0
    assert result.metrics["candidates_failed"] == 1 and result.metrics["spent_usd"] > 0
    made = [event for event in ctx.events if event["event"] == "artifact"][-1]
    assert made["manifest"]["kind"] == Kind.AUDITION
    assert made["manifest"]["endpoints"]["best"] == {"url": good.url, "model": "m"}
    lines = (Path(made["path"]) / "answers-2.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 15 and json.loads(lines[0])["answer"] == json.loads(lines[0])["expected"]


def first_word(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[0])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("red", "no better than always giving the same answer"), ("I think so", "most of its answers are invalid labels")],
)
def test_one_that_fails_the_task_is_flagged(tmp_path: Path, good: FakeEndpoint, answer: str, reason: str) -> None:
    good.answer = lambda body: answer
    ctx = context(tmp_path, saved("bad", good))
    run(params("bad"), ctx)
    assert facts(ctx)["candidates"][0]["failed"] == reason and facts(ctx)["winner"] == ""


def test_free_text_is_judged_by_its_words(tmp_path: Path, good: FakeEndpoint) -> None:
    folder = tmp_path / "text"
    folder.mkdir()
    rows = [Row(id=str(n), input=f"word{n} please", output=f"word{n} it is") for n in range(8)]
    write_template(folder, Template())
    write_split(folder, "train", rows[:4])
    write_split(folder, "validation", rows[4:])
    ctx = MemoryContext(tmp_path / "job", [dataset_view(folder)], endpoints=[saved("a", good), saved("mute", good)])
    run(params("a"), ctx)
    (one,) = facts(ctx)["candidates"]
    assert facts(ctx)["metric"] == "token_f1"
    assert one["metric"] == pytest.approx(0.5) and one["baseline"] == pytest.approx(2 / 3)
    assert one["failed"] == "no better than always giving the same answer"
    good.script = lambda n: "empty"
    ctx.order.endpoints["mute"] = saved("mute", good, model="other")
    run(params("mute"), ctx)
    assert facts(ctx)["candidates"][0]["failed"] == "most of its answers are empty"
    good.script = lambda n: "200"
    run(params("mute"), ctx)
    assert facts(ctx)["candidates"][0]["invalid_rate"] == 0  # empty answers were not kept


def test_the_budget_ends_it_and_going_on_costs_only_the_rest(tmp_path: Path, good: FakeEndpoint) -> None:
    ctx = context(tmp_path, saved("best", good))
    each = (13 * 1000 + 1 * 2000) / 1e6
    with pytest.raises(StudioError) as caught:
        run(params("best", budget=0.12 + 4 * each, max_new_tokens=4), ctx)
    assert caught.value.code == "endpoints.budget_reached"
    kept = len(good.asked)
    assert 0 < kept < 8 and f"answers kept: {kept}" in str(caught.value)
    with pytest.raises(StudioError):  # the same job again: what was spent still counts
        run(params("best", budget=0.12 + 4 * each, max_new_tokens=4), ctx)
    assert len(good.asked) == kept
    later = MemoryContext(tmp_path / "job", list(ctx.order.inputs.values()), endpoints=[saved("best", good)])
    later.dir = tmp_path / "another job"
    later.dir.mkdir()
    run(params("best", max_new_tokens=4), later)
    assert len(good.asked) == 15
    assert facts(later)["candidates"][0]["usd_per_1000"] == pytest.approx(1000 * each)


def test_a_second_audition_asks_nothing_and_shows_the_same_speed(tmp_path: Path, good: FakeEndpoint) -> None:
    ctx = context(tmp_path, saved("best", good))
    run(params("best"), ctx)
    first = facts(ctx)["candidates"][0]
    assert run(params("best"), ctx).metrics["cached"] == 15
    assert len(good.asked) == 15
    assert facts(ctx)["candidates"][0]["seconds_per_answer"] == pytest.approx(first["seconds_per_answer"])


def test_when_nobody_answers_the_job_says_why(tmp_path: Path) -> None:
    with FakeEndpoint(lambda n: "401").running() as server:
        with pytest.raises(StudioError) as caught:
            run(params("one", "two"), context(tmp_path, saved("one", server), saved("two", server, model="n")))
    assert caught.value.code == "endpoints.all_failed" and "requires a key" in str(caught.value)


def test_of_equals_the_cheaper_comes_first() -> None:
    def one(name: str, metric: float, usd: float | None, failed: str = "") -> dict[str, Any]:
        cost = {} if usd is None else {"usd_per_1000": usd}
        return {"name": name, "metric": metric, "seconds_per_answer": 1.0, "failed": failed, **cost}

    order = ranked([one("bad", 0.99, 0, "x"), one("dear", 0.9, 2.0), one("local", 0.9, None), one("low", 0.8, 0)])
    assert [each["name"] for each in order] == ["local", "dear", "low", "bad"]


def test_check_and_quote() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 5, "validation": 0}, prompt_chars=100, answer_chars=10)
    wrong = [p.code for p in check(AuditionParams(data="d", prompt="Which?"), world)]
    assert wrong == ["endpoints.audition_few", "chat.prompt_input", "chat.no_rows"]
    world.add("d", Kind.DATASET, rows={"validation": 40}, prompt_chars=100, answer_chars=10)
    unknown = check(AuditionParams(data="d", endpoints=["x"], models=["y"]), world)
    assert [(p.code, p.field) for p in unknown] == [
        ("core.artifact_unknown", "models.0"),
        ("endpoints.unknown", "endpoints.0"),
    ]
    world.save("x", **PRICE).save("free").add("m", Kind.MODEL, parameters=1e8)
    assert [p.code for p in check(AuditionParams(data="d", endpoints=["x", "free"], budget=9), world)] == [
        "endpoints.budget_no_price"
    ]
    one, two = (quote(AuditionParams(data="d", endpoints=["x"], models=["m"], rows=n), world) for n in (10, 80))
    assert two.forecast["n"] == 40 and two.money == pytest.approx(4 * one.money) and one.money > 0
    assert one.memory_bytes > 500_000_000


def test_a_teachers_budget_reached_midway_and_resumed(tmp_path: Path, good: FakeEndpoint) -> None:
    ctx = context(tmp_path, saved("best", good))
    settings = {"data": "dataset-d1", "endpoint": "best", "retries": 0, "timeout": 1, "concurrency": 3}
    settings["name_labels"] = False
    each = (6 * 1000 + 2000) / 1e6
    with pytest.raises(StudioError) as caught:
        teach(TeacherParams(**settings, budget=0.08 + 6 * each, max_new_tokens=4), ctx)
    assert caught.value.code == "endpoints.budget_reached"
    kept = len(good.asked)
    assert 0 < kept < 12 and f"answers kept: {kept}" in str(caught.value)
    ctx.dir = tmp_path / "another job"
    ctx.dir.mkdir()
    result = teach(TeacherParams(**settings, max_new_tokens=4), ctx)
    assert result.metrics["cached"] == kept and len(good.asked) == 12
    assert result.metrics["spent_usd"] == pytest.approx((12 - kept) * each)


@pytest.mark.ml
def test_a_local_model_takes_part(tmp_path: Path, good: FakeEndpoint) -> None:
    model = model_view(build_lively_model(tmp_path / "model"))
    ctx = context(tmp_path, saved("best", good), inputs=[model])
    run(params("best", models=[model.id], max_new_tokens=4), ctx)
    best, local = facts(ctx)["candidates"]
    assert best["name"] == "best" and local["model"] == model.id and local["failed"]
    assert local["tokens_per_s"] > 0 and "usd_per_1000" not in local


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
