"""Push to a hub of our own by the real protocol, and what is said when it goes wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.models import hub
from backend.models.hub_push import outgoing, push
from tests.helpers import view as view_of
from tests.models.fake_hub import serving
from tests.models.fake_hub_uploads import TakingHandler, TakingHub

WEIGHTS = bytes(range(256)) * 4096 * 3


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TakingHub]:
    with serving(TakingHub(), TakingHandler) as made:
        assert isinstance(made, TakingHub)
        made.token = "hf_write"
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("NO_PROXY", "*")
        yield made


@pytest.fixture
def model(tmp_path: Path) -> ArtifactView:
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "manifest.json").write_text('{"secret": "/home/somebody"}')
    made = view_of(folder, Kind.MODEL, "model-m1", architecture="llama", parameters=10**6)
    return made.model_copy(update={"name": "mine", "license": "apache-2.0"})


def quiet(done: int, total: int) -> None:
    pass


def send(view: ArtifactView, **about: Any) -> Any:
    return push(view, [], "me/mine", about.pop("token", "hf_write"), about.pop("tell", quiet), **about)


def code_of(view: ArtifactView, **about: Any) -> str:
    with pytest.raises(StudioError) as said:
        send(view, **about)
    assert said.value.text() and "hf_" not in said.value.text()
    return said.value.problems[0].code


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("part", [0, 1_000_000])
def test_pushed_and_pulled_back_the_hashes_are_equal(
    server: TakingHub, model: ArtifactView, tmp_path: Path, part: int
) -> None:
    server.part = part
    made = send(model)
    assert made.url == f"{server.url}/me/mine" and server.private
    (tmp_path / "back").mkdir()
    hub.download(hub.details("me/mine", token="hf_write"), tmp_path / "back", quiet, token="hf_write")
    sent, back = hashes(model.path), hashes(tmp_path / "back")
    assert sent.pop("manifest.json") and back.pop("README.md") and "manifest.json" not in server.files
    assert back == sent
    assert len(server.puts) == (4 if part else 1)


def test_a_dataset_goes_out_and_comes_back(server: TakingHub, tmp_path: Path) -> None:
    server.kind = "dataset"
    folder = tmp_path / "rows"
    folder.mkdir()
    for split in ("train", "test"):
        (folder / f"{split}.jsonl").write_text('{"text": "a", "label": "b"}\n')
    view = view_of(folder, Kind.DATASET, "dataset-d1", rows={"train": 1, "test": 1})
    send(view.model_copy(update={"license": "CC0-1.0"}))
    server.card = {"configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train.jsonl"}]}]}
    known = hub.details("me/mine", "dataset", token="hf_write")
    (tmp_path / "back").mkdir()
    hub.download(known, tmp_path / "back", quiet, "dataset", "hf_write")
    assert hashes(tmp_path / "back") == hashes(folder)
    card = server.files["README.md"]
    assert isinstance(card, bytes) and b"license: cc0-1.0" in card and b"path: train.jsonl" in card


def test_what_is_sent_is_known_before_without_the_network(model: ArtifactView) -> None:
    found = outgoing(model, [])
    assert {each.name: each.bytes for each in found.files}["model.safetensors"] == len(WEIGHTS)
    assert "manifest.json" not in {each.name for each in found.files}
    assert found.license == "apache-2.0" and "license: apache-2.0" in found.card and "somebody" not in found.card


def test_a_folder_of_this_machine_is_not_told(server: TakingHub, model: ArtifactView) -> None:
    (model.path / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": "/home/ann/models/base", "r": 8})
    )
    assert outgoing(model, []).changed == ["adapter_config.json"]
    send(model)
    sent = server.files["adapter_config.json"]
    assert isinstance(sent, bytes) and json.loads(sent) == {"base_model_name_or_path": "base", "r": 8}


def test_a_cut_upload_goes_on_by_itself(
    server: TakingHub, model: ArtifactView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    server.put_cuts = 2
    send(model)
    assert len(server.puts) == 3 and hashlib.sha256(WEIGHTS).hexdigest() in server.blobs


def test_what_has_arrived_is_not_sent_again(server: TakingHub, model: ArtifactView) -> None:
    server.refuse["/commit/"] = (401, {"X-Error-Message": "Invalid credentials in Authorization header"})
    assert code_of(model) == "hub.token_refused"
    assert server.puts == [len(WEIGHTS)] and list(server.files) == [".gitattributes"]
    server.refuse.clear()
    send(model)
    assert server.puts == [len(WEIGHTS)] and server.files["model.safetensors"] == WEIGHTS
    asked = len(server.asked)
    send(model)  # all of it is there: nothing is made
    assert not any("commit" in path or "lfs" in path for _, path, _ in server.asked[asked:])


@pytest.mark.parametrize(
    ("path", "status", "headers", "code"),
    [
        ("create", 403, {"X-Error-Message": "You must use a write token"}, "hub.push_forbidden"),
        ("create", 401, {"X-Error-Message": "Invalid credentials in Authorization header"}, "hub.token_refused"),
        ("create", 409, {}, "hub.push_exists"),
        ("preupload", 403, {}, "hub.push_forbidden"),
        ("batch", 403, {"X-Error-Message": "Private repository storage limit reached"}, "hub.push_quota"),
        ("batch", 402, {}, "hub.push_quota"),
        ("commit", 413, {}, "hub.push_quota"),
        ("commit", 400, {}, "hub.push_refused"),
        ("commit", 404, {"X-Error-Code": "RepoNotFound"}, "hub.not_found"),
    ],
)
def test_refusals_are_sentences(
    server: TakingHub, model: ArtifactView, path: str, status: int, headers: dict[str, str], code: str
) -> None:
    server.refuse[path] = (status, headers)
    assert code_of(model) == code


def test_a_wrong_token_and_none(server: TakingHub, model: ArtifactView) -> None:
    server.exists = True
    assert code_of(model, token="hf_wrong") == "hub.token_refused"
    asked = len(server.asked)
    assert code_of(model, token=None) == "hub.token_missing" and len(server.asked) == asked


def test_a_full_storage_said_of_a_file(server: TakingHub, model: ArtifactView) -> None:
    server.lfs_error = "You have exceeded your LFS quota"
    assert code_of(model) == "hub.push_quota"


def test_a_repository_that_is_there_is_not_overwritten_unasked(server: TakingHub, model: ArtifactView) -> None:
    server.exists, server.files = True, {"other.bin": b"x"}
    assert code_of(model) == "hub.push_exists" and "config.json" not in server.files
    server.private = False
    assert code_of(model, update=True) == "hub.push_public"
    send(model, update=True, private=False)
    assert {"other.bin", "model.safetensors"} <= server.files.keys()


def test_a_public_repository_is_made_only_when_asked(server: TakingHub, model: ArtifactView) -> None:
    send(model, private=False)
    assert not server.private


def test_a_stop_ends_it(server: TakingHub, model: ArtifactView) -> None:
    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        send(model, tell=stop)


def test_nothing_is_sent_offline(server: TakingHub, model: ArtifactView, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert code_of(model) == "hub.offline" and server.asked == []
