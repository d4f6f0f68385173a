"""The generate stage: new inputs only, nothing from the rows that measure, nothing asked twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import Kind
from backend.data import filter_report
from backend.data.dataset import DataFolder, Row, write_split
from backend.jobs.context import MemoryContext
from backend.stages.generate import STAGE, GenerateParams, check, quote, run
from tests.helpers import dataset_view, model_view, tiny_dataset
from tests.onnx_models import build_lively_model
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld, made

NOUNS = ["kettle", "carpet", "teapot", "mirror", "window", "garden", "bottle", "hammer", "ladder", "pillow", "basket"]


@pytest.fixture
def server() -> Iterator[FakeEndpoint]:
    with FakeEndpoint().running() as running:
        running.answer = Author()  # type: ignore[method-assign]
        yield running


class Author:
    """Writes five new texts of the class that is asked for, every time others."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, body: dict[str, Any]) -> str:
        said = body["messages"][-1]["content"]
        label = next((colour for colour in ("red", "green", "blue") if f"class “{colour}”" in said), "plain")
        self.times += 1
        noun = NOUNS[self.times % len(NOUNS)]
        return json.dumps([f"{'abcdefghij'[n + self.times % 5] * 5} {noun} in {label} {self.times}" for n in range(5)])


def params(server: FakeEndpoint, **change: Any) -> GenerateParams:
    settings = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "retries": 0, "timeout": 2}
    return GenerateParams(**{**settings, "rows": 30, **change})


def test_new_inputs_join_the_pool_and_all_else_stays(server: FakeEndpoint, job: MemoryContext) -> None:
    (job.input("dataset-d1").path / "NOTICE").write_text("Sentences by somebody", encoding="utf-8")
    result = run(params(server), job)
    data, manifest = made(job)
    pool = list(data.rows("pool"))
    new = [row for row in pool if row.id.startswith("g")]
    assert len(pool) == 42 and len(new) == result.metrics["rows"] == manifest["facts"]["generated"] == 30
    assert all(row.output is None and row.gold is None for row in new)
    assert len({row.id for row in pool}) == 42 and len({row.input for row in new}) == 30
    assert [data.count(split) for split in ("train", "validation", "test")] == [30, 15, 15]
    assert manifest["facts"]["rows"]["pool"] == 42 and manifest["facts"]["generator"] == "big"
    assert manifest["parents"] == ["dataset-d1"] and manifest["license"] == "Apache-2.0"
    assert (data.path / "NOTICE").read_text("utf-8") == "Sentences by somebody"
    counts = [sum(f"in {colour}" in row.input for row in new) for colour in ("red", "green", "blue")]
    assert counts == [10, 10, 10]
    run(params(server, keep_pool=False), job)
    assert made(job)[0].count("pool") == 30


def test_what_is_known_or_measures_is_refused_and_counted(server: FakeEndpoint, job: MemoryContext) -> None:
    author = Author()

    def answer(body: dict[str, Any]) -> str:
        texts = json.loads(author(body))
        if author.times == 1:
            texts = ["Red item 0!", "green  thing 1", "RED ITEM 45.", "blue item 32", "x", *texts[:1], texts[0].upper()]
        return json.dumps(texts)

    server.answer = answer  # type: ignore[method-assign]
    result = run(params(server, near_duplicates=0.95), job)
    data, _ = made(job)
    new = {row.input.casefold() for row in data.rows("pool") if row.id.startswith("g")}
    held_out = {row.input.casefold() for split in ("validation", "test") for row in data.rows(split)}
    assert len(new) == 30 and not new & held_out
    drops = json.loads((data.path / "drops.json").read_text("utf-8"))
    assert drops["counts"]["leak"] == result.metrics["dropped_leak"] == 2
    assert [drop["other"] for drop in drops["rows"] if drop["reason"] == "leak"] == ["45", "32"]
    assert drops["counts"]["near_duplicate"] >= 3 and drops["counts"]["input_length"] == 1
    report = filter_report.read_report(data.path)
    assert report and report.dropped == drops["counts"]
    assert {point.state for point in report.points} == {"seed", "kept", "dropped"}
    assert report.after.rows == report.before.rows + 30


def test_a_second_run_asks_nothing_and_makes_the_same(server: FakeEndpoint, job: MemoryContext) -> None:
    run(params(server), job)
    first, asked = [row.id for row in made(job)[0].rows("pool")], len(server.asked)
    again = run(params(server), job)
    assert len(server.asked) == asked and again.metrics["asked"] == 0
    assert [row.id for row in made(job)[0].rows("pool")] == first


@pytest.mark.parametrize("word", ["500", "half", "html"])
def test_after_a_fault_only_the_rest_is_asked(server: FakeEndpoint, job: MemoryContext, word: str) -> None:
    server.script = lambda n: word if n >= 4 else "200"
    with pytest.raises(StudioError, match="answers kept: 4"):
        run(params(server, concurrency=1), job)
    server.script = lambda n: "200"
    result = run(params(server, concurrency=1), job)
    assert result.metrics["cached"] == 4 and result.metrics["rows"] == 30


