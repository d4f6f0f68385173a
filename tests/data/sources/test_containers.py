"""Compressed files, archives and folders: members, splits, limits, damage."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import socket
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from backend.core.errors import StudioError
from backend.data.reader import ReadOptions, open_source
from backend.data.row_errors import RowErrors
from tests.data.sources.helpers import ROWS, notes, opened, rows

TABLE = ("text,label\n" + "".join(f'"{row["text"]}",{row["label"]}\n' for row in ROWS)).encode()
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
PACK: dict[str, Any] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstandard.compress}


def packed(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize(("inner", "content"), [("csv", TABLE), ("jsonl", LINES)])
def test_compressed_files(suffix: str, inner: str, content: bytes, tmp_path: Path) -> None:
    source = opened(tmp_path / f"a.{inner}.{suffix}", PACK[suffix](content))
    assert rows(source) == ROWS and source.path.name == f"a.{inner}.{suffix}"
    assert source.facts.format == inner and source.facts.members == [f"a.{inner}"] and source.facts.container
    assert rows(opened(tmp_path / "a.csv", PACK[suffix](content))) == ROWS


@pytest.mark.parametrize("suffix", PACK)
def test_compressed_files_that_were_cut_off(suffix: str, tmp_path: Path) -> None:
    content = PACK[suffix](os.urandom(90_000))
    with pytest.raises(StudioError, match="damaged or incomplete"):
        opened(tmp_path / f"a.csv.{suffix}", content[: len(content) // 2])


def test_several_frames_of_zstd(tmp_path: Path) -> None:
    assert len(rows(opened(tmp_path / "a.jsonl.zst", zstandard.compress(LINES) + zstandard.compress(LINES)))) == 40


def test_a_zip_file_in_a_zip_file(tmp_path: Path) -> None:
    inner = packed(tmp_path / "inner.zip", {"__MACOSX/._a.csv": b"x", "a.csv": TABLE, "README.md": b"# about"})
    outer = packed(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    assert rows(open_source(outer)) == ROWS
    for name in ("b", "c"):
        outer = packed(tmp_path / f"{name}.zip", {"outer.zip": outer.read_bytes()})
    with pytest.raises(StudioError, match="too many nested archives"):
        open_source(outer)


def test_a_tar_file(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(TABLE)
    (tmp_path / "test.csv").write_bytes(TABLE)
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        for name in ("train.csv", "test.csv"):
            archive.add(tmp_path / name, f"../../{name}")
    source = open_source(tmp_path / "a.tgz")
    assert len(rows(source)) == 40 and source.facts.split_column == "split"


def test_members_named_after_splits(tmp_path: Path) -> None:
    test = TABLE.replace(b"text,label", b"text,other")
    path = packed(
        tmp_path / "a.zip",
        {"data/train.csv": TABLE, "data/dev.csv": TABLE, "test.csv": test, "labels.csv": b"x\n1\n2\n"},
    )
    source = open_source(path)
    found = rows(source)
    assert [row["split"] for row in found] == ["train"] * 20 + ["validation"] * 20 + ["test"] * 20
    assert source.columns == ["split", "text", "label", "other"] and source.facts.split_column == "split"
    assert notes(source) == {"data.members_left", "data.members_split"} and source.count() >= 60
    places = [record.place for record in source.records(RowErrors("a"))]
    assert len(set(places)) == 60


def test_members_with_the_same_columns_are_read_together(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"march.csv": TABLE, "april.csv": TABLE + b"a,b,c\n"})
    source = open_source(path)
    errors = RowErrors("a.zip")
    found = [record.values for record in source.records(errors)]
    assert {row["file"] for row in found} == {"march.csv", "april.csv"} and notes(source) == {"data.members_together"}
    assert errors.places == {"data.ragged": ["april.csv:22 → 3"]} and not source.facts.split_column


def test_members_that_differ_are_asked_for(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"one.csv": TABLE, "deep/two.csv": b"a,b\n1,2\n3,4\n"})
    with pytest.raises(StudioError, match=r"one.csv, deep/two.csv|deep/two.csv, one.csv"):
        open_source(path)
    assert rows(open_source(path, ReadOptions(records="one.csv"))) == ROWS
    assert open_source(path, ReadOptions(records="two.csv")).columns == ["a", "b"]


def test_folders(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    with pytest.raises(StudioError, match="is empty"):
        open_source(folder)
    (folder / "deep" / "train-00000-of-00002.csv.gz").write_bytes(gzip.compress(TABLE))
    (folder / "deep" / "train-00001-of-00002.csv.gz").write_bytes(gzip.compress(TABLE))
    (folder / ".git").mkdir()
    (folder / ".git" / "index.csv").write_bytes(b"no")
    (folder / "dataset_info.json").write_text("{}")
    (tmp_path / "secret.csv").write_bytes(TABLE)
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    source = open_source(folder)
    assert rows(source) == ROWS * 2 and source.facts.container == "folder" and not source.facts.split_column


def test_a_dataset_of_datasets_saved_to_disk(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["even", "odd"])}
    )
    made = datasets.Dataset.from_list(
        [{"text": row["text"], "label": n % 2} for n, row in enumerate(ROWS)], features=features
    )
    made.save_to_disk(tmp_path / "one")
    source = open_source(tmp_path / "one")
    assert rows(source)[1] == {"text": ROWS[1]["text"], "label": 1} and source.facts.label_names == {
        "label": ["even", "odd"]
    }
    datasets.DatasetDict(train=made, test=made).save_to_disk(tmp_path / "two")
    source = open_source(tmp_path / "two")
    assert len(rows(source)) == 40 and source.facts.split_column == "split" and source.facts.label_names


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.data.sources.containers._RATIO_FROM", 1 << 20)
    for suffix, pack in PACK.items():
        with pytest.raises(StudioError, match="times its size"):
            opened(tmp_path / f"a.csv.{suffix}", pack(b"0" * (8 << 20)))
    monkeypatch.setattr("backend.data.sources.containers.TOTAL_LIMIT", 1000)
    with pytest.raises(StudioError, match="unpacks to more than"):
        opened(tmp_path / "a.csv.gz", gzip.compress(TABLE * 9))


def test_broken_and_encrypted_archives(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.csv": TABLE})
    content = bytearray(path.read_bytes())
    with pytest.raises(StudioError, match="damaged"):
        opened(tmp_path / "b.zip", bytes(content[:-30]))
    for at in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[at] |= 1
    with pytest.raises(StudioError, match="password"):
        opened(tmp_path / "c.zip", bytes(content))
    with pytest.raises(StudioError, match="no file with rows"):
        open_source(packed(tmp_path / "d.zip", {"a.png": b"x", "b.exe": b"y"}))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "b.csv"))
        for path in (tmp_path / "a.csv", tmp_path / "b.csv", Path("/dev/zero")):
            with pytest.raises(StudioError, match="regular file"):
                open_source(path)
