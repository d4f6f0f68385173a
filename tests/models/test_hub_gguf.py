"""GGUF files of a repository: parts are one choice, and only what was chosen is fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.models import hub
from backend.models.hub_gguf import gguf_choices, only_gguf
from backend.models.hub_views import HubFile
from tests.models.fake_hub import FakeHub, serving

SPLIT = [HubFile(name=f"b-0000{part}-of-00002.gguf", bytes=10) for part in (1, 2)]


def test_parts_are_one_choice() -> None:
    names = ["b-00002-of-00002.gguf", "b-00001-of-00002.gguf", "a-Q4.gguf", "mmproj-a.gguf", "../x.gguf", "config.json"]
    found = gguf_choices([HubFile(name=name, bytes=10) for name in names])
    assert [(each.name, len(each.files), each.bytes) for each in found] == [
        ("a-Q4.gguf", 1, 10),
        ("b-00001-of-00002.gguf", 2, 20),
    ]


def test_only_the_chosen_file_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    files = {"x-Q4.gguf": b"GGUF" * 100, "x-Q8.gguf": b"GGUF" * 200, "LICENSE": b"mit", "config.json": b"{}"}
    with serving(FakeHub(files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        known = hub.details("acme/tiny")
        with pytest.raises(StudioError) as said:
            hub.download(known, tmp_path, lambda done, total: None)
        assert said.value.problems[0].code == "hub.only_gguf"
        with pytest.raises(StudioError) as said:
            only_gguf(known, "y.gguf")
        assert "x-Q4.gguf, x-Q8.gguf" in said.value.text()
        parts = known.model_copy(update={"gguf": gguf_choices(SPLIT)})
        assert {each.name for each in only_gguf(parts, SPLIT[1].name).files} >= {each.name for each in SPLIT}
        with pytest.raises(StudioError) as said:
            only_gguf(known.model_copy(update={"gguf": gguf_choices(SPLIT[1:])}), SPLIT[1].name)
        assert said.value.problems[0].code == "gguf.parts_missing" and SPLIT[0].name in said.value.text()
        hub.download(only_gguf(known, "x-Q4.gguf"), tmp_path, lambda done, total: None)
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {"x-Q4.gguf", "LICENSE"}
