"""Large files of every form with the same rows, and limits so small that they are sampled."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from backend.data import inspect_source
from backend.data.sampling import columnar, documents, lines, packed, part

COUNT = 4000
ROWS = [
    {"id": f"row {number}", "text": f"question number {number:05}", "label": f"label {number // 400:02}"}
    for number in range(COUNT)
]
"""Sorted by their ten labels."""


def table(rows: list[dict[str, str]]) -> str:
    return "\n".join(["id,text,label", *(",".join(row.values()) for row in rows)]) + "\n"


def json_lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", "About these rows")
        archive.writestr("data/rows.csv", table(ROWS))


def _splits(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train.jsonl", json_lines(ROWS[::2]))
        archive.writestr("test.jsonl", json_lines(ROWS[1::2]))


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "one.csv").write_text(table(ROWS[:2000]), "utf-8")
    (path / "two.csv").write_text(table(ROWS[2000:]), "utf-8")


def _arrow(path: Path, made: Callable[..., object]) -> None:
    data = pyarrow.Table.from_pylist(ROWS)
    with made(str(path), data.schema) as writer:  # type: ignore[attr-defined]
        writer.write_table(data, max_chunksize=1500)


FILES: dict[str, Callable[[Path], object]] = {
    "rows.csv": lambda path: path.write_text(table(ROWS), "utf-8"),
    "rows.jsonl": lambda path: path.write_text(json_lines(ROWS), "utf-8"),
    "rows.json": lambda path: path.write_text(json.dumps(ROWS, indent=1), "utf-8"),
    "one_line.json": lambda path: path.write_text(json.dumps(ROWS), "utf-8"),
    "rows.parquet": lambda path: pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=900),
    "rows.arrow": lambda path: _arrow(path, pyarrow.ipc.new_file),
    "stream.arrow": lambda path: _arrow(path, pyarrow.ipc.new_stream),
    "rows.csv.gz": lambda path: path.write_bytes(gzip.compress(table(ROWS).encode())),
    "rows.jsonl.bz2": lambda path: path.write_bytes(bz2.compress(json_lines(ROWS).encode())),
    "rows.csv.xz": lambda path: path.write_bytes(lzma.compress(table(ROWS).encode())),
    "rows.json.zst": lambda path: path.write_bytes(zstandard.compress(json.dumps(ROWS).encode())),
    "rows.zip": _zip,
    "splits.zip": _splits,
    "folder": _folder,
}


def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_source, "WHOLE_BYTES", 30_000)
    for module in (lines, documents):
        monkeypatch.setattr(module, "HEAD_BYTES", 4_000)
    for module in (lines, documents, columnar, part):
        monkeypatch.setattr(module, "SAMPLE_BYTES", 14_000)
        monkeypatch.setattr(module, "PLACES", 20)
    monkeypatch.setattr(packed, "SAMPLE_BYTES", 14_000)
    monkeypatch.setattr("backend.data.sampling.sample.SAMPLE_BYTES", 14_000)
