"""Samples of large sources: a look at them takes a second or two, whatever their size.

A sample is a file (or a folder, or an archive) of the same form and name, so that it is read by the same code as the source.
What can't be sampled safely is left as it is.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.core.errors import StudioError
from backend.data.params import DatasetParams
from backend.data.prepare import open_as
from backend.data.sampling.columnar import sample_arrow, sample_parquet
from backend.data.sampling.documents import sample_document
from backend.data.sampling.lines import HEAD_BYTES, RowBorders, rows_of, sample_lines
from backend.data.sampling.packed import sample_packed, sample_zip
from backend.data.sampling.part import SAMPLE_BYTES, Part
from backend.data.sources.containers import MEMBER_LIMIT, SINGLE, container_of
from backend.data.sources.delimited import DelimitedSource
from backend.data.sources.members import is_data
from backend.data.sources.opening import sniff

PACKED = 30
"""How much smaller a file may be packed than it is."""
FIELDS = ("source", "validation_source", "test_source")
_Sampler = Callable[[Path, Path, DatasetParams], Part | None]


@contextmanager
def samples(params: DatasetParams, largest: int) -> Iterator[tuple[DatasetParams, dict[str, Part]]]:
    """(the parameters with a sample of every file of more than `largest` bytes, what is known of each)."""
    with TemporaryDirectory(prefix="slmops-sample-", ignore_cleanup_errors=True) as folder:
        made: dict[str, Part] = {}
        names: dict[str, str] = {}
        for field in FIELDS:
            path = Path(getattr(params, field))
            target = Path(folder, field, path.name)
            if getattr(params, field) and path.exists():
                target.parent.mkdir()
                with suppress(StudioError):  # whoever opens the file says so
                    if part := sampled(path, target, params, largest):
                        made[field], names[field] = part, str(target)
        yield params.model_copy(update=names), made


def sampled(path: Path, target: Path, params: DatasetParams, largest: int) -> Part | None:
    """Writes a sample of `path`; None where it is to be read as it is, as it is or unpacked no larger than `largest` bytes."""
    if path.is_dir():
        return _folder(path, target, params, largest)
    if path.stat().st_size <= largest // PACKED:
        return None
    found = sniff(path)
    if found is not None:
        sampler = _SAMPLERS.get(found.name)
        return sampler(path, target, params) if sampler and path.stat().st_size > largest else None
    with path.open("rb") as stream:
        kind = container_of(stream.read(512))
    if kind == "zip":
        return sample_zip(path, target, params, largest, sampled)
    return sample_packed(path, kind, target, params, largest, sampled) if kind in SINGLE else None


def _folder(path: Path, target: Path, params: DatasetParams, largest: int) -> Part | None:
    """The same files under the same names, the large ones sampled."""
    files = [file for file in sorted(path.rglob("*")) if file.is_file()]
    share = max(largest // max(1, len(files)), 2 * SAMPLE_BYTES)
    sizes = [file.stat().st_size for file in files]
    if sum(sizes) <= largest or len(files) > MEMBER_LIMIT or max(sizes) <= share:
        return None
    smaller = 0
    for file, size in zip(files, sizes, strict=True):
        place = target / file.relative_to(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if size <= share or not is_data(file.name) or sampled(file, place, params, share) is None:
            place.unlink(missing_ok=True)
            shutil.copyfile(file, place)
        smaller += place.stat().st_size
    return Part(sum(sizes) / max(1, smaller))


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
    return None if wide else sample_lines(path, target, RowBorders())


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
