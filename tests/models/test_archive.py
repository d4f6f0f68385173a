"""Models that come as zip files: the plain ones get in, the others leave nothing behind."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from backend.api import Studio
from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.files.uploads import receive_upload
from backend.models.archive import import_archive
from tests.models.test_probe import folder  # noqa: F401


@pytest.fixture
def settings() -> Settings:
    return Settings().prepare()


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_url)


def packed(source: Path, target: Path, top: str = "", more: Mapping[str, bytes] = MappingProxyType({})) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(source.iterdir()):
            archive.write(path, f"{top}{path.name}")
        for name, content in more.items():
            archive.writestr(name, content)
    return target


@pytest.mark.parametrize("top", ["", "my-model/"])
def test_model_comes_in_with_its_own_files_only(
    store: Store,
    settings: Settings,
    folder: Path,  # noqa: F811
    tmp_path: Path,
    top: str,
) -> None:
    extra = {f"{top}pytorch_model.bin": b"x", f"{top}inner.zip": b"x", "__MACOSX/._config.json": b"x"}
    made = import_archive(store, settings, packed(folder, tmp_path / "m.zip", top, extra), "Mine")
    assert (made.name, made.facts["layers"]) == ("Mine", 1)
    assert {path.name for path in made.path.iterdir()} <= {path.name for path in folder.iterdir()} | {"manifest.json"}
    verify(made.path)
    assert not any(settings.cache.glob("unpack-*"))


def refused(store: Store, settings: Settings, file: Path, match: str) -> None:
    with pytest.raises(StudioError, match=match):
        import_archive(store, settings, file, "Mine")
    assert store.artifacts() == []
    assert [path.name for path in settings.cache.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", ["../evil.json", "/evil.json", "a/../../evil.json"])
def test_path_outside_is_refused(store: Store, settings: Settings, folder: Path, tmp_path: Path, name: str) -> None:  # noqa: F811
    refused(store, settings, packed(folder, tmp_path / "m.zip", more={name: b"{}"}), "outside the archive")
    assert not list(tmp_path.rglob("evil.json"))


def test_link_code_password_and_rubbish_are_refused(
    store: Store,
    settings: Settings,
    folder: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    linked = packed(folder, tmp_path / "linked.zip")
    entry = zipfile.ZipInfo("README.md")
    entry.external_attr = 0o120777 << 16
    with zipfile.ZipFile(linked, "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(store, settings, linked, "outside the archive")
    refused(store, settings, packed(folder, tmp_path / "code.zip", more={"modeling_x.py": b""}), "needs custom code")
    locked = packed(folder, tmp_path / "locked.zip")
    content = bytearray(locked.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(content)
    refused(store, settings, locked, "password")
    rubbish = tmp_path / "rubbish.zip"
    rubbish.write_bytes(b"no zip at all")
    refused(store, settings, rubbish, "can't be read as a zip")
    cut = tmp_path / "cut.zip"
    whole = bytearray(packed(folder, cut).read_bytes())
    whole[80:120] = b"\xff" * 40
    cut.write_bytes(whole)
    refused(store, settings, cut, "can't be read as a zip")
    empty = tmp_path / "empty.zip"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("a/b/config.json", "{}")
    refused(store, settings, empty, r"has no config\.json")


def test_bomb_is_refused_before_it_unpacks(store: Store, settings: Settings, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    bomb = packed(folder, tmp_path / "bomb.zip", more={"model-00001.safetensors": bytes(80_000_000)})
    assert bomb.stat().st_size < 200_000
    refused(store, settings, bomb, r"unpacks to 80\.\d MB")
    small = settings.model_copy(update={"max_upload_bytes": 200})
    refused(store, small, packed(folder, tmp_path / "large.zip"), r"over the limit of 400 B")


def test_endless_contents_and_huge_texts_are_refused_unread(
    store: Store,
    settings: Settings,
    folder: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    crowd = tmp_path / "crowd.zip"
    with zipfile.ZipFile(crowd, "w") as archive:
        for number in range(50_000):
            archive.writestr(zipfile.ZipInfo(f"{number:040d}"), b"")
    refused(store, settings, crowd, "far more files than a model has")
    (folder / "config.json").write_bytes(b" " * 65_000_000)
    heavy = packed(folder, tmp_path / "heavy.zip", more={"model-00001.safetensors": random.randbytes(1_000_000)})
    refused(store, settings, heavy, r"config\.json in heavy\.zip is 65\.0 MB")
    with pytest.raises(StudioError, match=r"config\.json .* is 65\.0 MB"):
        Studio.open().import_model(folder, "Mine")


def test_problem_inside_names_the_zip_file(store: Store, settings: Settings, folder: Path, tmp_path: Path) -> None:  # noqa: F811
    (folder / "tokenizer.json").unlink()
    refused(store, settings, packed(folder, tmp_path / "m.zip"), r"^m\.zip contains no tokenizer")


def test_upload_is_gone_once_it_is_a_model(folder: Path, tmp_path: Path) -> None:  # noqa: F811
    studio = Studio.open()
    with receive_upload(studio.settings, "m.zip") as incoming:
        incoming.write(packed(folder, tmp_path / "m.zip").read_bytes())
        kept = incoming.finish()
    with pytest.raises(StudioError, match="needs a name"):
        studio.import_upload(kept.id, " ")
    assert studio.import_upload(kept.id, "Mine").name == "Mine"
    assert studio.uploads() == []
