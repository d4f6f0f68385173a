"""A project leaves as one zip file, a piece at a time, so that memory stays flat whatever its size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from backend.core.artifacts import MANIFEST, Manifest, read_manifest
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, ProjectView
from backend.db import Store
from backend.files.exports import Taken
from backend.files.project_file import FORMAT, HEADER, MADE_AGAIN, TABLES, Header, Part, allowed

_CHUNK = 1 << 20
_REMADE = frozenset({Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.CAPTURE, Kind.PACKAGE})


@dataclass(frozen=True)
class Contents:
    """What an export takes: the project's artifacts with all that they come from, and its runs that have ended (ids).
    `weights`: all files; else not those that a job can make again."""

    project: ProjectView
    artifacts: list[ArtifactView]
    runs: list[str]
    weights: bool = True
    manifests: dict[str, Manifest] = field(default_factory=dict)

    def files(self, view: ArtifactView) -> list[str]:
        """The files of an artifact that are taken."""
        left_out = set(self.left_out(view))
        return [name for name in self.manifests[view.id].files if name not in left_out]

    def left_out(self, view: ArtifactView) -> list[str]:
        if self.weights or view.job_id is None or view.kind not in _REMADE:
            return []
        return [name for name in self.manifests[view.id].files if PurePosixPath(name).suffix in MADE_AGAIN]

    @property
    def bytes(self) -> int:
        """Of all files, before texts are packed."""
        return sum((view.path / name).stat().st_size for view in self.artifacts for name in self.files(view))


def contents(store: Store, project: ProjectView, weights: bool = True) -> Contents:
    """Raises StudioError naming the artifact that can't be exported: a file of it is gone, or is none that an import takes."""
    found = {view.id: view for view in store.artifacts(project=project.id)}
    missing = {parent for view in found.values() for parent in view.parents} - found.keys()
    while missing:  # what other projects lent
        found |= {id_: store.artifact(id_) for id_ in missing}
        missing = {parent for id_ in missing for parent in found[id_].parents} - found.keys()
    runs = [run.id for run in store.runs(limit=1_000_000, project=project.id) if all(j.state.ended for j in run.jobs)]
    made = Contents(project, sorted(found.values(), key=lambda view: view.created), runs, weights)
    for view in made.artifacts:
        made.manifests[view.id] = read_manifest(view.path)
        for name in made.files(view):
            if not allowed(view.kind, name):
                raise StudioError("projects.file_unsafe", file=view.name, entry=name)
            file = view.path / name
            if not file.is_file() or file.is_symlink():
                raise StudioError("projects.artifact_gone", name=view.name, entry=name)
    return made


def export(store: Store, taken: Contents) -> Iterator[bytes]:
    """The zip file in pieces of about a megabyte. Raises StudioError when a file changes or goes meanwhile."""
    sink = Taken()
    with ZipFile(sink, "w", allowZip64=True) as archive:
        for view in taken.artifacts:
            yield from _artifact(archive, sink, taken, view)
        ids = [view.id for view in taken.artifacts]
        hashes = {}
        for table in TABLES:
            digest = hashlib.sha256()
            with archive.open(_entry(f"rows/{table}.jsonl"), "w", force_zip64=True) as packed:
                for row in store.rows_of(table, taken.runs, ids):
                    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
                    digest.update(line)
                    packed.write(line)
                    if sink.waiting >= _CHUNK:
                        yield sink.take()
            hashes[table] = digest.hexdigest()
        archive.writestr(_entry(HEADER), _header(taken, hashes).model_dump_json())
    yield sink.take()


def _artifact(archive: ZipFile, sink: Taken, taken: Contents, view: ArtifactView) -> Iterator[bytes]:
    folder = f"artifacts/{view.kind.value}/{view.id}"
    manifest = taken.manifests[view.id]
    archive.writestr(_entry(f"{folder}/{MANIFEST}"), (view.path / MANIFEST).read_bytes())
    for name in taken.files(view):
        digest = hashlib.sha256()
        entry = _entry(f"{folder}/{name}", view.path / name)
        with (view.path / name).open("rb") as source, archive.open(entry, "w", force_zip64=True) as packed:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                packed.write(chunk)
                yield sink.take()
        if digest.hexdigest() != manifest.files[name]:
            raise StudioError("core.artifact_damaged", ref=view.name, file=name)
    yield sink.take()


def _entry(name: str, file: Path | None = None) -> ZipInfo:
    """Weights are stored as they are; texts are packed."""
    entry = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    stored = file is not None and PurePosixPath(name).suffix in MADE_AGAIN
    entry.compress_type = ZIP_STORED if stored else ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _header(taken: Contents, hashes: dict[str, str]) -> Header:
    parts = [
        Part(id=view.id, kind=view.kind, name=view.name, digest=view.digest, left_out=taken.left_out(view))
        for view in taken.artifacts
    ]
    return Header(
        format=FORMAT,
        studio=version("slmops-studio"),
        name=taken.project.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        weights=taken.weights,
        rows=hashes,
        artifacts=parts,
    )