def test_a_cancel_keeps_the_replies(server: FakeEndpoint, job: MemoryContext) -> None:
    author = Author()

    def answer(body: dict[str, Any]) -> str:
        job.stop = len(server.asked) >= 3
        return author(body)

    server.answer = answer  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        run(params(server, concurrency=1), job)
    job.stop = False
    server.answer = author  # type: ignore[method-assign]
    assert run(params(server, concurrency=1), job).metrics["cached"] >= 2


def test_a_model_that_repeats_itself_ends_and_says_so(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: '["always the same thing"]'
    result = run(params(server, rows=500), job)
    assert result.metrics["rows"] == 1 and len(server.asked) <= 4 * 32
    assert len({body["seed"] for body in server.asked}) > 1  # a question that comes again is drawn anew
    assert any("Only 1 of 500" in event.get("text", "") for event in job.events)
    server.answer = lambda body: "I'd rather not."
    with pytest.raises(StudioError) as caught:
        run(params(server, rows=5, per_request=1, max_requests=3), job)
    assert caught.value.code == "synth.nothing_new" and "I'd rather not." in str(caught.value)
    assert len([1 for body in server.asked if "Write 1 new" in body["messages"][0]["content"]]) == 3


def test_messy_replies_are_read_and_unreadable_ones_counted(server: FakeEndpoint, job: MemoryContext) -> None:
    author = Author()

    def answer(body: dict[str, Any]) -> str:
        texts = json.loads(author(body))
        shapes = [
            "No idea.",
            "\n".join(f"{n}. {text}" for n, text in enumerate(texts, 1)),
            f"Of course!\n```json\n{json.dumps(texts)}\n```",
            json.dumps(texts)[:-7],
        ]
        return shapes[author.times % 4]

    server.answer = answer  # type: ignore[method-assign]
    result = run(params(server, concurrency=1), job)
    assert result.metrics["rows"] == 30 and result.metrics["unreadable"] >= 1


@pytest.mark.parametrize("method", ["paraphrase", "evol_instruct"])
def test_every_method_makes_rows(server: FakeEndpoint, job: MemoryContext, method: str) -> None:
    assert run(params(server, method=method, rows=12), job).metrics["rows"] == 12
    assert any("Text: " in body["messages"][0]["content"] for body in server.asked)
    shown = {body["messages"][0]["content"].partition("Text: ")[2].partition("\n")[0] for body in server.asked}
    assert shown <= {row.input for row in DataFolder(job.input("dataset-d1").path).rows("train")}


def test_no_question_shows_a_row_that_measures(server: FakeEndpoint, job: MemoryContext) -> None:
    run(params(server), job)
    said = "\n".join(body["messages"][0]["content"] for body in server.asked)
    data = DataFolder(job.input("dataset-d1").path)
    assert not [row for split in ("validation", "test") for row in data.rows(split) if row.input in said.splitlines()]
    assert all(f". {row.input}\n" not in said for split in ("validation", "test") for row in data.rows(split))


def test_what_can_never_work_is_said_before(server: FakeEndpoint, job: MemoryContext) -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 0, "pool": 0, "test": 5})
    assert [p.code for p in check(GenerateParams(data="d"), world)] == ["chat.one_teacher", "synth.no_seeds"]
    folder = job.input("dataset-d1").path
    talk = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    write_split(folder, "train", [Row(id="1", input="and now", output="red", context=talk)])
    write_split(folder, "pool", [])
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "synth.no_seeds" and not server.asked


def test_the_forecast_counts_rows_and_tokens() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 400, "pool": 100}, prompt_chars=90)
    outside = {"data": "d", "endpoint_url": "http://h/v1", "endpoint_model": "x"}
    asked = quote(GenerateParams(**outside, rows=200), world)
    assert asked.forecast["rows"] == {"train": 400, "pool": 300} and asked.tokens > 200 * 25
    assert quote(GenerateParams(**outside, rows=200, keep_pool=False), world).forecast["rows"]["pool"] == 200
    assert quote(GenerateParams(**outside, rows=400), world).tokens > 1.9 * asked.tokens


@pytest.mark.ml
def test_a_local_model_without_sense_works_mechanically(tmp_path: Path) -> None:
    model = model_view(build_lively_model(tmp_path / "model"))
    job = MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data")), model])
    local = GenerateParams(data="dataset-d1", model=model.id, rows=5, max_new_tokens=24, max_requests=6)
    with pytest.raises(StudioError) as caught:
        run(local, job)
    assert caught.value.code == "answers.new_cut_off"  # it goes on to the limit of 24 tokens
    assert sum(event["event"] == "artifact" for event in job.events) == 0


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
