"""Zip files that came from elsewhere, looked at before anything in them is read."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath
from zipfile import ZipInfo, _EndRecData  # type: ignore[attr-defined]

_DIRECTORY = 4_000_000
"""Bytes of a zip file's table of contents, some 40,000 entries: it is read whole, before anything can be counted."""


def directory_too_large(zip_path: Path) -> bool:
    """Whether the table of contents, as zipfile will find it, is out of all proportion."""
    with zip_path.open("rb") as stream:
        end = _EndRecData(stream)
    return bool(end and end[5] > _DIRECTORY)  # its size in bytes


def unsafe(entry: ZipInfo) -> bool:
    """Whether an entry is a link or points outside of the folder that it is unpacked into."""
    path = PurePosixPath(entry.filename)
    return (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in entry.filename
        or ":" in entry.filename
        or stat.S_ISLNK(entry.external_attr >> 16)
    )


def encrypted(entry: ZipInfo) -> bool:
    return bool(entry.flag_bits & 1)
