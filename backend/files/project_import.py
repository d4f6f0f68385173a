"""A project comes in from one zip file, which anybody may have made: nothing is taken before its name, kind, size and hash were
looked at, nothing is unpickled or run, and the studio has all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from backend.core import machine, zips
from backend.core.artifacts import MANIFEST, Manifest, write_json
from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.db import Store
from backend.db.projects import new_id
from backend.files.project_file import (
    FORMAT,
    HEADER,
    LEFT_OUT,
    MADE_AGAIN,
    TABLES,
    TEXT_LIMIT,
    Header,
    Part,
    allowed,
    sound_facts,
)

_CHUNK = 1 << 20
_RATIO = 100
"""Texts shrink to a tenth: what grows more than this is meant to fill the disk."""
_WEIGHT_HEADER = 100_000_000
"""Largest table of contents of a safetensors file that its library reads, in bytes."""

Progress = Callable[[int, int], None]
"""Is told bytes done and bytes in all; may raise StudioError to stop."""


@dataclass
class Incoming:
    """One file on its way in. `renamed`: ids of the file -> ids here, where another thing has that id already; `reused`: ids of
    artifacts that are here, byte for byte; `kept`: id in the file -> manifest and staged folder of the others."""

    archive: ZipFile
    file: str
    header: Header
    entries: dict[str, ZipInfo]
    renamed: dict[str, str] = field(default_factory=dict)
    reused: set[str] = field(default_factory=set)
    kept: dict[str, tuple[Manifest, Path]] = field(default_factory=dict)

    def text(self, name: str) -> bytes:
        entry = self.entries.get(name)
        if entry is None or entry.file_size > TEXT_LIMIT:
            raise StudioError("projects.file_damaged", file=self.file)
        return self.archive.read(entry)


def import_project(
    store: Store, settings: Settings, path: Path, name: str = "", progress: Progress = lambda done, total: None
) -> str:
    """The id of the new project, called `name`, else as it was called. Raises StudioError, in one sentence, for a file that is
    damaged, not one of ours, changed, unsafe or too large; then nothing of it stays."""
    staging = settings.prepare().cache / f"import-project-{secrets.token_hex(4)}"
    try:
        if zips.directory_too_large(path):
            raise StudioError("projects.file_damaged", file=path.name)
        with ZipFile(path) as archive:
            incoming = _open(archive, path, settings)
            _stage(incoming, store, staging, progress)
            return _keep(incoming, store, settings, name)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RecursionError, UnicodeDecodeError) as error:
        raise StudioError("projects.file_damaged", file=path.name) from error
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError, IntegrityError) as error:
        raise StudioError("projects.file_damaged", file=path.name) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _header(text: bytes, file: str) -> Header:
    plain = json.loads(text)
    if isinstance(plain, dict) and isinstance(plain.get("format"), int) and plain["format"] > FORMAT:
        raise StudioError("projects.file_version", file=file, version=plain["format"])
    return Header.model_validate(plain)


def _open(archive: ZipFile, path: Path, settings: Settings) -> Incoming:
    """Looks at all names and sizes."""
    entries: dict[str, ZipInfo] = {}
    for entry in archive.infolist():
        if zips.encrypted(entry) or zips.unsafe(entry) or entry.is_dir() or entry.filename in entries:
            raise StudioError("projects.file_unsafe", file=path.name, entry=entry.filename[:200])
        entries[entry.filename] = entry
    size = sum(entry.file_size for entry in entries.values())
    limit = _RATIO * max(path.stat().st_size, 100_000)
    if size > limit:
        shown = {"size": human_bytes(size), "limit": human_bytes(limit)}
        raise StudioError("projects.file_large", file=path.name, **shown)
    free = machine.free_disk_bytes(settings.cache)
    if size > free:
        raise StudioError("core.disk_low", need=human_bytes(size), free=human_bytes(free), path="SLMOPS_HOME")
    if HEADER not in entries or entries[HEADER].file_size > TEXT_LIMIT:
        raise StudioError("projects.file_damaged", file=path.name)
    header = _header(archive.read(entries[HEADER]), path.name)
    return Incoming(archive, path.name, header, entries)


def _stage(incoming: Incoming, store: Store, staging: Path, progress: Progress) -> None:
    """Unpacks every artifact that is not here yet, each file against its hash; any entry that nothing names is refused."""
    header = incoming.header
    named = {HEADER, *(f"rows/{table}.jsonl" for table in TABLES)}
    manifests = {}
    for part in header.artifacts:
        if part.id in manifests:
            raise ValueError("an artifact twice")
        manifests[part.id] = _manifest(incoming, part)
        named |= {f"{part.folder}/{MANIFEST}", *(f"{part.folder}/{name}" for name in _files(part, manifests[part.id]))}
    if strange := sorted(incoming.entries.keys() - named):
        raise StudioError("projects.file_unsafe", file=incoming.file, entry=strange[0][:200])
    done, total = 0, sum(entry.file_size for entry in incoming.entries.values())
    for part in header.artifacts:
        here = store.find_artifact(part.id)
        if here and here.id == part.id:
            if here.digest == part.digest:
                incoming.reused.add(part.id)
                continue
            incoming.renamed[part.id] = f"{part.id[:70]}-{secrets.token_hex(3)}"
        folder = staging / part.id
        folder.mkdir(parents=True)
        for name in _files(part, manifests[part.id]):
            wanted = manifests[part.id].files[name]
            for size in _unpack(incoming, f"{part.folder}/{name}", folder / name, wanted):
                done += size
                progress(done, total)
        incoming.kept[part.id] = (manifests[part.id], folder)


def _manifest(incoming: Incoming, part: Part) -> Manifest:
    """Says the same as the header, and only files that such a thing may hold."""
    found = Manifest.model_validate_json(incoming.text(f"{part.folder}/{MANIFEST}"))
    if (found.id, found.kind, found.name, found.digest) != (part.id, part.kind, part.name, part.digest):
        raise StudioError("projects.file_changed", file=incoming.file, entry=f"{part.folder}/{MANIFEST}")
    for name in found.files:
        if not allowed(part.kind, name) or name == MANIFEST:
            raise StudioError("projects.file_unsafe", file=incoming.file, entry=f"{part.folder}/{name}"[:200])
    if any(name not in found.files or not name.endswith(tuple(MADE_AGAIN)) for name in part.left_out):
        raise ValueError("something else was left out")
    return found


def _files(part: Part, manifest: Manifest) -> list[str]:
    return [name for name in manifest.files if name not in part.left_out]


def _unpack(incoming: Incoming, entry: str, target: Path, wanted: str) -> Iterator[int]:
    """Yields the sizes of the pieces. zipfile gives no more bytes of an entry than it announced."""
    if entry not in incoming.entries:
        raise StudioError("projects.file_damaged", file=incoming.file)
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with incoming.archive.open(incoming.entries[entry]) as packed, target.open("xb") as file:
        while chunk := packed.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
            yield len(chunk)
    if digest.hexdigest() != wanted or not _harmless(target):
        raise StudioError("projects.file_changed", file=incoming.file, entry=entry)


def _harmless(file: Path) -> bool:
    """A safetensors file begins with a table of contents of its size, an array holds numbers and no Python objects."""
    with file.open("rb") as stream:
        if file.suffix == ".safetensors":
            length = int.from_bytes(stream.read(8), "little")
            return length <= min(_WEIGHT_HEADER, file.stat().st_size - 8) and stream.read(1) == b"{"
        if file.suffix == ".npy":
            head = stream.read(256)
            return head.startswith(b"\x93NUMPY") and b"|O" not in head.partition(b"\n")[0]
    return True


def _keep(incoming: Incoming, store: Store, settings: Settings, name: str) -> str:
    """Moves the folders to their place and registers all of it; takes them back when that fails."""
    rows = _rows(incoming, store)
    moved: list[Path] = []
    project_id = new_id("p")
    try:
        for id_, (manifest, folder) in incoming.kept.items():
            plain = _renamed(manifest.model_dump(mode="json"), incoming.renamed)
            target = settings.artifacts / manifest.kind.value / plain["id"]
            if target.exists():  # without a row: what a job or another import left half done
                shutil.rmtree(target)
            write_json(folder / MANIFEST, plain)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
            moved.append(target)
            rows["artifact"][id_]["path"] = str(target)
        flat = [(table, row) for table in TABLES for row in rows[table].values()]
        store.restore_project(project_id, _free_name(store, name or incoming.header.name), flat)
    except BaseException:
        for target in moved:
            shutil.rmtree(target, ignore_errors=True)
        raise
    return project_id


def _rows(incoming: Incoming, store: Store) -> dict[str, dict[Any, dict[str, Any]]]:
    """table -> key -> row, ids as they are here. Rows of artifacts that are here already, and their parents, are not taken."""
    read = {table: list(_lines(incoming, table)) for table in TABLES}
    states = store.job_states()
    if any(row["id"] in states for row in read["job"]) or store.runs(1, ids=[row["id"] for row in read["run"]]):
        incoming.renamed |= {row["id"]: new_id("r") for row in read["run"]} | {
            row["id"]: new_id("j") for row in read["job"]
        }
    wanted = incoming.kept.keys()
    if {row["id"] for row in read["artifact"]} != wanted | incoming.reused:
        raise ValueError("other artifacts than the header says")
    here = wanted | incoming.reused
    parts = {part.id: part for part in incoming.header.artifacts}
    found: dict[str, dict[Any, dict[str, Any]]] = {table: {} for table in TABLES}
    for table in TABLES:
        for at, row in enumerate(read[table]):
            if table == "artifact":
                if row["id"] in wanted:
                    found[table][row["id"]] = _artifact(_renamed(row, incoming.renamed), parts[row["id"]], incoming)
            elif table == "artifact_parent":
                if row["child"] in wanted and row["parent"] in here:
                    found[table][at] = _renamed(row, incoming.renamed)
            elif table != "review" or row["dataset"] in wanted:
                found[table][at] = _renamed(row, incoming.renamed)
    return found


def _lines(incoming: Incoming, table: str) -> Iterator[dict[str, Any]]:
    """The rows of one table, a line at a time, against the hash of all."""
    name = f"rows/{table}.jsonl"
    digest = hashlib.sha256()
    if name not in incoming.entries or incoming.entries[name].file_size > 4 * TEXT_LIMIT:
        raise StudioError("projects.file_damaged", file=incoming.file)
    with incoming.archive.open(incoming.entries[name]) as packed:
        while line := packed.readline(TEXT_LIMIT):
            digest.update(line)
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("no row")
            yield row
    if digest.hexdigest() != incoming.header.rows.get(table):
        raise StudioError("projects.file_changed", file=incoming.file, entry=name)


def _artifact(row: dict[str, Any], part: Part, incoming: Incoming) -> dict[str, Any]:
    """The row says what the manifest says, and what was left out."""
    manifest, folder = incoming.kept[part.id]
    facts = _renamed(manifest.facts, incoming.renamed)
    if "path" in row:
        raise ValueError("a place of its own")
    if (row["kind"], row["name"], row["digest"]) != (part.kind.value, part.name, part.digest):
        raise StudioError("projects.file_changed", file=incoming.file, entry="rows/artifact.jsonl")
    if not sound_facts(part.kind, facts):
        raise ValueError("facts of other types")
    size = sum((folder / name).stat().st_size for name in _files(part, manifest))
    return row | {"facts": facts | ({LEFT_OUT: True} if part.left_out else {}), "size_bytes": size}


def _renamed(value: Any, ids: dict[str, str]) -> Any:
    """The same with every text that is one of these ids replaced."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, list):
        return [_renamed(each, ids) for each in value]
    if isinstance(value, dict):
        return {key: _renamed(each, ids) for key, each in value.items()}
    return value


def _free_name(store: Store, name: str) -> str:
    """`Mails`, `Mails (2)` where there is one already."""
    taken = {each.name for each in store.projects()}
    name = " ".join(name.split())[:90] or "?"
    return next(each for each in (name, *(f"{name} ({n})" for n in range(2, 10_000))) if each not in taken)
