"""Files that people sent from a browser, and folders of files that were fetched from a hub: `<home>/uploads/<id>/<name>`, kept
until somebody deletes them.

A file grows in a hidden folder that is renamed at the end, so that a broken connection leaves nothing that looks whole.
"""

from __future__ import annotations

import errno
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from backend.core import machine
from backend.core.artifacts import folder_bytes, write_json
from backend.core.errors import StudioError
from backend.core.schemas import View
from backend.core.settings import Settings
from backend.core.units import human_bytes

_ID = re.compile(r"[0-9a-f]{16}")
_NAME_BYTES = 180
_RESERVED_BYTES = 200_000_000
"""Stays free on the disk, so that the databases can go on writing."""


_ORIGIN = ".origin.json"
"""Beside a folder that was fetched; hidden, so that it is none of the files."""


class Origin(View):
    """Where fetched files come from: a repository of a hub at one commit, with the license that it states."""

    host: str
    repo: str
    commit: str
    license: str | None = None


class Upload(View):
    """`bytes`: size of the file at `path`, or of all files in the folder there. `origin`: of a folder that was fetched."""

    id: str
    name: str
    path: Path
    bytes: int
    created: datetime
    origin: Origin | None = None


class IncomingUpload:
    """A file while it arrives. `upload` is set once `finish` was called."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings = settings
        self._id = secrets.token_hex(8)
        self._folder = settings.uploads / f".{self._id}"
        self._folder.mkdir(parents=True)
        self._file = (self._folder / safe_name(name)).open("wb")
        self._bytes = 0
        self.upload: Upload | None = None

    def write(self, chunk: bytes) -> None:
        """Raises StudioError when the file grows too large or the disk is full."""
        self._bytes += len(chunk)
        if self._bytes > self._settings.max_upload_bytes:
            raise _too_large(self._settings)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise self._explained(error) from error

    def finish(self) -> Upload:
        """Flush, and put the file in its place. Raises StudioError when the disk is full."""
        try:
            self._file.close()
        except OSError as error:
            raise self._explained(error) from error
        target = self._settings.uploads / self._id
        self._folder.rename(target)
        self.upload = _upload(target / Path(self._file.name).name)
        return self.upload

    def discard(self) -> None:
        with suppress(OSError):  # what is buffered may have no room, and is not wanted
            self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _explained(self, error: OSError) -> Exception:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return error
        return StudioError(
            "files.upload_no_space", need=human_bytes(self._bytes), free=human_bytes(_free(self._settings))
        )


@contextmanager
def receive_upload(settings: Settings, name: str, announced: int | None = None) -> Iterator[IncomingUpload]:
    """An `IncomingUpload` to write to and to finish; unless that happened, nothing of it is left.

    Raises StudioError before the first byte when `announced` bytes are too many or the disk has no room for them.
    """
    if announced is not None:
        if announced > settings.max_upload_bytes:
            raise _too_large(settings)
        if announced + _RESERVED_BYTES > _free(settings):
            raise StudioError("files.upload_no_space", need=human_bytes(announced), free=human_bytes(_free(settings)))
    incoming = IncomingUpload(settings, name)
    try:
        yield incoming
    finally:
        if incoming.upload is None:
            incoming.discard()


def uploads(settings: Settings) -> list[Upload]:
    """Newest first."""
    found = [upload for folder in _folders(settings) for upload in _uploads_in(folder)]
    return sorted(found, key=lambda upload: upload.created, reverse=True)


def upload(settings: Settings, upload_id: str) -> Upload:
    """Raises StudioError when there is none."""
    folder = settings.uploads / upload_id
    found = _uploads_in(folder) if _ID.fullmatch(upload_id) and folder.is_dir() else []
    if not found:
        raise StudioError("files.upload_unknown", ref=upload_id)
    return found[0]


def keep_fetched(home: Path, key: str, folder: Path, origin: Origin) -> Path:
    """Move the finished `folder` to the uploads of `home`, with where it comes from; its place there, which is the same for the
    same `key` and replaces what was there."""
    place = home / "uploads"
    incoming = place / f".{key}"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(parents=True)
    write_json(incoming / _ORIGIN, origin.model_dump(mode="json"))
    folder.rename(incoming / folder.name)
    shutil.rmtree(place / key, ignore_errors=True)
    incoming.rename(place / key)
    return place / key / folder.name


def fetched(home: Path, key: str) -> Path | None:
    """The folder that `keep_fetched` put away under this key, if it is still there."""
    place = home / "uploads" / key
    return next((each.path for each in _uploads_in(place)), None) if place.is_dir() else None


def origin_of(path: Path) -> Origin | None:
    """Where an upload was fetched from; None for any other path."""
    try:
        return Origin.model_validate_json((path.parent / _ORIGIN).read_text("utf-8"))
    except (OSError, ValidationError):
        return None


def delete_upload(settings: Settings, upload_id: str, users: dict[str, str]) -> int:
    """Returns the bytes freed. `users`: path or name -> open job that needs it. Raises StudioError when one does."""
    found = upload(settings, upload_id)
    if str(found.path) in users:
        raise StudioError("files.upload_busy", name=found.name, job=users[str(found.path)])
    shutil.rmtree(found.path.parent, ignore_errors=True)
    return found.bytes


def safe_name(name: str) -> str:
    """The last part of a name without control characters, at most 180 bytes, its extension kept: `a/b\\c.csv` -> `c.csv`."""
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    plain = "".join(" " if char.isspace() else char for char in last if char.isspace() or char.isprintable())
    plain = re.sub(r" +", " ", plain).strip(" .") or "file"
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix.encode()) > 20:
        stem, ending = plain, ""
    else:
        ending = f".{suffix}"
    left = _NAME_BYTES - len(ending.encode())
    return stem.encode()[:left].decode("utf-8", "ignore").rstrip() + ending


def _too_large(settings: Settings) -> StudioError:
    return StudioError("files.upload_too_large", limit=human_bytes(settings.max_upload_bytes))


def _free(settings: Settings) -> int:
    return machine.free_disk_bytes(settings.uploads)


def _folders(settings: Settings) -> list[Path]:
    if not settings.uploads.is_dir():
        return []
    return [folder for folder in settings.uploads.iterdir() if _ID.fullmatch(folder.name)]


def _uploads_in(folder: Path) -> list[Upload]:
    """The one file or fetched folder of an upload's folder; none when it is being deleted."""
    try:
        return [_upload(path) for path in folder.iterdir() if path.name != _ORIGIN and not path.is_symlink()]
    except FileNotFoundError:
        return []


def _upload(path: Path) -> Upload:
    stat = path.stat()
    return Upload(
        id=path.parent.name,
        name=path.name,
        path=path,
        bytes=folder_bytes(path) if path.is_dir() else stat.st_size,
        created=datetime.fromtimestamp(stat.st_mtime, UTC),
        origin=origin_of(path) if path.is_dir() else None,
    )
