"""Uploads: whole or not at all, under a harmless name, within limit and disk."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.core import machine
from backend.core.errors import StudioError
from backend.core.schemas import State
from backend.core.settings import Settings
from backend.files import disk, uploads
from backend.files.uploads import receive_upload, safe_name
from backend.jobs.service import NewJob


def keep(settings: Settings, name: str, content: bytes) -> uploads.Upload:
    with receive_upload(settings, name) as incoming:
        incoming.write(content)
        return incoming.finish()


@pytest.fixture
def settings() -> Settings:
    return Settings(max_upload_bytes=1000).prepare()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("rows.csv", "rows.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\rows.csv", "rows.csv"),
        ("Año  2026\n\x00.csv", "Año 2026.csv"),
        ("\u202egpj.csv", "gpj.csv"),
        ("..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("日本語 🎉.jsonl", "日本語 🎉.jsonl"),
    ],
)
def test_names_become_harmless(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


def test_long_name_keeps_its_ending_and_whole_characters() -> None:
    name = safe_name("ñ" * 300 + ".csv")
    assert name.endswith("ñ.csv") and 170 < len(name.encode()) <= 180
    assert len(safe_name("a." + "x" * 300).encode()) <= 180


def test_newest_first_found_by_id_and_deleted(settings: Settings) -> None:
    first = keep(settings, "a.csv", b"abc")
    os.utime(first.path, (time.time() - 60,) * 2)
    second = keep(settings, "a.csv", b"abcdef")
    assert [(each.name, each.bytes) for each in uploads.uploads(settings)] == [("a.csv", 6), ("a.csv", 3)]
    assert uploads.upload(settings, second.id).path.read_bytes() == b"abcdef"
    assert uploads.delete_upload(settings, second.id, {}) == 6
    assert [each.id for each in uploads.uploads(settings)] == [first.id]
    for unknown in (second.id, "../artifacts", "", "."):
        with pytest.raises(StudioError, match="no uploaded file"):
            uploads.upload(settings, unknown)


def test_what_breaks_off_leaves_nothing(settings: Settings) -> None:
    with pytest.raises(RuntimeError), receive_upload(settings, "a.csv") as incoming:
        incoming.write(b"half")
        raise RuntimeError
    assert list(settings.uploads.iterdir()) == []


def test_too_large_is_refused_announced_or_not(settings: Settings) -> None:
    with (
        pytest.raises(StudioError, match=r"exceeds the upload limit of 1\.0 kB"),
        receive_upload(settings, "a.csv", 1001),
    ):
        pytest.fail("read a byte")
    with pytest.raises(StudioError, match="exceeds"), receive_upload(settings, "a.csv") as incoming:
        incoming.write(b"x" * 600)
        incoming.write(b"x" * 600)
    assert list(settings.uploads.iterdir()) == []


def test_full_disk_is_a_sentence(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StudioError, match="free on disk"), receive_upload(settings, "a.csv") as incoming:

        def full(_chunk: bytes) -> None:
            raise OSError(errno.ENOSPC, "no space")

        monkeypatch.setattr(
            incoming, "_file", type("Full", (), {"write": staticmethod(full), "close": lambda _: None})()
        )
        incoming.write(b"x")
    assert list(settings.uploads.iterdir()) == []
    monkeypatch.setattr(machine, "free_disk_bytes", lambda _folder: 100_000_000)
    with (
        pytest.raises(StudioError, match=r"needs 900 B; 100\.0 MB"),
        receive_upload(settings, "a.csv", 900),
    ):
        pytest.fail("read a byte")


def test_upload_that_an_open_job_reads_stays(home: Path) -> None:
    studio = Studio.open()
    kept = keep(studio.settings, "rows.csv", b"a,b\n1,2\n")
    params: dict[str, Any] = {"source": str(kept.path)}
    run = studio.jobs.submit("import", [NewJob(stage_id="data", stage="dataset", params=params)])
    with pytest.raises(StudioError, match=r"rows\.csv.*is reading it"):
        studio.delete_upload(kept.id)
    assert studio.uploads() == [kept]
    studio.store.update_job(run.jobs[0].id, state=State.FAILED)
    assert studio.delete_upload(kept.id) == 8


def test_storage_counts_uploads_and_gc_takes_what_broke_off(home: Path) -> None:
    studio = Studio.open()
    keep(studio.settings, "rows.csv", b"x" * 500)
    broken = studio.settings.uploads / ".0123456789abcdef"
    broken.mkdir()
    (broken / "half.csv").write_bytes(b"x" * 700)
    young = studio.storage()
    assert (young.by_kind["uploads"], young.reclaimable) == (1200, 0)
    os.utime(broken, (1, 1))
    assert studio.storage().reclaimable == 0, "its file still grows"
    os.utime(broken / "half.csv", (1, 1))
    assert studio.storage().reclaimable == 700
    assert disk.gc(studio.store, studio.settings) == 700
    assert len(studio.uploads()) == 1 and not broken.exists()


def test_clearing_the_cache_spares_a_model_that_is_coming_in(home: Path) -> None:
    studio = Studio.open()
    cache = studio.settings.cache
    (cache / "answers.bin").write_bytes(b"x" * 10)
    (cache / "import.lock").touch()
    for name in ("unpack-1234", "import-mine"):
        (cache / name / "model").mkdir(parents=True)
        (cache / name / "model" / "model.safetensors").write_bytes(b"x" * 100)
    assert studio.gc(cache=True) == 10
    assert sorted(path.name for path in cache.iterdir()) == ["import-mine", "import.lock", "unpack-1234"]
    for path in [cache / "unpack-1234", *(cache / "unpack-1234").rglob("*")]:
        os.utime(path, (1, 1))
    assert studio.gc() == 100
    assert not (cache / "unpack-1234").exists() and (cache / "import-mine").exists()
