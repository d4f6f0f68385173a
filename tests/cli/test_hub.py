"""`slmops hub` against a hub of our own; the download goes through worker and child."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.api import Studio
from backend.cli import app
from backend.core.errors import StudioError
from tests.models.fake_hub import COMMIT, FakeHub, serving


def said(*words: str) -> str:
    done = CliRunner().invoke(app, ["hub", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_search_show_download(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir() if path.is_file()}
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(FakeHub(files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert json.loads(said("search", "tiny", "--json"))[0]["repo"] == "acme/tiny"
        shown = said("show", "acme/tiny")
        assert "apache-2.0" in shown and COMMIT in shown and "model.safetensors" in shown
        assert not any("resolve" in path for _, path, _ in server.asked)
        server.cuts["model.safetensors"] = 1
        result = json.loads(said("download", "acme/tiny", "--name", "mine", "--json").splitlines()[-1])
    assert result["status"] == "succeeded"
    made = Studio.open().model("mine")
    assert made.license == "apache-2.0" and made.facts["hub"]["commit"] == COMMIT
    assert (made.path / "model.safetensors").read_bytes() == files["model.safetensors"]


def test_a_dataset_is_fetched_and_read(monkeypatch: pytest.MonkeyPatch) -> None:
    train = "text,label\n" + "".join(f"row {n} of many,{('good', 'bad')[n % 2]}\n" for n in range(80))
    test = "text,label\n" + "".join(f"other row {n},{('good', 'bad')[n % 2]}\n" for n in range(20))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    files: dict[str, bytes | Path] = {
        "en/train.csv": train.encode(),
        "en/test.csv": test.encode(),
        "fr/train.csv": b"x",
    }
    with serving(FakeHub(files, "acme/rows", "mit", "dataset")) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        assert "en" in said("show", "acme/rows", "--dataset")
        refused = CliRunner().invoke(app, ["hub", "download", "--dataset", "acme/rows"])
        assert isinstance(refused.exception, StudioError) and "en, fr" in str(refused.exception)
        result = json.loads(said("download", "--dataset", "acme/rows", "--config", "en", "--json").splitlines()[-1])
        assert not any("fr/train" in path for _, path, _ in server.asked)
    assert result["status"] == "succeeded"
    made = Studio.open().dataset("rows")
    assert (made.license, made.facts["hub"]["repo"], made.facts["rows"]["test"]) == ("mit", "acme/rows", 20)
    shown = CliRunner().invoke(app, ["datasets", "show", "rows"]).stdout
    assert f"from: 127.0.0.1, acme/rows, commit {COMMIT}" in shown
