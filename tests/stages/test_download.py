"""The download stage: a whole model from a hub of our own, and what is kept when it fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.jobs.context import MemoryContext
from backend.stages.download import DownloadParams, check, quote, run
from tests.models.fake_hub import COMMIT, FakeHub, serving
from tests.stages.fake_world import FakeWorld


@pytest.fixture
def model_files(tiny_model: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tiny_model.iterdir() if path.is_file()}


@pytest.fixture(autouse=True)
def _online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")


def test_a_model_comes_in_with_its_license_and_origin(
    model_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeHub(model_files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        ctx = MemoryContext(tmp_path / "job")
        result = run(DownloadParams(repo="acme/tiny"), ctx)
    (made,) = [event["manifest"] for event in ctx.events if event["event"] == "artifact"]
    assert (made["name"], made["license"]) == ("tiny", "apache-2.0")
    assert made["facts"]["hub"] == {"repo": "acme/tiny", "commit": COMMIT, "host": "127.0.0.1"}
    folder = ctx.artifacts / "model" / result.artifact
    assert (folder / "model.safetensors").read_bytes() == model_files["model.safetensors"]
    assert result.metrics["bytes"] > len(model_files["model.safetensors"])


def test_a_stop_keeps_what_arrived(
    model_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeHub(model_files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        ctx = MemoryContext(tmp_path / "job")
        ctx.stop = True
        with pytest.raises(Cancelled):
            run(DownloadParams(repo="acme/tiny"), ctx)
        ctx.stop = False
        run(DownloadParams(repo="acme/tiny"), ctx)
        fetched = [path for method, path, _ in server.asked if method == "GET" and path.endswith(".safetensors")]
    assert len(fetched) == 1


def test_weights_that_do_not_fit_are_refused(
    model_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_files["model.safetensors"] = model_files["model.safetensors"][:-100]
    with serving(FakeHub(model_files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(StudioError) as said:
            run(DownloadParams(repo="acme/tiny"), MemoryContext(tmp_path / "job"))
    assert said.value.problems[0].code == "models.weights_truncated"


def test_check_asks_nothing_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert check(DownloadParams(repo="acme/tiny"), FakeWorld()) == []
    assert [each.code for each in check(DownloadParams(repo="no/such/name"), FakeWorld())] == ["hub.repo_name"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert [each.code for each in check(DownloadParams(repo="acme/tiny"), FakeWorld())] == ["hub.offline"]


def test_disk_and_time_follow_from_the_size() -> None:
    small, large = (quote(DownloadParams(repo="a/b", size=size), FakeWorld()) for size in (10**6, 10**10))
    assert large.disk_bytes == 2 * 10**10 and large.seconds > small.seconds
    assert [each.code for each in check(DownloadParams(repo="a/b", size=10**11), FakeWorld())] == ["core.disk_low"]


def test_what_a_kill_left_of_a_file_is_dropped_and_said(
    model_files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeHub(model_files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        ctx = MemoryContext(tmp_path / "job")
        left = ctx.checkpoints / COMMIT / ".cache" / "huggingface" / "download" / "x.incomplete"
        left.parent.mkdir(parents=True)
        left.write_bytes(bytes(5_000_000))
        run(DownloadParams(repo="acme/tiny"), ctx)
    assert not left.exists()
    logs = [event["text"] for event in ctx.events if event["event"] == "log"]
    assert any("5.0 MB are fetched again" in text for text in logs) and not any("are here" in text for text in logs)
