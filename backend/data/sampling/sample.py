"""Samples of large sources: a look at them takes a second or two, whatever their size.

A sample is a file (or a folder, or an archive) of the same form and name, so that it is read by the same code as the source.
What can't be sampled safely is left as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.core.errors import StudioError
from backend.data.params import DatasetParams
from backend.data.prepare import open_as
from backend.data.sampling.columnar import sample_arrow, sample_parquet
from backend.data.sampling.documents import sample_document
from backend.data.sampling.lines import HEAD_BYTES, Rows, rows_of, sample_lines
from backend.data.sampling.part import Part
from backend.data.sources.delimited import DelimitedSource
from backend.data.sources.opening import sniff

FIELDS = ("source", "validation_source", "test_source")
_Sampler = Callable[[Path, Path, DatasetParams], Part | None]


@contextmanager
def samples(params: DatasetParams, largest: int) -> Iterator[tuple[DatasetParams, dict[str, Part]]]:
    """(the parameters with a sample of every file of more than `largest` bytes, what is known of each). Raises StudioError
    for a file that can't be a source."""
    with TemporaryDirectory(prefix="slmops-sample-", ignore_cleanup_errors=True) as folder:
        made: dict[str, Part] = {}
        names: dict[str, str] = {}
        for field in FIELDS:
            path = Path(getattr(params, field))
            target = Path(folder, field, path.name)
            if path.is_file() and path.stat().st_size > largest:
                target.parent.mkdir()
                if part := sampled(path, target, params):
                    made[field], names[field] = part, str(target)
        yield params.model_copy(update=names), made


def sampled(path: Path, target: Path, params: DatasetParams) -> Part | None:
    """Writes a sample of `path`; None where it is to be read as it is."""
    found = sniff(path)
    sampler = _SAMPLERS.get(found.name) if found else None
    return sampler(path, target, params) if sampler else None


def _table(path: Path, target: Path, params: DatasetParams) -> Part | None:
    """The dialect is that of the head."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    end = head.rfind(b"\n") + 1
    if not end or _is_wide(head):
        return None
    try:
        target.write_bytes(head[:end])
        source = open_as(params, str(target))
        if not isinstance(source, DelimitedSource):
            return None
        return sample_lines(path, target, rows_of(head[:end], source.dialect))
    except (StudioError, csv.Error):
        return None


def _json_lines(path: Path, target: Path, params: DatasetParams) -> Part | None:
    with path.open("rb") as stream:
        wide = _is_wide(stream.read(4096))
    return None if wide else sample_lines(path, target, Rows())


def _is_wide(head: bytes) -> bool:
    """Whether a character takes several bytes always: a line end is no single byte then."""
    return b"\0" in head[:4096]


_SAMPLERS: dict[str, _Sampler] = {
    "csv": _table,
    "tsv": _table,
    "jsonl": _json_lines,
    "json": lambda path, target, params: sample_document(path, target),
    "parquet": lambda path, target, params: sample_parquet(path, target),
    "arrow": lambda path, target, params: sample_arrow(path, target),
}
"""By format."""
