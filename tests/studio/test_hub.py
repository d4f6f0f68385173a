"""The hub on the page Models, against a hub of our own: nothing is asked before a press."""

from __future__ import annotations

import pytest

from backend.api import Studio
from studio.ui.shared.tasks import task
from tests.helpers import until
from tests.models.fake_hub import FakeHub, serving
from tests.studio.conftest import Show, words

FILES = {"config.json": b"{}", "model.safetensors": b"x" * 1000}


def finished(key: str) -> None:
    found = task(key)
    assert found
    until(lambda: found.done, lambda: f"{key} is still running")


@pytest.mark.parametrize("language", ["en", "es"])
def test_search_and_download(show: Show, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(FakeHub(FILES, license="mit")) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        at = show("models", language)
        at.session_state["models_hub"] = True
        at.run()
        assert "microsoft/Phi-4-mini-instruct" in words(at) and server.asked == []
        at.text_input(key="hub_text").set_value("tiny")
        (press,) = [one for one in at.button if str(one.key or "").startswith("FormSubmitter:hub_form")]
        press.click().run()
        finished("hub_search:tiny")
        at.run()
        assert "acme/tiny" in words(at) and "mit" in words(at)
        assert not any("resolve" in path for _, path, _ in server.asked)
        at.button(key="hub_download:acme/tiny").click().run()
        finished("hub_download:acme/tiny")
        at.run()
        assert not at.exception
    (run,) = Studio.open().runs()
    assert run.jobs[0].stage == "download" and run.jobs[0].params["size"] == 1002
    assert (
        "The download of acme/tiny has started." if language == "en" else "Ha empezado la descarga de acme/tiny."
    ) in words(at)


def test_offline_says_so(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    at = show("models")
    at.session_state["models_hub"] = True
    at.run()
    assert "The hub is switched off" in words(at)
