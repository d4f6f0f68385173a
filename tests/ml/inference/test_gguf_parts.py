"""Whole and split GGUF files become the model that they were made from."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs.context import MemoryContext
from backend.ml.inference.gguf import convert, join
from backend.models.gguf import import_gguf
from backend.stages.download import DownloadParams, run
from tests.gguf_models import write_gguf
from tests.models.fake_hub import FakeHub, serving

pytestmark = pytest.mark.ml


def assert_equal_weights(first: Path, second: Path) -> None:
    import torch
    from safetensors.torch import load_file

    left, right = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    assert left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_joined_parts_are_the_whole_file(tiny_model: Path, tmp_path: Path) -> None:
    from gguf import GGUFReader

    (whole,) = write_gguf(tiny_model, tmp_path / "whole.gguf")
    parts = write_gguf(tiny_model, tmp_path / "split.gguf", tensors_each=8)
    assert len(parts) == 3
    join(parts, tmp_path / "joined.gguf")
    left, right = GGUFReader(whole), GGUFReader(tmp_path / "joined.gguf")
    said = [{name: field.contents() for name, field in reader.fields.items()} for reader in (left, right)]
    assert said[0] == said[1]
    assert {each.name: each.data.tobytes() for each in left.tensors} == {
        each.name: each.data.tobytes() for each in right.tensors
    }


def test_a_split_model_is_imported_from_any_part(tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings().prepare()
    parts = write_gguf(tiny_model, tmp_path / "split.gguf", tensors_each=8)
    made = import_gguf(Store(settings.store_url), settings, parts[1], "mine")
    assert_equal_weights(made.path, tiny_model)
    assert made.license == "MIT" and not list(settings.cache.glob("import-*"))


def changed(file: Path, after: bytes, skip: int, new: bytes) -> None:
    """Write `new` over the bytes that lie `skip` behind the name `after`."""
    content = bytearray(file.read_bytes())
    at = content.index(after) + len(after) + skip
    content[at : at + len(new)] = new
    file.write_bytes(content)


LIES = {
    "fewer layers than there are": ((b"llama.block_count", 4, struct.pack("<I", 1)), "has 2 layers"),
    "two tensors in one place": ((b"blk.1.attn_q.weight", 24, struct.pack("<Q", 0)), "share their bytes"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_would_become_another_model_is_refused(tiny_model: Path, tmp_path: Path, lie: str) -> None:
    (file,) = write_gguf(tiny_model, tmp_path / "m.gguf")
    change, said = LIES[lie]
    changed(file, *change)
    (tmp_path / "out").mkdir()
    with pytest.raises(StudioError, match=said):
        convert(file, tmp_path / "out")


def test_the_end_of_a_file_is_missed(tiny_model: Path, tmp_path: Path) -> None:
    """In the words of a process that converts."""
    (file,) = write_gguf(tiny_model, tmp_path / "m.gguf")
    file.write_bytes(file.read_bytes()[:-64])
    settings = Settings().prepare()
    with pytest.raises(StudioError) as refused:
        import_gguf(Store(settings.store_url), settings, file, "mine")
    assert "could not be converted: Two tensors of m.gguf share" in refused.value.text()


def test_the_download_stage_takes_the_named_file(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_gguf(tiny_model, tmp_path / "tiny-F32.gguf", license="")  # the repository's counts
    hub = {each.name: each.read_bytes() for each in files} | {
        "tiny-Q9.gguf": b"GGUF another",
        "LICENSE": b"MIT License",
    }
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("NO_PROXY", "*")
    with serving(FakeHub(hub, license="mit")) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        ctx = MemoryContext(tmp_path / "job")
        result = run(DownloadParams(repo="acme/tiny", file=files[0].name), ctx)
        assert not any("Q9" in path for _, path, _ in server.asked)
    assert result.metrics["bytes"] == files[0].stat().st_size + len(b"MIT License")
    made = ctx.artifacts / "model" / result.artifact
    assert_equal_weights(made, tiny_model)
    assert "Tiny" in (made / "NOTICE").read_text("utf-8") and (made / "tokenizer.json").is_file()
