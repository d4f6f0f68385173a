"""Artifacts as streams of bytes for a browser: a folder as a zip file, a dataset in one of the formats of `exports`.

Every function yields chunks of about a megabyte at most, so that memory stays flat whatever the size.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import DataFolder
from backend.files.exports import FORMATS, Taken, export
from backend.files.uploads import safe_name

KEPT = "kept"
"""Fact of a report that holds what the script `answer.py` reads (`backend.data.baseline_kept`)."""
_CHUNK = 1 << 20
_TEXT = {".json", ".jsonl", ".md", ".txt", ".py", ".jinja", ".csv", ".yaml", ""}


def file_name(artifact: ArtifactView, format: str | None = None, split: str = "") -> str:
    """What the browser calls it. `split`: of a format that holds one."""
    known = FORMATS.get(format or "")
    part = f"-{split}" if known and known.by_split and split else ""
    return f"{safe_name(artifact.name)}{part}.{known.suffix if known else 'zip'}"


def package_zip(artifact: ArtifactView) -> Path | None:
    """A package's own zip file; None when the folder has to be packed. Raises StudioError when it is gone."""
    if artifact.kind is not Kind.PACKAGE:
        return None
    file = artifact.path / Path(artifact.facts["zip"]).name
    if not file.is_file() or file.is_symlink():
        raise StudioError("core.artifact_damaged", ref=artifact.name, file=file.name)
    return file


def as_zip(artifact: ArtifactView) -> Iterator[bytes]:
    """Its folder as a zip file, text deflated and weights stored, and the script that uses a kept baseline. Links are left out,
    so nothing outside is read."""
    return _zipped(_folder(artifact), safe_name(artifact.name), [_script()] if artifact.facts.get(KEPT) else [])


def as_rows(artifact: ArtifactView, format: str, split: str = "train") -> Iterator[bytes]:
    """The rows of a dataset in one of `exports.FORMATS`. Raises StudioError when it is no dataset, the format is unknown, or
    the format can't hold them."""
    if artifact.kind is not Kind.DATASET:
        raise StudioError("files.format", ref=artifact.name, format=format)
    return _batched(export(artifact.name, DataFolder(_folder(artifact)), format, split))


def _folder(artifact: ArtifactView) -> Path:
    """Raises StudioError when it is gone."""
    if not artifact.path.is_dir():
        raise StudioError("core.artifact_damaged", ref=artifact.name, file=artifact.path.name)
    return artifact.path


def _zipped(folder: Path, top: str, more: Sequence[Path]) -> Iterator[bytes]:
    sink = Taken()
    with ZipFile(sink, "w", allowZip64=True) as archive:
        files = [(path, path.relative_to(folder).as_posix()) for path in _regular_files(folder)]
        for path, name in (*files, *((each, each.name) for each in more)):
            entry = ZipInfo(f"{top}/{name}", _zip_time(path))
            entry.compress_type = ZIP_DEFLATED if path.suffix in _TEXT else ZIP_STORED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
                while chunk := source.read(_CHUNK):
                    packed.write(chunk)
                    yield sink.take()
    yield sink.take()


def _script() -> Path:
    """Code is the studio's own, never an artifact's: nothing that was imported can bring any."""
    return assets() / "baseline" / "answer.py"


def _regular_files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        yield from (path for name in sorted(names) if (path := Path(place, name)).is_file() and not path.is_symlink())


def _zip_time(path: Path) -> tuple[int, int, int, int, int, int]:
    made = time.localtime(path.stat().st_mtime)
    return (max(made.tm_year, 1980), made.tm_mon, made.tm_mday, made.tm_hour, made.tm_min, made.tm_sec)


def _batched(lines: Iterator[str | bytes]) -> Iterator[bytes]:
    held = bytearray()
    for line in lines:
        held += line.encode() if isinstance(line, str) else line
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    yield bytes(held)
