"""The head of a large text file as a file of its own, so that a look at it takes seconds whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.data.params import DatasetParams
from backend.data.sources.opening import sniff

HEAD_BYTES = 16_000_000
_FORMATS = ("csv", "tsv", "jsonl")
"""Those whose rows are lines."""
_FIELDS = ("source", "validation_source", "test_source")


@contextmanager
def heads(params: DatasetParams, largest: int) -> Iterator[tuple[DatasetParams, float]]:
    """(the parameters with the head of every file of more than `largest` bytes, how many times the source is as large as its
    head). Raises StudioError for a file that can't be a source."""
    with TemporaryDirectory(prefix="slmops-head-", ignore_cleanup_errors=True) as folder:
        made = {
            field: head
            for field in _FIELDS
            if (name := getattr(params, field)) and (head := _head(Path(name), largest, Path(folder, field)))
        }
        times = 1.0
        if head := made.get("source"):
            times = Path(params.source).stat().st_size / head.stat().st_size
        yield params.model_copy(update={field: str(head) for field, head in made.items()}), times


def _head(path: Path, largest: int, folder: Path) -> Path | None:
    """Whole lines, under the file's own name; None where the file is to be read as it is."""
    if not path.is_file() or path.stat().st_size <= largest:
        return None
    found = sniff(path)
    if found is None or found.name not in _FORMATS:
        return None
    with path.open("rb") as stream:
        piece = stream.read(HEAD_BYTES)
    end = piece.rfind(b"\n") + 1
    if not end or b"\0" in piece[:4096]:  # one long line, or UTF-16, where a line end is more than a byte
        return None
    folder.mkdir()
    head = folder / path.name
    head.write_bytes(piece[:end])
    return head
