"""Opens a source in any of the formats. Line formats, Parquet and Arrow are read in bounded memory."""

from __future__ import annotations

from pathlib import Path

from backend.data.sources.opening import open_path
from backend.data.sources.options import ReadOptions
from backend.data.sources.source import Source

__all__ = ["ReadOptions", "Source", "open_source"]
AS_FOUND = ReadOptions()


def open_source(path: Path, options: ReadOptions = AS_FOUND) -> Source:
    """What is inside decides, the name is a hint; `options` is what a person said. `path`: a file, an archive or a folder.
    Raises StudioError that names the file and what is wrong with it."""
    return open_path(path, options)
