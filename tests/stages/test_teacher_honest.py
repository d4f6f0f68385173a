"""A teacher's answers, lenient and honest: labels named, read out of their wrapping, faults counted, said early and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import stages
from backend.core.endpoints import SavedEndpoint
from backend.core.errors import StudioError
from backend.core.refs import replace_refs
from backend.core.schemas import ArtifactView
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.jobs.context import MemoryContext
from backend.planning import recipes
from backend.planning.guide.chain import Teacher, Wish, recipe_of
from backend.planning.guide.goals import GOALS, Material
from backend.planning.guide.presets import PRESETS
from backend.stages.teacher import TeacherParams, run
from tests.helpers import dataset_view
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import log_of, made


def params(server: FakeEndpoint, **change: Any) -> TeacherParams:
    settings = {"data": "dataset-d1", "endpoint_url": server.url, "endpoint_model": "big", "retries": 0, "timeout": 2}
    return TeacherParams(**{**settings, **change})


def colour(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[0])


def dataset(folder: Path, rows: int, template: Template, text: str = "red thing") -> MemoryContext:
    folder.mkdir()
    write_template(folder, template)
    write_split(folder, "pool", [Row(id=f"p{n}", input=f"{text} {n}") for n in range(rows)])
    return MemoryContext(folder.parent / "job", [dataset_view(folder)])


LABELS = Template(answer="label", labels=["red", "green", "blue"])


def test_the_labels_are_named_to_the_teacher_and_not_to_the_student(server: FakeEndpoint, job: MemoryContext) -> None:
    run(params(server, max_rows=1), job)
    assert server.asked[0]["messages"][-1]["content"] == "red thing 0\n\nReply with one of: red, green, blue."
    assert made(job)[0].template.user == "{input}"
    run(params(server, max_rows=1, prompt="{input}: {labels}?"), job)
    assert server.asked[1]["messages"][-1]["content"] == "red thing 0: red, green, blue?"
    run(params(server, max_rows=1, name_labels=False), job)
    assert server.asked[2]["messages"][-1]["content"] == "red thing 0"


def test_wrapped_labels_count_are_told_and_kept_as_they_came(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: f"**{colour(body).title()}.**" if colour(body) == "blue" else colour(body)
    result = run(params(server), job)
    assert result.metrics["answered"] == 12 and result.metrics["lenient"] == 4 and not result.findings
    folder = made(job)[0]
    assert {row.output for row in folder.rows("train")} <= {"red", "green", "blue"}
    kept = [json.loads(line) for line in (folder.path / "replies.jsonl").read_text("utf-8").splitlines()]
    assert [one["reply"] for one in kept] == ["**Blue.**"] * 4 and {one["answer"] for one in kept} == {"blue"}


def test_several_labels_and_refusals_are_dropped_and_end_with_findings(
    server: FakeEndpoint, job: MemoryContext
) -> None:
    said = {"red": "red", "green": "green or blue", "blue": "I'm sorry, but I can't assist with that."}
    server.answer = lambda body: said[colour(body)]
    result = run(params(server), job)
    assert result.metrics["dropped_two_labels"] == 4 and result.metrics["dropped_refusal"] == 4
    assert [found.code for found in result.findings] == ["teacher.many_unusable"] and result.findings[0].args[
        "bad"
    ] == 8
    kept = (made(job)[0].path / "replies.jsonl").read_text("utf-8")
    assert "green or blue" in kept and '"reason": "refusal"' in kept


def test_a_filter_is_a_refusal_and_a_refusal_in_text_is_dropped_unless_wanted(
    server: FakeEndpoint, tmp_path: Path
) -> None:
    job = dataset(tmp_path / "data", 5, Template())
    server.answer = lambda body: "As an AI, I cannot do that." if "thing 1" in str(body["messages"]) else "Fine."
    assert run(params(server), job).metrics["dropped_refusal"] == 1
    assert run(params(server, drop_refusals=False), job).metrics["answered"] == 5
    server.ending = "content_filter"
    with pytest.raises(StudioError) as caught:
        run(params(server, endpoint_model="filtered"), job)
    assert caught.value.code == "teacher.all_refused"


def test_reasoning_is_split_off_and_kept_as_the_rationale(server: FakeEndpoint, job: MemoryContext) -> None:
    server.answer = lambda body: f"<think>It looks so.</think>\n{colour(body)}"
    for _ in range(2):  # the second time from the cache
        result = run(params(server), job)
        rows = [row for row in made(job)[0].rows("train") if row.id.startswith("p")]
        assert result.metrics["lenient"] == 0 and {row.rationale for row in rows} == {"It looks so."}
    assert len(server.asked) == 12


def test_the_first_twenty_of_no_use_end_it_with_reason_and_examples(server: FakeEndpoint, tmp_path: Path) -> None:
    job = dataset(tmp_path / "data", 200, LABELS)
    server.answer = lambda body: "It depends, write to ana@example.com"
    with pytest.raises(StudioError) as caught:
        run(params(server, trial_rows=0, concurrency=1), job)
    assert caught.value.code == "teacher.first_useless" and len(server.asked) <= 22
    said = str(caught.value)
    assert "invalid label (20)" in said and "It depends" in said and "ana@example.com" not in said


def test_a_trial_stops_a_teacher_of_little_use_before_the_rest(server: FakeEndpoint, tmp_path: Path) -> None:
    job = dataset(tmp_path / "data", 100, LABELS)
    server.answer = lambda body: "red" if body["messages"][-1]["content"].startswith("red thing 1\n") else "perhaps"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "teacher.trial_useless" and len(server.asked) == 10
    server.answer = lambda body: "red"
    result = run(params(server, endpoint_model="better"), job)
    assert result.metrics["answered"] == 100 and len(server.asked) == 110
    assert any("Trial: 10 of 10 answers are usable" in line for line in log_of(job))


def test_a_trial_measures_the_cost_and_stops_before_the_budget_is_gone(server: FakeEndpoint, tmp_path: Path) -> None:
    job = dataset(tmp_path / "data", 100, LABELS)
    server.counts = True
    prices = {"input_price": 1000.0, "output_price": 1000.0}
    job.order.endpoints["big"] = SavedEndpoint(name="big", preset="other", url=server.url, model="m", **prices)
    asked = TeacherParams(data="dataset-d1", endpoint="big", budget=0.9, max_new_tokens=4, retries=0, timeout=2)
    with pytest.raises(StudioError) as caught:
        run(asked, job)
    assert caught.value.code == "teacher.trial_budget" and len(server.asked) == 10
    assert any("USD each; about" in line for line in log_of(job))


@pytest.mark.parametrize("answer", ["label", "text"])
def test_personal_data_stays_until_somebody_decides(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    template = LABELS if answer == "label" else Template()
    job = dataset(tmp_path / "data", 4, template, "red mail of ana.perez@example.com")
    monkeypatch.setattr("backend.generation.privacy._THIS_MACHINE", frozenset())  # the local server counts as elsewhere
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "teacher.personal_kinds" and "e-mail address (4)" in str(caught.value)
    assert not server.asked
    run(params(server, personal_data="mask"), job)
    assert "ana.perez" not in json.dumps(server.asked) and "[EMAIL_1]" in json.dumps(server.asked)
    row = next(iter(made(job)[0].rows("train")))
    assert ("ana.perez" in row.input) == (answer == "label")
    run(params(server, personal_data="send"), job)
    assert "ana.perez" in json.dumps(server.asked) and any("sent as it is" in line for line in log_of(job))


def test_a_label_that_was_cut_may_be_another(server: FakeEndpoint, tmp_path: Path) -> None:
    labels = LABELS.model_copy(update={"labels": ["red", "red wine"]})
    job = dataset(tmp_path / "data", 3, labels)
    server.ending = "length"
    with pytest.raises(StudioError) as caught:
        run(params(server), job)
    assert caught.value.code == "synth.all_cut_off"
    assert DataFolder(job.input("dataset-d1").path).template == labels


@pytest.mark.parametrize("personal", ["mask", "send", "ask"])
def test_the_guided_way_ends_well_with_personal_data_and_a_teacher_elsewhere(
    server: FakeEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, personal: str
) -> None:
    monkeypatch.setattr("backend.generation.privacy._THIS_MACHINE", frozenset())  # the local server counts as elsewhere
    file = tmp_path / "mails.csv"
    rows = [f"the {('red', 'green', 'blue')[n % 3]} thing number {n} of ana{n}@example.com" for n in range(60)]
    file.write_text("message,topic\n" + "\n".join(f"{text},{text.split()[1]}" for text in rows), "utf-8")
    server.answer = lambda body: str(body["messages"][-1]["content"].split()[1])
    saved = SavedEndpoint(name="big", preset="other", url=server.url, model="m")
    material = Material({"train": 40, "validation": 10, "test": 10}, "label", 3)
    wish = Wish(
        GOALS["shrink"], PRESETS["quick"], {"source": str(file)}, "small", 30, material, Teacher("endpoint", "big"),
        personal=personal,
    )  # fmt: skip
    steps = {step.id: step for step in recipes.build(recipe_of(wish)).stages}
    views: dict[str, ArtifactView] = {}

    def done(id_: str) -> DataFolder:
        job = MemoryContext(tmp_path / id_, list(views.values()), job_id=id_, endpoints=[saved])
        stage = stages.stage(steps[id_].stage)
        stage.run(stage.parse(replace_refs(steps[id_].params, {name: view.id for name, view in views.items()})), job)
        folder, manifest = made(job)
        views[id_] = dataset_view(folder.path).model_copy(update={"id": manifest["id"], "facts": manifest["facts"]})
        return folder

    for id_ in ("data", *(["clean"] if personal == "mask" else [])):
        done(id_)
    if personal == "ask":
        with pytest.raises(StudioError) as caught:
            done("answers")
        assert caught.value.code == "teacher.personal_kinds" and not server.asked
        return
    answered = done("answers")
    sent = json.dumps(server.asked)
    assert server.asked and ("@example.com" in sent) == (personal == "send") == ("[EMAIL_1]" not in sent)
    assert {row.output for row in answered.rows("train")} == {"red", "green", "blue"}
