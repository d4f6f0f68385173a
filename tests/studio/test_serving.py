"""The drawer that serves a model, with a host of models that the test plays."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.serve.client import ServeOptions, ServerView
from studio.ui.playground import shared
from studio.ui.serving.state import servers
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


class Host:
    """What `ServeClient` does for servers, without processes."""

    def __init__(self) -> None:
        self.alive = True
        self.all: dict[str, ServerView] = {}
        self.asked: list[ServeOptions] = []
        self.refusal: StudioError | None = None

    def servers(self) -> list[ServerView]:
        if not self.alive:
            raise StudioError("serve.no_host")
        return list(self.all.values())

    def start_server(self, options: ServeOptions) -> None:
        self.asked.append(options)
        if self.refusal:
            raise self.refusal
        self.put(options.model, "loading")

    def stop_server(self, artifact_id: str) -> None:
        self.put(artifact_id, "stopping")

    def put(self, model: str, state: Any, **more: Any) -> None:
        self.all[model] = ServerView(id=model, name="student", state=state, **more)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host()
    monkeypatch.setattr(shared, "ServeClient", lambda _settings: made)
    return made


@pytest.fixture
def model(builder: StudioBuilder) -> ArtifactView:
    return builder.model("student", Kind.ONNX)


def opened(show: Show, model: ArtifactView, language: str = "en") -> AppTest:
    return show("models", language).button(key=f"serve_{model.id}").click().run()


def snippets(at: AppTest) -> str:
    return "\n".join(block.value for block in at.code)


def test_a_model_is_served_with_what_the_form_says(show: Show, host: Host, model: ArtifactView) -> None:
    at = opened(show, model)
    assert at.button(key="serve_start").label == "Start serving"
    at.number_input(key="serve_port").set_value(9001)
    at.number_input(key="serve_parallel").set_value(3)
    at.text_input(key="serve_key").set_value("MY_KEY")
    at.button(key="serve_start").click().run()
    (asked,) = host.asked
    assert (asked.model, asked.port, asked.max_parallel, asked.key_env) == (model.id, 9001, 3, "MY_KEY")
    assert asked.host == "127.0.0.1" and not asked.force
    assert "Loading" in words(at)


@pytest.mark.parametrize(
    ("language", "served", "stop"), [("en", "Serving", "Stop serving"), ("es", "API activa", "Detener la API")]
)
def test_a_served_model_shows_where_how_and_what_it_does(
    show: Show, host: Host, model: ArtifactView, language: str, served: str, stop: str
) -> None:
    counters = {"running": 3, "waiting": 2, "completion_tokens": 1234, "memory_bytes": 210_000_000}
    host.put(model.id, "ready", url="http://127.0.0.1:9001/v1", counters=counters)
    at = opened(show, model, language)
    assert served in words(at)
    assert [metric.value for metric in at.metric][-6:-4] == ["2", "3"]
    assert "http://127.0.0.1:9001/v1/chat/completions" in snippets(at) and "from openai import OpenAI" in snippets(at)
    button = at.button(key="serve_stop")
    assert button.label == stop
    button.click().run()
    assert host.all[model.id].state == "stopping" and at.button(key="serve_stop").disabled


def test_memory_that_is_short_can_be_overruled(show: Show, host: Host, model: ArtifactView) -> None:
    why = Problem(code="serve.memory_short", args={"model": "student", "need": "9 GB", "missing": "8 GB"})
    host.put(model.id, "failed", error=why)
    at = opened(show, model)
    assert "9 GB" in words(at)
    at.button(key="serve_start").click().run()
    assert host.asked[0].force


def test_refusals_and_a_missing_host_are_said(show: Show, host: Host, model: ArtifactView) -> None:
    host.refusal = StudioError("api.served", model="student", url="http://x")
    at = opened(show, model)
    at.button(key="serve_start").click().run()
    assert any("is already served" in toast.value for toast in at.toast)
    host.alive = False
    servers.clear()
    assert "is not running" in words(opened(show, model))
