"""The teacher stage: answers kept by content, faults that lose nothing, what goes into the dataset."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.paths import ROOT
from backend.core.schemas import Kind
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext
from backend.stages.teacher import STAGE, TeacherParams, check, quote, run
from tests.helpers import PATIENCE, dataset_view, model_view, tiny_dataset, until, view
from tests.onnx_models import build_lively_model
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld, made


def params(server: FakeEndpoint, **change: Any) -> TeacherParams:
    settings = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "retries": 0, "timeout": 1}
    return TeacherParams(**{**settings, **change})


def test_answers_join_the_labelled_rows_and_keep_the_persons_word(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: "red" if "thing 1" in body["messages"][-1]["content"] else said_colour(body)
    result = run(params(server), job)
    data, manifest = made(job)
    rows = {row.id: row for row in data.rows("train")}
    assert len(rows) == 30 + 12
    assert rows["0"].output == "red" and rows["0"].gold is None
    assert rows["p1"].output == "red" and rows["p1"].gold == "green"
    assert (
        result.metrics["agreement"] == pytest.approx(manifest["facts"]["agreement"]) and result.metrics["asked"] == 12
    )
    assert 0 < manifest["facts"]["agreement"] < 1
    assert data.count("validation") == 15 and data.count("test") == 15 and data.count("pool") == 0
    assert manifest["facts"]["rows"]["train"] == 42 and manifest["facts"]["teacher"] == "big"
    assert manifest["parents"] == ["dataset-d1"] and manifest["facts"]["teachers"] == []


def said_colour(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[0])


def test_an_earlier_teachers_answer_is_no_persons(server: FakeEndpoint, job: MemoryContext) -> None:
    """The pool's rows lose what people say of them, so that the first teacher's answers stand alone."""
    source = job.input("dataset-d1")
    pool = [row.model_copy(update={"gold": None}) for row in DataFolder(source.path).rows("pool")]
    write_split(source.path, "pool", pool)
    server.answer = lambda body: "blue"
    run(params(server), job)
    folder, manifest = made(job)
    answered = view(folder.path, Kind.DATASET, "answered", manifest["parents"], **manifest["facts"])
    job.order.inputs[answered.id] = answered
    server.answer = said_colour
    result = run(params(server, data=answered.id, endpoint_model="next", splits=["train"]), job)
    rows = {row.id: row for row in made(job)[0].rows("train")}
    assert len(rows) == 42 and result.metrics["agreement"] == 1.0
    assert all((row.gold is None) == id_.startswith("p") for id_, row in rows.items())
    assert rows["0"].gold == "red"


def test_a_second_run_asks_nothing(server: FakeEndpoint, job: MemoryContext) -> None:
    first = run(params(server), job)
    asked = len(server.asked)
    again = run(params(server), job)
    assert len(server.asked) == asked == 12
    assert again.metrics["cached"] == 12 and again.metrics["asked"] == 0 and first.metrics["cached"] == 0
    run(params(server, temperature=0.7), job)
    assert len(server.asked) == 24


@pytest.mark.parametrize(
    ("word", "code"),
    [("500", "chat.endpoint_failed"), ("401", "chat.endpoint_no_key"), ("half", "chat.endpoint_broken")],
)
def test_after_a_fault_only_the_rest_is_asked(server: FakeEndpoint, job: MemoryContext, word: str, code: str) -> None:
    server.script = lambda n: word if n >= 5 else "200"
    with pytest.raises(StudioError) as caught:
        run(params(server, concurrency=1), job)
    assert caught.value.code == code
    assert "answers kept: 5" in str(caught.value) and server.url in str(caught.value)
    assert not [event for event in job.events if event["event"] == "artifact"]
    server.script = lambda n: "200"
    result = run(params(server, concurrency=1), job)
    assert result.metrics["cached"] == 5 and result.metrics["asked"] == 7


def test_a_cancel_keeps_what_is_there(server: FakeEndpoint, job: MemoryContext) -> None:
    def answer(body: dict[str, Any]) -> str:
        job.stop = len(server.asked) >= 4
        return said_colour(body)

    server.answer = answer
    with pytest.raises(Cancelled):
        run(params(server, concurrency=1), job)
    job.stop = False
    server.answer = said_colour
    assert run(params(server, concurrency=1), job).metrics["cached"] >= 3


def test_answers_that_are_no_label_are_dropped_and_counted(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: "A dark one" if said_colour(body) == "blue" else said_colour(body)
    result = run(params(server), job)
    assert result.metrics["dropped"] == 4 and result.metrics["answered"] == 8
    everything = run(params(server, keep_labels_only=False), job)
    assert everything.metrics["answered"] == 12


def test_a_row_that_the_endpoint_refuses_is_dropped_and_asked_again_by_a_later_run(
    server: FakeEndpoint, job: MemoryContext
) -> None:
    server.fault = lambda body: "400" if "thing 1\n" in body["messages"][-1]["content"] else None
    result = run(params(server), job)
    assert result.metrics["answered"] == 11 and result.metrics["dropped_no_answer"] == 1 and len(server.asked) == 12
    again = run(params(server), job)
    assert again.metrics["answered"] == 11 and again.metrics["asked"] == 1 and len(server.asked) == 13


def test_answers_that_were_cut_off_are_dropped_and_counted_also_from_the_cache(
    server: FakeEndpoint, tmp_path: Path
) -> None:
    data = tiny_dataset(tmp_path / "data")
    job = MemoryContext(tmp_path / "job", [dataset_view(data)])
    server.ending = "length"
    assert run(params(server), job).metrics["answered"] == 12  # each is a label
    write_template(data, DataFolder(data).template.model_copy(update={"answer": "text"}))
    for _ in range(2):
        with pytest.raises(StudioError) as caught:
            run(params(server), job)
        assert caught.value.code == "synth.all_cut_off"
    server.ending = "stop"
    asked = len(server.asked)
    assert run(params(server, max_new_tokens=99), job).metrics["answered"] == 12 and len(server.asked) == asked + 12


def test_a_teacher_of_no_use_says_why(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: "I think it is red"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "chat.teacher_useless" and "I think it is red" in str(caught.value)
    assert "{labels}" in str(caught.value)


def test_empty_answers_end_early_and_are_asked_again(server: FakeEndpoint, job: MemoryContext) -> None:
    server.script = lambda n: "empty"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "chat.teacher_empty"
    server.script = lambda n: "200"
    assert run(params(server), job).metrics["cached"] == 0


def test_the_teachers_own_prompt_is_not_the_students(server: FakeEndpoint, job: MemoryContext) -> None:
    run(params(server, prompt="{input} is one of {labels}?", max_rows=1), job)
    assert server.asked[0]["messages"] == [
        {"role": "system", "content": "Name the colour."},
        {"role": "user", "content": "red thing 0 is one of red, green, blue?"},
    ]
    data, manifest = made(job)
    assert data.template.user == "{input}" and manifest["facts"]["answered"] == 1


def test_equal_prompts_are_asked_once(server: FakeEndpoint, tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    folder.mkdir()
    write_template(folder, Template())
    write_split(folder, "pool", [Row(id=str(n), input="red") for n in range(5)])
    job = MemoryContext(tmp_path / "job", [dataset_view(folder)])
    result = run(params(server), job)
    assert len(server.asked) == 1 and result.metrics["answered"] == 5


def test_the_key_is_in_no_file(server: FakeEndpoint, job: MemoryContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", "sk-very-secret")
    server.key = "sk-very-secret"
    run(params(server, endpoint_key_env="TEACHER_API_KEY"), job)
    root = job.order.dir.parent
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 5 and not [path for path in files if b"sk-very-secret" in path.read_bytes()]
    assert "sk-very-secret" not in json.dumps(job.events)


@pytest.mark.parametrize("name", ["SLMOPS_DB_URL", "AWS_SECRET_ACCESS_KEY", "HOME"])
def test_no_other_variable_can_be_sent_to_an_address(server: FakeEndpoint, name: str) -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 3})
    problems = check(params(server, data="d", endpoint_key_env=name), world)
    assert [(problem.code, problem.field) for problem in problems] == [("chat.endpoint_key_name", "endpoint_key_env")]


def test_every_problem_is_said_at_once() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 5, "pool": 0})
    wrong = TeacherParams(data="d", endpoint_url="nowhere", prompt="Which?")
    codes = [problem.code for problem in check(wrong, world)]
    assert codes == [
        "chat.endpoint_url",
        "chat.endpoint_model_missing",
        "chat.prompt_input",
        "chat.no_rows",
    ]
    for both in ({}, {"model": "m", "endpoint_url": "http://h/v1", "endpoint_model": "x"}):
        world.add("m", Kind.MODEL, parameters=1000)
        assert "chat.one_teacher" in [p.code for p in check(TeacherParams(data="d", **both), world)]


def test_the_notice_of_the_data_stays_with_the_answers(server: FakeEndpoint, job: MemoryContext) -> None:
    (job.input("dataset-d1").path / "NOTICE").write_text("Sentences by somebody", encoding="utf-8")
    run(params(server), job)
    assert (made(job)[0].path / "NOTICE").read_text("utf-8") == "Sentences by somebody"


@pytest.mark.parametrize("split", ["validation", "test", "poll"])
def test_rows_that_measure_are_never_learned(split: str) -> None:
    with pytest.raises(StudioError, match="splits"):
        STAGE.parse({"data": "d", "model": "m", "splits": ["pool", split]})


def test_a_key_in_the_place_of_its_variables_name_is_refused_unrepeated() -> None:
    with pytest.raises(StudioError) as caught:
        STAGE.parse({"data": "d", "endpoint_key_env": "sk-abc-123"})
    assert "endpoint_key_env" in str(caught.value) and "sk-abc" not in str(caught.value)


def test_the_forecast_counts_rows() -> None:
    world = FakeWorld().add("d", Kind.DATASET, rows={"train": 400, "pool": 1000, "test": 50}, prompt_chars=90)
    asked = quote(TeacherParams(data="d", endpoint_url="http://h/v1", endpoint_model="x"), world)
    assert asked.forecast["rows"] == {"train": 1400, "pool": 0, "test": 50}
    assert asked.tokens > 1000 * 25
    assert quote(TeacherParams(data="d", model="m"), world.add("m", Kind.MODEL, parameters=1e8)).tokens == 0


@pytest.mark.ml
def test_a_local_model_answers_and_its_answers_are_kept(tmp_path: Path) -> None:
    model = model_view(build_lively_model(tmp_path / "model"))
    job = MemoryContext(tmp_path / "job", [dataset_view(tiny_dataset(tmp_path / "data")), model])
    local = TeacherParams(data="dataset-d1", model=model.id, keep_labels_only=False, max_new_tokens=4)
    first = run(local, job)
    rows = [row.output for row in made(job)[0].rows("train") if row.id.startswith("p")]
    again = run(local, job)
    assert first.metrics["asked"] == 12 and again.metrics["asked"] == 0 and again.metrics["cached"] == 12
    assert rows == [row.output for row in made(job)[0].rows("train") if row.id.startswith("p")] != []
    assert made(job)[1]["parents"] == sorted(["dataset-d1", model.id])
    assert made(job)[1]["facts"]["teachers"] == [model.id]
    changed = model.model_copy(update={"digest": "other weights"})
    job.order.inputs[model.id] = changed
    assert run(local, job).metrics["asked"] == 12


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
    assert "OPENAI_API_KEY" not in os.environ


KILLED = """
import sys
from pathlib import Path
from backend.jobs.context import MemoryContext
from backend.stages.teacher import TeacherParams, run
from tests.helpers import dataset_view
url, job, data = sys.argv[1:]
settings = dict(data="dataset-d1", endpoint_url=url, endpoint_model="big", samples=3, temperature=1, concurrency=2)
run(TeacherParams(**settings), MemoryContext(Path(job), [dataset_view(Path(data))]))
"""


@pytest.mark.proc
def test_a_kill_loses_at_most_the_requests_in_flight(server: FakeEndpoint, tmp_path: Path) -> None:
    data = tiny_dataset(tmp_path / "data")
    server.script = lambda n: "200" if n < 20 else "never"
    arguments = [sys.executable, "-c", KILLED, server.url, str(tmp_path / "job"), str(data)]
    child = subprocess.Popen(arguments, cwd=ROOT)
    until(lambda: len(server.asked) >= 22)
    child.kill()
    child.wait()
    assert len(server.asked) == 22, "two at once"
    server.script = lambda n: "200"
    assert subprocess.run(arguments, cwd=ROOT, timeout=PATIENCE).returncode == 0
    assert 36 <= len(server.asked) <= 36 + 2
