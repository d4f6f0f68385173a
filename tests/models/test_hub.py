"""The hub against a server of our own: what is said before, downloads that are cut, refusals as sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.models import hub, hub_client
from tests.models.fake_hub import COMMIT, FakeHub, serving

WEIGHTS = bytes(range(256)) * 4096 * 12  # 12 MB: more than the library's chunk of 10 MB


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    files = {
        "config.json": b"{}",
        "README.md": b"---\nlicense: mit\n---\nTiny.",
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"pickle",
        "modeling_tiny.py": b"raise SystemExit",
        "original/params.json": b"{}",
    }
    with serving(FakeHub(files)) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        monkeypatch.setenv("NO_PROXY", "*")
        yield made


def quiet(done: int, total: int) -> None:
    pass


def test_license_and_size_are_known_before(server: FakeHub) -> None:
    (entry,) = hub.search("tiny")
    assert (entry.repo, entry.license, entry.bytes, entry.languages) == ("acme/tiny", "apache-2.0", 2000, ["en", "es"])
    known = hub.details("acme/tiny")
    assert {each.name for each in known.files} == {"config.json", "README.md", "model.safetensors"}
    assert known.bytes == sum(each.bytes for each in known.files) and known.commit == COMMIT
    assert hub.card("acme/tiny").strip() == "Tiny."
    assert not any("resolve" in path and "README" not in path for _, path, _ in server.asked)


def test_only_a_models_own_files_are_fetched(server: FakeHub, tmp_path: Path) -> None:
    hub.download(hub.details("acme/tiny"), tmp_path, quiet)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "README.md", "model.safetensors", ".cache"}
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS


def test_a_cut_file_goes_on_where_it_ends(server: FakeHub, tmp_path: Path) -> None:
    server.cuts["model.safetensors"] = 3
    told: list[int] = []
    hub.download(hub.details("acme/tiny"), tmp_path, lambda done, total: told.append(done))
    ranges = [span for method, path, span in server.asked if method == "GET" and path.endswith("model.safetensors")]
    assert len(ranges) == 4 and ranges[0] == "" and all(span.startswith("bytes=") for span in ranges[1:])
    begins = [int(span.removeprefix("bytes=").rstrip("-")) for span in ranges[1:]]
    assert begins == sorted(set(begins)) and begins[0] > 0
    assert (tmp_path / "model.safetensors").read_bytes() == WEIGHTS
    assert told == sorted(told)


def test_a_second_attempt_fetches_only_what_is_missing(server: FakeHub, tmp_path: Path) -> None:
    known = hub.details("acme/tiny")
    hub.download(known, tmp_path, quiet)
    (tmp_path / "config.json").unlink()
    server.asked.clear()
    hub.download(known, tmp_path, quiet)
    assert [path.rpartition("/")[2] for method, path, _ in server.asked if method == "GET" and "resolve" in path] == [
        "config.json"
    ]


def test_what_arrives_damaged_is_not_kept(server: FakeHub, tmp_path: Path) -> None:
    server.spoiled.add("model.safetensors")
    with pytest.raises(StudioError) as said:
        hub.download(hub.details("acme/tiny"), tmp_path, quiet)
    assert said.value.problems[0].code == "hub.damaged"
    assert not (tmp_path / "model.safetensors").exists()


def test_a_gated_models_files_are_explained(server: FakeHub, tmp_path: Path) -> None:
    server.gated_files = True
    with pytest.raises(StudioError) as said:
        hub.download(hub.details("acme/tiny"), tmp_path, quiet)
    assert said.value.problems[0].code == "hub.gated"
    assert f"{server.url}/acme/tiny" in said.value.text()


@pytest.mark.parametrize(
    ("status", "headers", "code"),
    [
        (401, {"X-Error-Message": "Invalid credentials in Authorization header"}, "hub.token_refused"),
        (403, {"X-Error-Code": "GatedRepo"}, "hub.gated"),
        (401, {"X-Error-Code": "GatedRepo"}, "hub.gated"),
        (403, {}, "hub.forbidden"),
        (404, {"X-Error-Code": "RepoNotFound"}, "hub.not_found"),
        (404, {"X-Error-Code": "RevisionNotFound"}, "hub.revision_missing"),
        (429, {"Retry-After": "7"}, "hub.rate_limited"),
        (429, {}, "hub.rate_limited_unknown"),
        (500, {}, "hub.status"),
    ],
)
def test_refusals_are_sentences(server: FakeHub, status: int, headers: dict[str, str], code: str) -> None:
    server.status, server.headers = status, headers
    with pytest.raises(StudioError) as said:
        hub.details("acme/tiny")
    assert said.value.problems[0].code == code
    assert said.value.text()


def test_the_token_goes_to_the_hub_and_into_no_sentence(server: FakeHub) -> None:
    server.token = "hf_right"
    assert hub.details("acme/tiny", token="hf_right").repo == "acme/tiny"
    with pytest.raises(StudioError) as said:
        hub.details("acme/tiny", token="hf_wrong")
    assert said.value.problems[0].code == "hub.token_refused" and "hf_wrong" not in str(said.value)


def test_nothing_is_asked_offline(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for ask in (lambda: hub.search("x"), lambda: hub.details("acme/tiny"), lambda: hub.card("acme/tiny")):
        with pytest.raises(StudioError) as said:
            ask()
        assert said.value.problems[0].code == "hub.offline"
    assert server.asked == []


def test_a_job_knows_whether_the_user_forbade_the_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from backend.jobs.attempt import child_environment

    monkeypatch.delenv("HF_HUB_OFFLINE")
    env = child_environment(tmp_path)
    assert (env[hub_client.ASKED_OFFLINE], env["HF_HUB_OFFLINE"]) == ("0", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert child_environment(tmp_path)[hub_client.ASKED_OFFLINE] == "1"


def test_a_silent_host_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StudioError) as said:
        hub.details("acme/tiny")
    assert said.value.problems[0].code == "hub.unreachable"


@pytest.mark.parametrize("name", ["../etc", "a/b/c", "http://x/y", "", "a b/c"])
def test_a_name_that_is_none_is_not_asked(server: FakeHub, name: str) -> None:
    with pytest.raises(StudioError) as said:
        hub.details(name)
    assert said.value.problems[0].code == "hub.repo_name" and server.asked == []


def test_pickles_alone_are_refused_before_anything_is_fetched(server: FakeHub, tmp_path: Path) -> None:
    del server.files["model.safetensors"]
    with pytest.raises(StudioError) as said:
        hub.download(hub.details("acme/tiny"), tmp_path, quiet)
    assert said.value.problems[0].code == "hub.no_safetensors"


def test_the_short_list_names_architectures_that_the_table_knows() -> None:
    from backend.core.paths import assets
    from backend.models.hub_catalogue import catalogue

    known = {row["type"] for row in json.loads((assets() / "architectures.json").read_text("utf-8"))["rows"]}
    assert len(catalogue()) >= 5
    assert {each.type for each in catalogue()} <= known
    assert all(
        each.source == f"https://huggingface.co/{each.repo}" and hub_client.is_repo(each.repo) for each in catalogue()
    )
