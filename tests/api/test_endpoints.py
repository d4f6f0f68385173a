"""Saved endpoints: kept by name, checked by field, tried for real, resolved into the order of a job; keys nowhere."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.cli import main
from backend.core.endpoints import PRESETS, SavedEndpoint
from backend.core.errors import StudioError
from backend.core.schemas import State
from backend.db import tables as t
from backend.jobs.resolve import job_spec
from backend.stages import stage
from tests.providers.fake_endpoint import FakeEndpoint
from tests.stages.fake_world import FakeWorld
from tests.studio.builder import StudioBuilder

GOOD: dict[str, Any] = {"name": "deep", "preset": "deepseek", "url": "http://h/v1", "model": "deepseek-chat"}


@pytest.fixture
def studio(home: Path) -> Studio:
    return Studio.open(home=home)


def test_an_endpoint_is_kept_replaced_and_deleted(studio: Studio, home: Path) -> None:
    studio.save_endpoint({**GOOD, "input_price": 0.3, "output_price": 1.2, "key_env": "DEEP_API_KEY"})
    studio.save_endpoint({**GOOD, "name": "a-first"})
    again = Studio.open(home=home)
    assert [one.name for one in again.endpoints()] == ["a-first", "deep"]
    assert again.endpoint("deep").priced and not again.endpoint("a-first").priced
    again.save_endpoint({**GOOD, "model": "other"}, new=False)
    assert again.endpoint("deep").model == "other"
    again.delete_endpoint("deep")
    with pytest.raises(StudioError) as caught:
        again.endpoint("deep")
    assert caught.value.code == "endpoints.unknown"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": "two words"}, "name", "value.characters"),
        ({"url": "h/v1"}, "url", "endpoints.address"),
        ({"url": "https://me:word@h/v1"}, "url", "endpoints.address"),
        ({"url": PRESETS["azure_foundry"].url}, "url", "endpoints.unfilled"),
        ({"url": PRESETS["foundry_local"].url}, "url", "endpoints.unfilled"),
        ({"model": " "}, "model", "value.missing"),
        ({"key_env": "sk-abc-123"}, "key_env", "value.characters"),
        ({"input_price": -1}, "input_price", "value.at_least"),
        ({"name": "there"}, "name", "endpoints.taken"),
    ],
)
def test_every_problem_has_its_field(studio: Studio, change: dict[str, Any], field: str, code: str) -> None:
    studio.save_endpoint({**GOOD, "name": "there"})
    problems = studio.check_endpoint({**GOOD, **change}, new=True)
    assert [(problem.field, problem.code) for problem in problems] == [(field, code)]
    assert "sk-abc" not in problems[0].text() and "word" not in problems[0].text().replace("password", "")


def test_presets_can_be_saved_once_their_capitals_are_filled() -> None:
    assert len(PRESETS) == 10
    for name, preset in PRESETS.items():
        url = preset.url
        for word in ("RESOURCE", "DEPLOYMENT", "ENDPOINT", "REGION", "HOST"):
            url = url.replace(word, "mine")
        made = SavedEndpoint(name="x", preset=name, url=url.replace("PORT", "1"), model="m", key_env=preset.key_env)
        assert made.protocol == preset.protocol
        assert preset.terms
    linked = {name for name, preset in PRESETS.items() if preset.terms_url.startswith("https://")}
    assert linked == {"azure_foundry", "deepseek", "openai", "anthropic"}
    assert not any(preset.terms_url for name, preset in PRESETS.items() if name not in linked)


@pytest.mark.parametrize(
    ("way", "given", "requests"), [("gives", True, 2), ("ignores", False, 2), ("refuses", False, 3)]
)
def test_a_trial_says_what_the_endpoint_can(studio: Studio, way: str, given: bool, requests: int) -> None:
    with FakeEndpoint().running() as server:
        server.logprobs, server.counts, server.context = way, True, 8192
        studio.save_endpoint({**GOOD, "url": server.url, "model": "m"})
        trial = studio.test_endpoint("deep")
    assert (trial.logprobs, trial.context, trial.answer) == (given, 8192, "Count")
    assert trial.tokens_per_s and trial.seconds > 0 and len(server.asked) == requests
    assert (trial.streams, trial.seed, trial.left_out, trial.reasoning) == (True, True, [], False)
    assert studio.endpoint("deep").trial == trial
    studio.save_endpoint({**GOOD, "model": "m2"}, new=False)
    assert studio.endpoint("deep").trial is None


def test_a_trial_without_counts_and_lists_guesses_nothing(studio: Studio) -> None:
    with FakeEndpoint().running() as server:
        studio.save_endpoint({**GOOD, "url": server.url})
        trial = studio.test_endpoint("deep")
    assert trial.tokens_per_s is None and trial.context is None and not trial.logprobs


@pytest.mark.parametrize(("word", "code"), [("401", "keys.wanted"), ("html", "chat.endpoint_garbage")])
def test_a_trial_that_fails_says_why_and_keeps_nothing(studio: Studio, word: str, code: str) -> None:
    with FakeEndpoint(lambda n: word).running() as server:
        studio.save_endpoint({**GOOD, "url": server.url})
        with pytest.raises(StudioError) as caught:
            studio.test_endpoint("deep")
    assert caught.value.code == code and studio.endpoint("deep").trial is None


def job(builder: StudioBuilder, **params: Any) -> t.Job:
    run = builder.run("ask", ("teacher", State.WAITING), params=params)
    with builder.store.session() as session:
        return session.get_one(t.Job, f"{run}-teacher")


def test_the_order_of_a_job_holds_the_endpoint_as_it_is_saved_now(home: Path) -> None:
    builder = StudioBuilder(home)
    data = builder.dataset()
    builder.studio.save_endpoint({**GOOD, "key_env": "DEEP_API_KEY"})
    waiting = job(builder, data=data.id, endpoint="deep")
    builder.studio.save_endpoint({**GOOD, "url": "http://elsewhere/v1", "key_env": "DEEP_API_KEY"}, new=False)
    order = job_spec(builder.store, builder.studio.settings, waiting, stage)
    assert order.endpoints["deep"].url == "http://elsewhere/v1"
    with pytest.raises(StudioError) as caught:
        builder.studio.delete_endpoint("deep")
    assert caught.value.code == "endpoints.used"
    builder.store.update_job(waiting.id, state=State.CANCELLED)
    builder.studio.delete_endpoint("deep")
    with pytest.raises(StudioError) as caught:
        job_spec(builder.store, builder.studio.settings, waiting, stage)
    assert caught.value.code == "endpoints.unknown"


def test_the_teacher_is_checked_against_what_is_saved() -> None:
    from backend.core.schemas import Kind
    from backend.stages.teacher import TeacherParams, check, quote

    world = FakeWorld().add("d", Kind.DATASET, rows={"pool": 1000}, prompt_chars=100, answer_chars=20)
    assert [p.code for p in check(TeacherParams(data="d", endpoint="deep"), world)] == ["endpoints.unknown"]
    world.save("deep")
    assert [p.code for p in check(TeacherParams(data="d", endpoint="deep", budget=1), world)] == [
        "endpoints.budget_no_price"
    ]
    world.save("deep", input_price=1000, output_price=1000, forbids_distillation="yes")
    asked = quote(TeacherParams(data="d", endpoint="deep"), world)
    assert asked.money == pytest.approx(asked.tokens / 1000, rel=0.01)
    warned = check(TeacherParams(data="d", endpoint="deep", budget=1), world)
    assert [(p.code, p.blocking) for p in warned] == [("endpoints.budget_low", False), ("endpoints.forbidden", False)]
    world.held = [{"data": "d", "candidates": [{"endpoint": "deep", "name": "deep", "failed": "it didn't answer"}]}]
    assert "endpoints.failed_audition" in [p.code for p in check(TeacherParams(data="d", endpoint="deep"), world)]
    world.held.insert(0, {"data": "d", "candidates": [{"endpoint": "deep", "name": "deep", "failed": ""}]})
    assert "endpoints.failed_audition" not in [p.code for p in check(TeacherParams(data="d", endpoint="deep"), world)]


def test_the_command_line_saves_tests_and_forgets(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["slmops", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return f"{ended.value.code} {told.out}{told.err}"

    with FakeEndpoint().running() as server:
        assert "Saved mine" in call("endpoints", "add", "mine", "--model", "m", "--url", server.url)
        assert "log-probabilities: no" in call("endpoints", "test", "mine")
    assert server.url in call("endpoints", "list", "--json")
    assert "2 name: An endpoint “mine” already exists" in call(
        "endpoints", "add", "mine", "--model", "m", "--url", server.url
    )
    assert "Deleted mine" in call("endpoints", "delete", "mine")
    assert "2 There is no saved endpoint" in call("endpoints", "show", "mine")


def held(file: Path) -> list[str]:
    return list(json.loads(file.read_text("utf-8")).values()) if file.exists() else []


def test_a_typed_key_is_kept_used_replaced_and_deleted(studio: Studio, keyring_file: Path, home: Path) -> None:
    assert studio.keyring_problem() is None
    with FakeEndpoint(key="sk-typed-0123456789").running() as server:
        studio.save_endpoint({**GOOD, "url": server.url})
        studio.set_key("deep", " sk-wrong-0123456789\n")
        with pytest.raises(StudioError) as caught:
            studio.test_endpoint("deep")
        assert caught.value.code == "keys.refused" and "sk-wrong" not in caught.value.text()
        studio.set_key("deep", "sk-typed-0123456789")
        assert held(keyring_file) == ["sk-typed-0123456789"]
        assert studio.test_endpoint("deep").answer
        other = Studio.open(home=home.with_name("another"))
        other.save_endpoint({**GOOD, "url": server.url})
        with pytest.raises(StudioError, match="requires a key"):
            other.test_endpoint("deep")
    saved = studio.endpoint("deep")
    assert saved.key_kept and "sk-typed" not in saved.model_dump_json()
    assert b"sk-typed" not in b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    studio.delete_key("deep")
    assert held(keyring_file) == [] and not studio.endpoint("deep").key_kept
    with pytest.raises(StudioError) as caught:
        studio.delete_key("deep")
    assert caught.value.code == "keys.none"


def test_a_key_goes_with_its_endpoint_and_not_to_another_host(studio: Studio, keyring_file: Path) -> None:
    studio.save_endpoint(GOOD)
    studio.set_key("deep", "sk-typed-0123456789")
    studio.save_endpoint({**GOOD, "url": "http://h/v2", "model": "other"}, new=False)
    assert studio.endpoint("deep").key_kept, "the same host"
    studio.save_endpoint({**GOOD, "url": "http://elsewhere/v1"}, new=False)
    assert not studio.endpoint("deep").key_kept and held(keyring_file) == []
    studio.set_key("deep", "sk-typed-0123456789")
    studio.delete_endpoint("deep")
    assert held(keyring_file) == []


def test_what_is_filled_in_can_be_tried_before_it_is_saved(studio: Studio, keyring_file: Path) -> None:
    with FakeEndpoint(key="sk-typed-0123456789").running() as server:
        values = {**GOOD, "url": server.url}
        assert studio.try_endpoint(values, "sk-typed-0123456789").answer and studio.endpoints() == []
        with pytest.raises(StudioError, match="requires a key"):
            studio.try_endpoint(values, "")
        studio.save_endpoint(values)
        studio.set_key("deep", "sk-typed-0123456789")
        assert studio.try_endpoint(values, "", "deep").answer
    with FakeEndpoint().running() as stranger:
        studio.try_endpoint({**values, "url": stranger.url}, "", "deep")
        assert "sk-typed" not in json.dumps(stranger.headers), "the kept key is of another host"


def test_without_a_keyring_the_variable_is_named_and_counts(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = studio.keyring_problem()
    assert problem and "environment variable" in problem.text()
    with FakeEndpoint(key="sk-env-0123456789").running() as server:
        studio.save_endpoint({**GOOD, "url": server.url, "key_env": "DEEP_API_KEY"})
        with pytest.raises(StudioError) as caught:
            studio.set_key("deep", "sk-typed-0123456789")
        assert caught.value.code == "keys.no_keyring" and not studio.endpoint("deep").key_kept
        monkeypatch.setenv("DEEP_API_KEY", "sk-env-0123456789")
        assert studio.test_endpoint("deep").answer


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "value.missing"),
        ("two words", "keys.characters"),
        ("a\nb", "keys.characters"),
        ("ñandú", "keys.characters"),
    ],
)
def test_what_is_no_key_is_refused(studio: Studio, keyring_file: Path, key: str, code: str) -> None:
    studio.save_endpoint(GOOD)
    with pytest.raises(StudioError) as caught:
        studio.set_key("deep", key)
    assert caught.value.code == code and not keyring_file.exists()


def test_the_command_line_takes_a_key_from_standard_input(
    home: Path, keyring_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(*words: str, said: str = "") -> str:
        monkeypatch.setattr(sys, "argv", ["slmops", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return f"{ended.value.code} {told.out}{told.err}"

    Studio.open(home=home).save_endpoint(GOOD)
    told = call("endpoints", "key", "set", "deep", said="sk-typed-0123456789\n")
    assert told.startswith("0 ") and "sk-typed" not in told and held(keyring_file) == ["sk-typed-0123456789"]
    assert "keyring" in call("endpoints", "list") and "sk-typed" not in call("endpoints", "show", "deep", "--json")
    assert call("endpoints", "key", "set", "nobody", said="x\n").startswith("2 ")
    assert "Deleted the key" in call("endpoints", "key", "delete", "deep") and held(keyring_file) == []


def test_headers_and_body_fields_are_typed_saved_and_sent(studio: Studio) -> None:
    with FakeEndpoint().running() as server:
        values = {**GOOD, "url": server.url, "headers": "X-Team: support\n", "body": '{"reasoning_effort": "low"}'}
        saved = studio.save_endpoint({**values, "tokens_per_minute": 90_000})
        assert (saved.headers, saved.body) == ({"X-Team": "support"}, {"reasoning_effort": "low"})
        studio.test_endpoint("deep")
        assert server.headers[0]["x-team"] == "support" and server.asked[0]["reasoning_effort"] == "low"
    again = studio.save_endpoint(studio.endpoint("deep").model_dump(include=set(SavedEndpoint.model_fields)), new=False)
    assert (again.headers, again.tokens_per_minute) == ({"X-Team": "support"}, 90_000), "as it was saved, not as text"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"headers": "Authorization: Bearer sk-abc"}, "headers", "wire.header_secret"),
        ({"headers": "nothing"}, "headers", "wire.header_form"),
        ({"body": "{"}, "body", "wire.body_form"),
        ({"body": '{"model": "x"}'}, "body", "wire.field_ours"),
        ({"url": "http://169.254.169.254/latest"}, "url", "wire.metadata_host"),
    ],
)
def test_additions_have_problems_of_their_own(studio: Studio, change: dict[str, Any], field: str, code: str) -> None:
    assert [(each.field, each.code) for each in studio.check_endpoint({**GOOD, **change}, new=True)] == [(field, code)]
    with pytest.raises(StudioError):
        studio.save_endpoint({**GOOD, **change})
    with pytest.raises(StudioError):
        studio.try_endpoint({**GOOD, **change}, "")


def test_a_warning_does_not_keep_an_endpoint_from_being_saved(studio: Studio) -> None:
    values = {**GOOD, "url": "http://far.example/v1", "key_env": "DEEPSEEK_API_KEY"}
    warned = studio.endpoint_warnings(values, has_key=False)
    assert [(each.code, each.blocking) for each in warned] == [("wire.plain_http", False), ("wire.other_host", False)]
    assert studio.save_endpoint(values).url == "http://far.example/v1"


def test_a_trial_learns_what_is_refused_and_jobs_begin_with_it(studio: Studio) -> None:
    from backend.providers.quirks import QUIRKS_FILE, Quirks

    with FakeEndpoint().running() as server:
        refused = {"error": {"message": "Unsupported parameter: 'seed'"}}
        server.refuses = {"seed": refused}
        server.answer = lambda body: "<think>counting</think>One"
        studio.save_endpoint({**GOOD, "url": server.url, "model": "m"})
        trial = studio.test_endpoint("deep")
        assert (trial.seed, trial.left_out, trial.reasoning, trial.answer) == (False, ["seed"], True, "One")
        held = Quirks(f"{server.url}/chat/completions", "m", studio.settings.cache / QUIRKS_FILE)
        assert held.names == {"seed"}
        server.refuses = {}
        assert studio.test_endpoint("deep").seed, "a test forgets what it learned before"


def test_an_endpoint_of_an_older_home_has_no_additions(home: Path) -> None:
    from sqlalchemy import text

    studio = Studio.open(home=home)
    studio.save_endpoint(GOOD)
    trial = {"seconds": 1.0, "tokens_per_s": None, "logprobs": True, "context": None, "answer": "One"}
    with studio.store.session() as session:
        session.execute(text("update endpoint set trial = :trial"), {"trial": json.dumps(trial)})
    found = studio.endpoint("deep")
    assert found.trial is not None and found.trial.streams is None and found.headers == found.body == {}
