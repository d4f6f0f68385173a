"""Compressed files and archives: what they hold, unpacked into a folder that goes when the source does."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from backend.core.errors import StudioError

_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK", "zip"),
)
_TAR = (257, b"ustar")
_OPENERS: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
SINGLE = frozenset({"gzip", "bzip2", "xz", "zstd"})
"""They hold one file."""
TOTAL_LIMIT = 64 << 30
"""Bytes that an archive may unpack to; never more than half of the free disk."""
RATIO_LIMIT = 400
"""Unpacked by packed size. Tables compress to a tenth, seldom to a fiftieth; bombs to a thousandth."""
_RATIO_FROM = 64 << 20
MEMBER_LIMIT = 10_000
_PIECE = 1 << 20
_ZSTD_PIECE = 1 << 10
"""Small, since a kilobyte may unpack to 30 MB at once."""
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, NotImplementedError)
"""What the libraries raise for such a file."""


def container_of(head: bytes) -> str:
    """Its kind by the first bytes, "" for no container."""
    if head[_TAR[0] :].startswith(_TAR[1]):
        return "tar"
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")


def members_of(path: Path, kind: str, name: str) -> list[str]:
    """Names of the files in an archive. Raises StudioError where it is damaged, encrypted or too full."""
    if kind in SINGLE:
        return [inner_name(name)]
    try:
        if kind == "zip":
            with zipfile.ZipFile(path) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
            if any(info.flag_bits & 1 for info in infos):
                raise StudioError("data.encrypted", file=name)
            found = [info.filename for info in infos]
        else:
            with tarfile.open(path) as archive_:
                found = [info.name for info in archive_ if info.isfile()]
    except DAMAGED:
        raise StudioError("data.packed_damaged", file=name) from None
    if len(found) > MEMBER_LIMIT:
        raise StudioError("data.members_many", file=name, count=len(found), limit=MEMBER_LIMIT)
    return found


def unpack(path: Path, kind: str, members: list[str], folder: Path, name: str) -> list[Path]:
    """Writes `members` into `folder`, under names of its own. Raises StudioError where the file is damaged, or unpacks to far
    more than it is."""
    made: list[Path] = []
    budget = _Budget(path, folder, name)
    try:
        for member, pieces in _streams(path, kind, members, name):
            target = folder / f"{len(made)}{PurePosixPath(member).suffix.lower()[:20]}"
            with target.open("xb") as out:
                for piece in pieces:
                    budget.take(len(piece))
                    out.write(piece)
            made.append(target)
    except RuntimeError:
        raise StudioError("data.encrypted", file=name) from None
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise StudioError("data.packed_damaged", file=name) from None
    return made


class _Budget:
    def __init__(self, path: Path, folder: Path, name: str) -> None:
        self.name, self.packed, self.taken = name, max(1, path.stat().st_size), 0
        self.most = min(TOTAL_LIMIT, shutil.disk_usage(folder).free // 2)

    def take(self, count: int) -> None:
        self.taken += count
        if self.taken > _RATIO_FROM and self.taken > RATIO_LIMIT * self.packed:
            raise StudioError("data.packed_bomb", file=self.name, ratio=RATIO_LIMIT)
        if self.taken > self.most:
            raise StudioError("data.packed_large", file=self.name, limit=f"{self.most / 1e9:.1f} GB")


def _streams(path: Path, kind: str, members: list[str], name: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            for member in members:
                with archive.open(member) as stream:
                    yield member, _pieces(stream)
    elif kind == "tar":
        with tarfile.open(path) as archive_:
            for member in members:
                inner = archive_.extractfile(member)
                if inner is None:
                    raise StudioError("data.packed_damaged", file=name)
                with inner:
                    yield member, _pieces(inner)
    else:
        with path.open("rb") as packed:
            yield members[0], unpacked_pieces(packed, kind)


def unpacked_pieces(packed: BinaryIO, kind: str) -> Iterator[bytes]:
    """The content of a compressed file; `packed` stands where it has been read to. Raises EOFError, OSError or the library's
    error where it is damaged."""
    if kind == "zstd":
        yield from _zstd(packed)
    else:
        with _OPENERS[kind](packed, "rb") as opened:
            yield from _pieces(opened)


def packed_again(target: Path, kind: str) -> Any:
    """A file of this kind to write to, compressed in little time."""
    if kind == "zstd":
        import zstandard

        return zstandard.open(target, "wb", cctx=zstandard.ZstdCompressor(level=1))
    quick = {"preset": 0} if kind == "xz" else {"compresslevel": 1}
    return _OPENERS[kind](target, "wb", **quick)


def _pieces(stream: Any) -> Iterator[bytes]:
    return iter(lambda: stream.read(_PIECE), b"")


def _zstd(stream: BinaryIO) -> Iterator[bytes]:
    """The module's own stream doesn't tell a file that was cut off."""
    import zstandard

    frame = None
    try:
        while packed := stream.read(_ZSTD_PIECE):
            while packed:
                frame = frame or zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
                yield frame.decompress(packed)
                packed = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    except zstandard.ZstdError as error:
        raise EOFError from error
    if frame is not None:
        raise EOFError


def inner_name(name: str) -> str:
    path = PurePosixPath(name)
    if path.suffix.lower() == ".tgz":
        return f"{path.stem}.tar"
    return path.stem if path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst") else path.name
