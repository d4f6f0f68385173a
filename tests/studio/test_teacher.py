"""The page Teacher: its catalogue, the dialog for endpoints, the ranking, and the way into the teacher's form."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from backend.core.endpoints import EndpointTestResult
from backend.core.schemas import ArtifactView, Kind, State
from studio.ui.shared import api_cache, tasks
from studio.ui.teacher.ranking import others
from tests.providers.fake_endpoint import FakeEndpoint
from tests.studio.builder import LABELS, StudioBuilder
from tests.studio.conftest import Show, words

DEEP: dict[str, Any] = {"name": "deep", "preset": "deepseek", "url": "http://h/v1", "model": "deepseek-chat"}
PASSED = {"metric": 0.9, "low": 0.8, "high": 0.96, "baseline": 0.3, "invalid_rate": 0.0, "failed": ""}
PASSED |= {"seconds_per_answer": 0.5, "tokens_per_s": 12.0}
FAILED: dict[str, Any] = {"failed": "it didn't answer", "failure": {"code": "core.memory_out"}}


def key(builder: StudioBuilder, field: str, stage: str = "teacher") -> str:
    return f"form.{builder.store.project()}.{stage}.{field}"


def audition(builder: StudioBuilder, data: ArtifactView, *candidates: dict[str, Any], **about: Any) -> ArtifactView:
    facts = {"data": data.id, "split": "validation", "n": 10, "metric": "accuracy", "prompt": "", **about}
    return builder.artifact(Kind.AUDITION, "heard", facts | {"candidates": list(candidates)}, parents=[data.id])


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("No saved endpoints yet.", "No models yet.")),
        ("es", ("Aún no hay endpoints guardados.", "Aún no hay modelos.")),
    ],
)
def test_an_empty_catalogue_says_what_to_do(show: Show, language: str, said: tuple[str, ...]) -> None:
    text = words(show("teacher", language, step="choose"))
    assert all(each in text for each in said)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "$0.30 in, $1.20 out per million tokens",
                "Not tested yet",
                "Check the terms",
                "not allowing distillation",
                "passed its audition",
                "80.0%",
                "it didn't answer",
            ),
        ),
        (
            "es",
            (
                "de entrada, ",
                "Aún sin probar",
                "Consulta los términos",
                "no permite la destilación",
                "superó su audición",
                "80,0 %",
                "no respondió",
            ),
        ),
    ],
)
def test_the_catalogue_tells_what_is_known(
    show: Show, builder: StudioBuilder, language: str, said: tuple[str, ...]
) -> None:
    builder.studio.save_endpoint({**DEEP, "input_price": 0.3, "output_price": 1.2})
    builder.studio.save_endpoint({**DEEP, "name": "strict", "forbids_distillation": "yes"})
    model, data = builder.model(), builder.dataset()
    builder.evaluation(model, data, 0.8)
    audition(
        builder, data, {"name": model.name, "model": model.id, **PASSED}, {"name": "deep", "endpoint": "deep", **FAILED}
    )
    text = words(show("teacher", language, step="choose")).replace("\\", "").replace("\xa0", " ")
    assert [each for each in said if each not in text] == []


def test_use_as_teacher_fills_the_form(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    first, second = builder.model("first"), builder.model("second")
    builder.studio.save_endpoint({**DEEP, "input_price": 100, "output_price": 100})
    at = show("teacher", step="choose")
    at.button(key=f"use_{first.id}").click().run()
    assert at.selectbox(key=key(builder, "model")).value == first.id != second.id
    at.segmented_control(key="step").set_value("choose").run()
    at.button(key="use_endpoint_deep").click().run()
    assert at.selectbox(key=key(builder, "endpoint")).value == "deep"
    assert any(metric.label == "Cost" and metric.value.startswith("$") for metric in at.metric)
    at.number_input(key=key(builder, "budget")).set_value(0.01).run()
    assert any(":orange[" in each.value and "budget of 0.01" in each.value for each in at.markdown)
    at.button(key="start_teacher").click().run()
    (run,) = builder.store.runs()
    assert (run.jobs[0].params["endpoint"], run.jobs[0].params["budget"]) == ("deep", 0.01)
    assert show("teacher").selectbox(key=key(builder, "endpoint")).value == "deep", "the draft is kept"


def test_the_dialog_saves_and_says_what_is_wrong_beside_the_field(show: Show, builder: StudioBuilder) -> None:
    at = show("teacher", "es", step="choose")
    at.button(key="endpoint_add").click().run()
    at.selectbox(key="endpoint_form.preset").set_value("vllm").run()
    assert at.text_input(key="endpoint_form.url").value == "http://localhost:8000/v1"
    at.text_input(key="endpoint_form.name").set_value("dos palabras")
    at.text_input(key="endpoint_form.key_env").set_value("sk-secret-1")
    at.button(key="endpoint_save").click().run()
    wrong = [each.value for each in at.markdown if ":red[" in each.value]
    assert len(wrong) == 3 and not builder.studio.endpoints()
    at.text_input(key="endpoint_form.name").set_value("mine")
    at.text_input(key="endpoint_form.key_env").set_value("")
    at.text_input(key="endpoint_form.model").set_value("qwen")
    at.button(key="endpoint_save").click().run()
    (saved,) = builder.studio.endpoints()
    assert (saved.name, saved.preset, saved.model, saved.priced) == ("mine", "vllm", "qwen", False)
    at.run()
    at.button(key="edit_endpoint_mine").click().run()
    assert at.text_input(key="endpoint_form.name").disabled
    at.number_input(key="endpoint_form.input_price").set_value(0.0)
    at.number_input(key="endpoint_form.output_price").set_value(0.0)
    at.button(key="endpoint_save").click().run()
    assert builder.studio.endpoint("mine").priced
    at.run()
    at.button(key="delete_endpoint_mine").click().run()
    assert builder.studio.endpoints() == []


def test_a_key_is_typed_tested_kept_and_deleted(show: Show, builder: StudioBuilder, keyring_file: Path) -> None:
    secret = "sk-typed-0123456789"
    with FakeEndpoint(key=secret).running() as server:
        at = show("teacher", step="choose")
        at.button(key="endpoint_add").click().run()
        for field, value in {"name": "mine", "url": server.url, "model": "m", "key_env": ""}.items():
            at.text_input(key=f"endpoint_form.{field}").set_value(value)
        box = at.text_input(key="endpoint_form.key")
        assert box.proto.type == box.proto.PASSWORD
        at.button(key="endpoint_try").click().run()
        assert "requires a key" in at.error[0].value and not builder.studio.endpoints()
        at.text_input(key="endpoint_form.key").set_value("two words")
        at.button(key="endpoint_save").click().run()
        assert any("Not a valid key" in mark.value for mark in at.markdown)
        at.text_input(key="endpoint_form.key").set_value(secret)
        at.button(key="endpoint_try").click().run()
        assert "Answered in" in at.success[0].value
        at.button(key="endpoint_save").click().run()
    assert builder.studio.endpoint("mine").key_kept and secret in keyring_file.read_text("utf-8")
    assert secret not in repr(at.session_state) + str(at.query_params)
    at.run()
    assert "key in the keyring" in words(at)
    at.button(key="edit_endpoint_mine").click().run()
    assert at.text_input(key="endpoint_form.key").value == "", "it is never shown again"
    at.button(key="endpoint_key_delete").click().run()
    assert not builder.studio.endpoint("mine").key_kept and secret not in keyring_file.read_text("utf-8")


@pytest.mark.parametrize(("language", "said"), [("en", "no keyring"), ("es", "no tiene un llavero")])
def test_without_a_keyring_the_dialog_says_so_and_asks_for_a_variable(
    show: Show, builder: StudioBuilder, language: str, said: str
) -> None:
    at = show("teacher", language, step="choose")
    at.button(key="endpoint_add").click().run()
    assert any(said in each.value for each in at.info)
    assert at.text_input(key="endpoint_form.key_env").value == "OPENAI_API_KEY"
    assert "endpoint_form.key" not in [box.key for box in at.text_input]


@pytest.mark.parametrize(("word", "said"), [("200", "log-probabilities: yes"), ("401", "requires a key")])
def test_the_test_button_asks_and_tells(show: Show, builder: StudioBuilder, word: str, said: str) -> None:
    with FakeEndpoint(lambda n: word).running() as server:
        server.logprobs = "gives"
        builder.studio.save_endpoint({**DEEP, "url": server.url})
        at = show("teacher", step="choose")
        at.button(key="test_endpoint_deep").click().run()
        until = time.monotonic() + 20
        while (going := tasks.task("endpoint_test:deep")) is not None and not going.done and time.monotonic() < until:
            time.sleep(0.05)
    api_cache.clear_caches()
    at.run()
    assert said in words(at).replace("\\", "")


def test_the_ranking_names_the_winner_and_takes_it(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    builder.studio.save_endpoint(DEEP)
    best = {"name": "deep", "endpoint": "deep", "usd_per_1000": 0.25, **PASSED}
    best["example"] = {"input": "close it", "expected": "HassTurnOff", "answer": "<b>no</b>"}
    failed = {"name": model.name, "model": model.id, **FAILED}
    audition(builder, data, best, failed, prompt="{input}?")
    for language, said in (("en", "**deep** is the best teacher"), ("es", "**deep** es el mejor maestro")):
        assert said in words(show("teacher", language, step="audition"))
    at = show("teacher", step="audition")
    assert any("The process ran out of memory." in each.value for each in at.markdown)
    assert "Answer: <b>no</b>" in "\n".join(each.value for each in at.text)
    at.button(key="use_winner").click().run()
    assert at.selectbox(key=key(builder, "endpoint")).value == "deep"
    assert at.text_area(key=key(builder, "prompt")).value == "{input}?"


def test_a_teacher_that_failed_is_flagged_and_can_start(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    audition(builder, data, {"name": model.name, "model": model.id, **FAILED})
    text = words(show("teacher", "es", step="audition"))
    assert "Ningún candidato la superó" in text
    at = show("teacher", "es")
    warned = [each.value for each in at.markdown if ":orange[" in each.value and "no superó la audición" in each.value]
    assert len(warned) == 1 and "no respondió" in warned[0]
    assert not at.button(key="start_teacher").disabled


def test_an_audition_starts_from_its_form(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    builder.studio.save_endpoint(DEEP)
    at = show("teacher", step="audition")
    assert "No audition yet" in words(at)
    assert at.multiselect(key=key(builder, "models", "audition")).value == [model.id]
    at.multiselect(key=key(builder, "models", "audition")).set_value([]).run()
    assert at.button(key="start_audition").disabled
    at.multiselect(key=key(builder, "models", "audition")).set_value([model.id])
    at.multiselect(key=key(builder, "endpoints", "audition")).set_value(["deep"]).run()
    at.button(key="start_audition").click().run()
    params = builder.store.runs()[0].jobs[0].params
    assert (params["data"], params["models"], params["endpoints"]) == (data.id, [model.id], ["deep"])


def test_at_first_the_catalogue_later_the_form(show: Show, builder: StudioBuilder) -> None:
    assert show("teacher", step="").segmented_control(key="step").value == "choose"
    builder.run("asked", ("teacher", State.SUCCEEDED))
    api_cache.clear_caches()
    assert show("teacher", step="").segmented_control(key="step").value == "teacher"


def test_who_may_be_as_good_is_said_with_what_speaks_for_it() -> None:
    best = {"name": "best", "usd_per_1000": 1.0, **PASSED}
    near = {"name": "near", **PASSED, "p_against_best": 0.4, "seconds_per_answer": 0.1}
    far = {"name": "far", **PASSED, "p_against_best": 0.01}
    (said,) = others([best, near, far, {"name": "bad", **FAILED}])
    assert "near" in said and "p = 0.4" in said and "cheaper, faster" in said


def test_the_largest_model_is_the_first_that_could_teach(show: Show, builder: StudioBuilder) -> None:
    for name, parameters in (("small", 10), ("large", 1000), ("middle", 100)):
        builder.model(name, facts={"parameters": parameters})
    at = show("teacher", step="choose")
    names = [str(button.key) for button in at.button if button.label == "Use as teacher"]
    assert names == ["use_model-large", "use_model-middle", "use_model-small"]


@pytest.mark.parametrize(
    ("language", "secret", "shape", "warned"),
    [
        ("en", "seems to contain a secret", "not a JSON object", "unencrypted"),
        ("es", "parece contener un secreto", "no son un objeto JSON", "sin cifrar"),
    ],
)
def test_headers_and_body_fields_are_typed_and_what_is_wrong_stands_below(
    show: Show, builder: StudioBuilder, language: str, secret: str, shape: str, warned: str
) -> None:
    at = show("teacher", language, step="choose")
    at.button(key="endpoint_add").click().run()
    for field, value in {
        "name": "mine",
        "url": "http://far.example/v1",
        "model": "m",
        "key_env": "OWN_API_KEY",
    }.items():
        at.text_input(key=f"endpoint_form.{field}").set_value(value)
    at.text_area(key="endpoint_form.headers").set_value("Authorization: Bearer abc")
    at.text_area(key="endpoint_form.body").set_value("{")
    at.button(key="endpoint_save").click().run()
    wrong = "\n".join(each.value for each in at.markdown if ":red[" in each.value)
    assert secret in wrong and shape in wrong and not builder.studio.endpoints()
    assert any(":orange[" in each.value and warned in each.value for each in at.markdown)
    at.text_area(key="endpoint_form.headers").set_value("Authorization: Bearer ${OWN_API_KEY}")
    at.text_area(key="endpoint_form.body").set_value('{"reasoning_effort": "low"}')
    at.number_input(key="endpoint_form.tokens_per_minute").set_value(90_000)
    at.button(key="endpoint_save").click().run()
    saved = builder.studio.endpoint("mine")
    assert saved.headers == {"Authorization": "Bearer ${OWN_API_KEY}"} and saved.tokens_per_minute == 90_000
    at.run()
    at.button(key="edit_endpoint_mine").click().run()
    assert at.text_area(key="endpoint_form.headers").value == "Authorization: Bearer ${OWN_API_KEY}"
    assert at.text_area(key="endpoint_form.body").value == '{\n "reasoning_effort": "low"\n}'
    at.button(key="endpoint_save").click().run()
    assert builder.studio.endpoint("mine") == saved, "opened and saved, nothing changes"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "en",
            (
                "Doesn't stream. Doesn't accept a seed.",
                "Not accepted, so left out: temperature.",
                "Reasons before answering",
            ),
        ),
        (
            "es",
            ("No admite streaming. No admite semilla.", "se omiten: temperature.", "Razona antes"),
        ),
    ],
)
def test_the_card_says_what_the_test_found(
    show: Show, builder: StudioBuilder, language: str, said: tuple[str, ...]
) -> None:
    builder.studio.save_endpoint(DEEP)
    found = {"logprobs": False, "streams": False, "seed": False, "left_out": ["temperature"], "reasoning": True}
    trial = {"seconds": 0.4, "tokens_per_s": None, "context": None, "answer": "One", **found}
    builder.store.save_trial("deep", EndpointTestResult.model_validate(trial))
    text = words(show("teacher", language, step="choose")).replace("\\", "")
    assert [each for each in said if each not in text] == []


@pytest.mark.parametrize(
    ("language", "said", "dropped"),
    [("en", "4 of 5 answers are usable", "Several labels"), ("es", "Sirven 4 de 5 respuestas", "Varias etiquetas")],
)
def test_five_rows_are_tried_and_shown(
    show: Show, builder: StudioBuilder, language: str, said: str, dropped: str
) -> None:
    builder.dataset()
    with FakeEndpoint().running() as server:
        both = " or ".join(LABELS[:2])
        server.answer = lambda body: both if " p1" in str(body["messages"]) else f"**{LABELS[0]}**"
        builder.studio.save_endpoint({**DEEP, "url": server.url})
        at = show("teacher", language, step="teacher")
        at.segmented_control(key=key(builder, "answerer")).set_value("saved").run()
        at.selectbox(key=key(builder, "endpoint")).set_value("deep").run()
        at.button(key="try_rows").click().run()
        mark = f"try_rows:{builder.store.project()}"
        until = time.monotonic() + 20
        while (going := tasks.task(mark)) is not None and not going.done and time.monotonic() < until:
            time.sleep(0.05)
        at.run()
    assert len(server.asked) == 5 and said in words(at)
    shown = [each.value for each in at.code]
    assert any(LABELS[-1] in each for each in shown), "the prompt names the labels"
    assert f"**{LABELS[0]}**" in shown and any(dropped in each.label for each in at.expander)
