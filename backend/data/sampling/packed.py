"""Samples of compressed files and zip archives: as much as is unpacked in a second or two, sampled and packed again."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from backend.core.errors import StudioError
from backend.data.params import DatasetParams
from backend.data.sampling.part import SAMPLE_BYTES, Part
from backend.data.sources.containers import DAMAGED, inner_name, packed_again, unpacked_pieces
from backend.data.sources.members import choose_members

UNPACKED = {"gzip": 256_000_000, "zstd": 256_000_000, "xz": 96_000_000, "bzip2": 32_000_000, "zip": 256_000_000}
"""Bytes that are unpacked at most, by kind."""
_PIECE = 1 << 20
Sampler = Callable[[Path, Path, DatasetParams, int], Part | None]
"""(file, its sample, how to read it, largest size that stays as it is) -> what is known of the sample."""


def sample_packed(
    path: Path, kind: str, target: Path, params: DatasetParams, largest: int, inner: Sampler
) -> Part | None:
    """A compressed file. None where its content has at most `largest` bytes, is damaged or can't be sampled."""
    size = path.stat().st_size
    with TemporaryDirectory(dir=target.parent) as folder, path.open("rb") as packed:
        whole = Path(folder, "whole", inner_name(path.name))
        whole.parent.mkdir()
        try:
            taken, ended = _write(unpacked_pieces(packed, kind), whole, UNPACKED[kind])
        except (*DAMAGED, RuntimeError):
            return None
        times = 1.0 if ended else size / max(1, packed.tell())
        part = _smaller(whole, taken, ended, Path(folder, whole.name), params, largest, inner)
        if part is None:
            return None
        begins = part.counted()
        with Path(folder, whole.name).open("rb") as smaller, packed_again(target, kind) as out:
            shutil.copyfileobj(smaller, out, _PIECE)
    return Part(times * part.times, begins)


def sample_zip(path: Path, target: Path, params: DatasetParams, largest: int, inner: Sampler) -> Part | None:
    """An archive with a sample of every member that is read; the others are empty. None where nothing is large, or the
    archive can't be read."""
    try:
        with (
            zipfile.ZipFile(path) as archive,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out,
        ):
            infos = [info for info in archive.infolist() if not info.is_dir()]
            names, _ = choose_members([info.filename for info in infos], params.records, path.name)
            chosen = [info for info in infos if info.filename in set(names)]
            total = sum(info.file_size for info in chosen)
            if total <= largest or any(info.flag_bits & 1 for info in infos):
                return None
            for info in infos:
                if info.filename not in set(names):
                    out.writestr(info.filename, b"")
            return _members(
                archive, chosen, out, target.parent, params, max(largest // len(chosen), 2 * SAMPLE_BYTES), inner
            )
    except (*DAMAGED, RuntimeError, StudioError):
        return None


def _members(
    archive: zipfile.ZipFile,
    chosen: list[zipfile.ZipInfo],
    out: zipfile.ZipFile,
    folder: Path,
    params: DatasetParams,
    largest: int,
    inner: Sampler,
) -> Part | None:
    sampled, times, begins = 0.0, list[float](), list[tuple[int, int]]()
    for info in chosen:
        with TemporaryDirectory(dir=folder) as place, archive.open(info) as stream:
            whole = Path(place, "whole", PurePosixPath(info.filename).name)
            whole.parent.mkdir()
            taken, ended = _write(
                iter(partial(stream.read, _PIECE), b""), whole, max(UNPACKED["zip"] // len(chosen), 2 * largest)
            )
            smaller = Path(place, whole.name)
            part = _smaller(whole, taken, ended, smaller, params, largest, inner)
            if part is None and not ended:
                return None
            out.write(smaller if part else whole, info.filename)
            sampled += smaller.stat().st_size if part else taken
            begins = part.counted() if part else []
            times.append((info.file_size / taken if taken else 1.0) * (part.times if part else 1.0))
    if len(chosen) == 1:
        return Part(times[0], begins)
    return Part(sum(info.file_size for info in chosen) / max(1.0, sampled))


def _write(pieces: Iterator[bytes], target: Path, most: int) -> tuple[int, bool]:
    """(bytes written, whether these are all)."""
    taken = 0
    with target.open("wb") as out:
        for piece in pieces:
            taken += out.write(piece)
            if taken > most:
                return taken, False
    return taken, True


def _smaller(
    whole: Path, taken: int, ended: bool, target: Path, params: DatasetParams, largest: int, inner: Sampler
) -> Part | None:
    """A sample of what was unpacked, which ends with a line where it isn't all."""
    if taken <= largest:
        return None
    if not ended:  # at a line end, since the sample's last place is at the end
        with whole.open("rb+") as stream:
            stream.seek(max(0, taken - _PIECE))
            end = stream.read().rfind(b"\n")
            if end >= 0:
                stream.truncate(max(0, taken - _PIECE) + end + 1)
    return inner(whole, target, params, largest)
