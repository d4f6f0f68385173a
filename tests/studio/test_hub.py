"""The hub on the page Models, against a hub of our own: nothing is asked before a press."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.api import Studio
from studio.ui.shared.tasks import task
from tests.helpers import until
from tests.models.fake_hub import FakeHub, serving
from tests.studio.builder import StudioBuilder
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


@pytest.mark.parametrize("license_", ["mit", "llama3.2"])
def test_a_repository_with_gguf_files_asks_which(show: Show, monkeypatch: pytest.MonkeyPatch, license_: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    gguf = {"tiny-Q4_K_M.gguf": b"x" * 2000, "tiny-Q8_0.gguf": b"x" * 4000}
    split = {f"tiny-F16-0000{part}-of-00002.gguf": b"x" * 3000 for part in (1, 2)}
    with serving(FakeHub({**FILES, **gguf, **split}, license=license_)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        at = show("models")
        at.session_state["models_hub"] = True
        at.run()
        at.text_input(key="hub_text").set_value("tiny")
        (press,) = [one for one in at.button if str(one.key or "").startswith("FormSubmitter:hub_form")]
        press.click().run()
        finished("hub_search:tiny")
        at.run().button(key="hub_download:acme/tiny").click().run()
        finished("hub_download:acme/tiny")
        box = at.run().selectbox(key="hub_file_acme/tiny")
        offered = [label.replace("\N{NO-BREAK SPACE}", " ") for label in box.options]
        assert offered == [
            "safetensors · 1.0 kB",
            "Q4_K_M · tiny-Q4_K_M.gguf · 2.0 kB",
            "Q8_0 · tiny-Q8_0.gguf · 4.0 kB",
            "F16 · tiny-F16-00001-of-00002.gguf · 6.0 kB · 2 parts",
        ]
        assert not Studio.open().runs() and not at.button(key="hub_take:acme/tiny").disabled
        box.set_value("tiny-Q8_0.gguf").run()
        assert at.button(key="hub_take:acme/tiny").disabled == (license_ != "mit")
        at.checkbox(key="hub_terms_acme/tiny").check().run()
        at.button(key="hub_take:acme/tiny").click().run()
        finished("hub_download:acme/tiny")
        assert "The download of acme/tiny has started." in words(at.run())
    (job,) = Studio.open().runs()[0].jobs
    assert (job.params["file"], job.params["accepted"], job.params["size"]) == ("tiny-Q8_0.gguf", True, 4000)


def test_offline_says_so(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    at = show("models")
    at.session_state["models_hub"] = True
    at.run()
    assert "The hub is switched off" in words(at)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_dataset_is_looked_at_and_downloaded(show: Show, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    files: dict[str, bytes | Path] = dict.fromkeys(
        ("en/train.csv", "en/test.csv", "fr/train.csv"), b"text,label\na,b\n"
    )
    with serving(FakeHub(files | {"README.md": b"# The card"}, "acme/rows", "mit", "dataset")) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        at = show("data", language)
        at.session_state["datasets_hub"] = True
        at.run()
        assert server.asked == []
        at.text_input(key="hub_data_text").set_value("rows")
        (press,) = [one for one in at.button if str(one.key or "").startswith("FormSubmitter:hub_data_form")]
        press.click().run()
        finished("hub_data_search:rows")
        at.run()
        at.button(key="hub_view:acme/rows").click().run()
        finished("hub_details:acme/rows")
        at.run()
        assert "# The card" in words(at) and "mit" in words(at)
        assert not any("resolve" in path and "README" not in path for _, path, _ in server.asked)
        at.selectbox(key="hub_config_acme/rows").set_value("en").run()
        at.multiselect(key="hub_splits_acme/rows_en").set_value(["train"]).run()
        assert "15\N{NO-BREAK SPACE}B" in at.button(key="hub_fetch:acme/rows").label.replace(" ", "\N{NO-BREAK SPACE}")
        at.button(key="hub_fetch:acme/rows").click().run()
        finished("hub_start:acme/rows")
        at.run()
        assert not at.exception
    (run,) = Studio.open().runs()
    wanted = {"repo": "acme/rows", "config": "en", "splits": ["train"], "size": 15}
    assert run.jobs[0].stage == "download_data" and wanted.items() <= run.jobs[0].params.items()


def test_what_a_push_sends_is_shown_before_it_starts(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    view = builder.model()
    at = show("models", model=view.id)
    assert "README.md" in words(at) and "library_name: transformers" in words(at)
    at.text_input(key=f"push_repo_{view.id}").set_value("me/mine").run()
    at.button(key=f"push_start_{view.id}").click().run()
    assert not at.exception
    (run,) = Studio.open().runs()
    asked = run.jobs[0].params
    assert run.jobs[0].stage == "push" and asked["private"] and asked["repo"] == "me/mine"
    assert "hf_secret" not in run.model_dump_json()
