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
from tests.models.fake_hub_uploads import TakingHandler, TakingHub


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


def test_a_model_is_pushed_after_it_was_shown(tiny_model: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("HF_TOKEN", "hf_write_secret")
    made = Studio.open().import_model(tiny_model, "mine")
    with serving(TakingHub(), TakingHandler) as server:
        assert isinstance(server, TakingHub)
        server.token = "hf_write_secret"
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        shown = said("push", "mine", "--to", "me/mine", "--dry-run")
        assert "model.safetensors" in shown and "private" in shown and "license" in shown
        refused = CliRunner().invoke(app, ["hub", "push", "mine", "--to", "me/mine"], input="n\n")
        assert refused.exit_code == 1 and server.asked == []
        result = json.loads(said("push", "mine", "--to", "me/mine", "--yes", "--json").splitlines()[-1])
    assert result["status"] == "succeeded" and server.private
    assert server.files["model.safetensors"] == (made.path / "model.safetensors").read_bytes()
    kept = [path for path in home.rglob("*") if path.is_file() and b"hf_write_secret" in path.read_bytes()]
    assert kept == []
