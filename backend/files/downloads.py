"""Artifacts as streams of bytes for a browser: a folder as a zip file, a dataset as CSV or JSON lines.

Every function yields chunks of about a megabyte at most, so that memory stays flat whatever the size.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from backend.core.csv_cells import escape_formula
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import SPLITS, DataFolder, Row
from backend.files.uploads import safe_name

FORMATS = ("csv", "jsonl")
_CHUNK = 1 << 20
_TEXT = {".json", ".jsonl", ".md", ".txt", ".py", ".jinja", ".csv", ".yaml", ""}
_COLUMNS = ("split", "id", "input", "output", "gold", "context")


def file_name(artifact: ArtifactView, format: str | None = None) -> str:
    """What the browser calls it."""
    return f"{safe_name(artifact.name)}.{format or 'zip'}"


def package_zip(artifact: ArtifactView) -> Path | None:
    """A package's own zip file; None when the folder has to be packed. Raises StudioError when it is gone."""
    if artifact.kind is not Kind.PACKAGE:
        return None
    file = artifact.path / Path(artifact.facts["zip"]).name
    if not file.is_file() or file.is_symlink():
        raise StudioError("core.artifact_damaged", ref=artifact.name, file=file.name)
    return file


def as_zip(artifact: ArtifactView) -> Iterator[bytes]:
    """Its folder as a zip file, text deflated and weights stored. Links are left out, so nothing outside is read."""
    return _zipped(_folder(artifact), safe_name(artifact.name))


def as_rows(artifact: ArtifactView, format: str) -> Iterator[bytes]:
    """All rows of a dataset with their split. Raises StudioError when it is none or the format is unknown."""
    if artifact.kind is not Kind.DATASET or format not in FORMATS:
        raise StudioError("files.format", ref=artifact.name, format=format)
    data = DataFolder(_folder(artifact))
    return _batched(_csv_lines(data) if format == "csv" else _json_lines(data))


def _folder(artifact: ArtifactView) -> Path:
    """Raises StudioError when it is gone."""
    if not artifact.path.is_dir():
        raise StudioError("core.artifact_damaged", ref=artifact.name, file=artifact.path.name)
    return artifact.path


def _zipped(folder: Path, top: str) -> Iterator[bytes]:
    sink = _ZipBuffer()
    with ZipFile(sink, "w", allowZip64=True) as archive:
        for path in _regular_files(folder):
            entry = ZipInfo(f"{top}/{path.relative_to(folder).as_posix()}", _zip_time(path))
            entry.compress_type = ZIP_DEFLATED if path.suffix in _TEXT else ZIP_STORED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                while chunk := source.read(_CHUNK):
                    packed.write(chunk)
                    yield sink.take()
    yield sink.take()


def _regular_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(place, name)).is_file() and not path.is_symlink())


def _zip_time(path: Path) -> tuple[int, int, int, int, int, int]:
    made = time.localtime(path.stat().st_mtime)
    return (max(made.tm_year, 1980), made.tm_mon, made.tm_mday, made.tm_hour, made.tm_min, made.tm_sec)


class _ZipBuffer(io.RawIOBase):
    """Where the zip file is written; it can't be rewound, and what was taken is gone."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        self._held += chunk
        return len(chunk)

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken


def _rows(data: DataFolder) -> Iterator[tuple[str, Row]]:
    return ((split, row) for split in SPLITS for row in data.rows(split))


def _csv_lines(data: DataFolder) -> Iterator[str]:
    """With a byte order mark, without which a spreadsheet misreads accents."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    for cells in _cells(data):
        writer.writerow(cells)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _cells(data: DataFolder) -> Iterator[tuple[str, ...]]:
    yield _COLUMNS
    for split, row in _rows(data):
        context = json.dumps(row.context, ensure_ascii=False) if row.context else ""
        yield tuple(map(escape_formula, (split, row.id, row.input, row.output or "", row.gold or "", context)))


def _json_lines(data: DataFolder) -> Iterator[str]:
    for split, row in _rows(data):
        yield json.dumps({"split": split, **row.model_dump(exclude_defaults=True)}, ensure_ascii=False) + "\n"


def _batched(lines: Iterator[str]) -> Iterator[bytes]:
    held = bytearray()
    for line in lines:
        held += line.encode()
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)
