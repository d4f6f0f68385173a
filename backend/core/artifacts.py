"""Artifact folders: a manifest with hashes beside the bytes, written last, so that a folder without one is unfinished.

Layout: `<home>/artifacts/<kind>/<id>/` with the payload and `manifest.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.core.errors import StudioError
from backend.core.renames import renamed, stage_name
from backend.core.schemas import Kind

MANIFEST = "manifest.json"
MADE = "made"
"""Where a stage that runs within another one keeps what it makes (`Context.within`)."""
_VERSIONS = ("slmops-studio", "torch", "transformers", "peft", "trl", "olive-ai", "onnxruntime", "onnxruntime-genai")


class Manifest(BaseModel):
    """What made these bytes: resolved parameters, parents, versions, seed, and a SHA-256 for every file; `endpoints`: address
    and model behind the names of saved endpoints in the parameters."""

    id: str
    kind: Kind
    name: str
    stage: str | None = None
    params: dict[str, Any] = {}
    endpoints: dict[str, dict[str, str]] = {}
    parents: list[str] = []
    facts: dict[str, Any] = {}
    license: str | None = None
    seed: int | None = None
    versions: dict[str, str] = {}
    files: dict[str, str] = {}
    size_bytes: int = 0

    @property
    def digest(self) -> str:
        """One SHA-256 over the names and hashes of all files: equal bytes, equal digest."""
        lines = "\n".join(f"{hash_} {name}" for name, hash_ in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()


def seal(source: Path, target: Path, manifest: Manifest) -> Manifest:
    """Move the finished folder `source` to `target` with its manifest. An earlier folder of the same id is replaced."""
    files = {str(path.relative_to(source)): sha256(path) for path in _payload(source)}
    size = sum(path.stat().st_size for path in _payload(source))
    sealed = manifest.model_copy(update={"files": files, "size_bytes": size, "versions": _versions()})
    target.parent.mkdir(parents=True, exist_ok=True)
    incoming = target.with_name(f".{target.name}.incoming")
    shutil.rmtree(incoming, ignore_errors=True)
    _move(source, incoming)
    write_json(incoming / MANIFEST, sealed.model_dump(mode="json"))
    shutil.rmtree(target, ignore_errors=True)
    incoming.rename(target)
    return sealed


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a sealed folder, stage and parameters by their names of now. Raises StudioError when it is missing."""
    file = folder / MANIFEST
    if not file.is_file():
        raise StudioError("core.artifact_damaged", ref=folder.name, file=MANIFEST)
    found = Manifest.model_validate_json(file.read_text("utf-8"))
    if found.stage is None:
        return found
    now = {"stage": stage_name(found.stage), "params": renamed(found.stage, found.params)}
    return found.model_copy(update=now)


def made_in(folder: Path) -> Path:
    """The sealed folder that a stage left which ran within another one, in this folder."""
    return next(folder.glob(f"{MADE}/*/*/{MANIFEST}")).parent


def verify(folder: Path) -> None:
    """Raise StudioError naming the first file that is missing or changed."""
    for name, digest in read_manifest(folder).files.items():
        file = folder / name
        if not file.is_file() or sha256(file) != digest:
            raise StudioError("core.artifact_damaged", ref=folder.name, file=name)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write atomically: a reader sees the old file or the new one, never half of it."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def folder_bytes(folder: Path) -> int:
    """Size of all files below `folder`, in bytes; 0 when it is missing."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _payload(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)


def _move(source: Path, target: Path) -> None:
    try:
        source.rename(target)
    except OSError:  # another file system
        shutil.copytree(source, target)
        shutil.rmtree(source)


@cache
def _versions() -> dict[str, str]:
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
