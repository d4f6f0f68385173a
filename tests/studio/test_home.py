"""Home in both languages and every state; the demo from the click to its run."""

from __future__ import annotations

import threading

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.api import Studio
from backend.core.errors import StudioError
from backend.core.schemas import RunView, State
from studio.paths import HERE
from studio.ui.home import demo
from studio.ui.shared.tasks import task
from tests.helpers import PATIENCE
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def labels(at: AppTest) -> list[str]:
    """Of all links of a page, in order."""
    return [element.proto.label for element in at.main.get("page_link")]


def metrics(at: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in at.metric}


@pytest.mark.parametrize(
    ("language", "said"), [("en", "What should your model do?"), ("es", "¿Qué debe hacer tu modelo?")]
)
def test_empty_studio_says_what_to_do(show: Show, language: str, said: str) -> None:
    at = show(language=language)
    assert said in words(at)
    assert "slmops run quickstart" in words(at)
    assert "`slmops worker`" in words(at)


@pytest.mark.parametrize(
    ("language", "said", "figures"),
    [
        ("en", ["Running now", "Next in the queue", "Waiting for Fine-tune", "1 of 3 stages"], {"Running jobs": "1"}),
        ("es", ["En marcha ahora", "Siguiente en la cola", "Esperando a Ajuste fino"], {"Trabajos en marcha": "1"}),
    ],
)
def test_what_runs_and_what_is_next(
    show: Show, builder: StudioBuilder, language: str, said: list[str], figures: dict[str, str]
) -> None:
    builder.run("commands", ("dataset", State.SUCCEEDED), ("finetune", State.RUNNING), ("evaluate", State.WAITING))
    builder.store.update_job("r-commands-evaluate", needs=["finetune"])
    at = show(language=language)
    for word in said:
        assert word in words(at), word
    assert figures.items() <= metrics(at).items()


def test_what_is_at_work_already_is_no_next_step(show: Show, builder: StudioBuilder) -> None:
    builder.dataset("mails")
    builder.run("old", ("dataset", State.SUCCEEDED))
    assert "Train a small model on your own answers" in words(show())
    builder.run("new", ("finetune", State.RUNNING))
    assert "Train a small model on your own answers" not in words(show())


def test_recent_runs_of_the_project_by_name(show: Show, builder: StudioBuilder) -> None:
    builder.run("one", ("dataset", State.SUCCEEDED), project="Mails")
    builder.run("*two* <b>", ("dataset", State.FAILED))
    at = show()
    assert "#1 **one**" in labels(at) and "two" not in words(at)
    other = show(project=builder.store.project("default"))
    assert "#1 **\\*two\\* \\<b\\>**" in labels(other) and "#1 **one**" not in labels(other)
    assert "0 of 1 stage" in words(other)


def test_best_figures_are_those_of_the_project(show: Show, builder: StudioBuilder) -> None:
    builder.run("one", ("dataset", State.SUCCEEDED))
    assert "after the first evaluation" in words(show())
    data = builder.dataset()
    builder.evaluation(builder.model("large"), data, 0.9, size_bytes=500e6, decode_tokens_per_s=20.0)
    builder.evaluation(builder.model("small"), data, 0.8, size_bytes=50e6, decode_tokens_per_s=200.0)
    st.cache_resource.clear()
    tiles = {each.label: (each.value, each.delta) for each in show().metric}
    assert tiles["Best accuracy"] == ("90.0%", "large")
    assert tiles["Smallest model"] == ("50.0 MB", "small")
    assert tiles["Fastest, tokens per second"] == ("200", "small")


def test_worker_is_named(show: Show, builder: StudioBuilder) -> None:
    builder.run("one", ("dataset", State.SUCCEEDED))
    assert metrics(show())["Worker"] == "None"
    builder.worker()
    st.cache_resource.clear()
    at = show("jobs")
    assert "workbench" in words(at) and "slmops worker" not in words(at)


def test_browser_language_is_taken(builder: StudioBuilder) -> None:
    at = AppTest.from_file(str(HERE / "app.py"), default_timeout=PATIENCE)
    at.context = {"locale": "es-MX"}
    at.run()
    assert at.title[0].value == "Primer proyecto"


def start(monkeypatch: pytest.MonkeyPatch, builder: StudioBuilder, error: StudioError | None = None) -> threading.Event:
    """The start of a recipe takes until the event is set, then fails or gives a run."""
    go = threading.Event()

    def start_recipe(self: Studio, recipe: str, key: str, project: str, fetch: bool) -> RunView:
        assert go.wait(20) and fetch, "the click allows to fetch the model"
        if error:
            raise error
        return self.run(builder.run(recipe, ("dataset", State.WAITING), project=project, id="r-demo"))

    monkeypatch.setattr(Studio, "start_recipe", start_recipe)
    return go


def test_demo_prepares_survives_a_reload_and_opens_its_run(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = start(monkeypatch, builder)
    at = show()
    at.button(key="demo").click().run()
    assert "Preparing the built-in model" in words(at)
    assert at.button(key="demo").disabled
    assert at.title[0].value == "Demo"
    again = show(demo="1")  # a reload of the same tab
    assert "Preparing the built-in model" in words(again)
    go.set()
    settle()
    again.run()
    assert again.title[0].value == ":gray[#1] quickstart"
    assert "demo" not in again.query_params
    assert [run.project for run in builder.studio.runs()] == [builder.store.project("Demo")]


def test_demo_goes_on_after_the_web_process_ended_in_its_preparation(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = start(monkeypatch, builder)
    show().button(key="demo").click().run()
    go = start(monkeypatch, builder)
    builder.studio.choose_project(builder.store.project("Demo"))
    st.cache_resource.clear()  # a new process knows of no task
    again = show(demo="1")
    assert "Preparing the built-in model" in words(again)
    go.set()
    settle()
    again.run()
    assert again.title[0].value == ":gray[#1] quickstart"
    assert builder.studio.draft(builder.store.project("Demo"), demo.DRAFT) == {}
    lost.set()  # its thread ends with this test: a failure that it logs later reads sources beside another test's reading


def test_what_was_made_shows_when_the_history_was_cleared(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    at = show()
    assert "No file at hand?" not in words(at)
    assert any("Next" in each for each in words(at).splitlines())


def test_demo_that_fails_says_why_and_can_be_started_again(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(monkeypatch, builder, StudioError("core.memory_out")).set()
    at = show()
    at.button(key="demo").click().run()
    settle()
    at.run()
    assert "The process ran out of memory." in at.error[0].value
    start(monkeypatch, builder).set()
    at.button(key="demo").click().run()
    settle()
    at.run()
    assert at.title[0].value == ":gray[#1] quickstart"


def settle() -> None:
    work = task(demo.TASK)
    assert work is not None
    for _ in range(200):
        if work.done:
            return
        threading.Event().wait(0.05)
    raise AssertionError("the demo did not start")
