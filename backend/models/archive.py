"""A folder of a model or an adapter that came as a zip file. Nothing is unpacked before names, kinds and sizes were looked at,
and then only the files that it consists of."""

from __future__ import annotations

import re
import secrets
import shutil
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

from backend.core import machine, zips
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.data.conversation import MORE_TEMPLATES
from backend.db import Store
from backend.models import adapter_files
from backend.models.adapters import import_adapter
from backend.models.catalogue import EXTRA_FILES, import_folder
from backend.models.probe import TEXT_LIMIT
from backend.process.explain import explain

_WEIGHTS = re.compile(r"[\w.-]+\.safetensors")
_RATIO = 100
"""Weights hardly shrink in a zip file, a tokenizer to a tenth: what grows more than this is meant to fill the disk."""


_CONFIGS = ("config.json", adapter_files.CONFIG)


def holds_model(zip_path: Path) -> bool:
    """Whether the configuration of a model or an adapter is among the names in a zip file, which may be damaged. Cheap: nothing
    is unpacked."""
    return any(path.name in _CONFIGS for path in _paths(zip_path))


def holds_adapter(zip_path: Path) -> bool:
    """Whether it is an adapter's, and no whole model's; as cheap."""
    paths = _paths(zip_path)
    top = _top(paths)
    return top is not None and top / adapter_files.CONFIG in paths and top / "config.json" not in paths


def _paths(zip_path: Path) -> list[PurePosixPath]:
    try:
        _check_directory(zip_path)
        with ZipFile(zip_path) as archive:
            return [PurePosixPath(name) for name in archive.namelist()]
    except (BadZipFile, StudioError, OSError, NotImplementedError, ValueError):
        return []


def import_archive(
    store: Store, settings: Settings, zip_path: Path, name: str, project: str | None = None, base: str = ""
) -> ArtifactView:
    """The model in `zip_path` (its files at the top or in one folder) as an artifact called `name`; an adapter on the model
    `base`, by default on the one that it names.

    Raises StudioError for what is no zip file, points outside, unpacks to too much or holds no usable model.
    """
    if not name.strip():
        raise StudioError("models.name_empty", field="name")
    folder = settings.cache / f"unpack-{secrets.token_hex(4)}" / "model"
    try:
        _check_directory(zip_path)
        with ZipFile(zip_path) as archive:
            members = _members(archive, zip_path.name)
            _check_sizes(list(members.values()), zip_path, settings)
            _unpack(archive, members, folder)
        if adapter_files.CONFIG in members and "config.json" not in members:
            return import_adapter(store, settings, folder, name, project, base)
        return import_folder(store, settings, folder, name, project)
    except (BadZipFile, ZlibError, EOFError, NotImplementedError):
        raise StudioError("files.archive_damaged", file=zip_path.name) from None
    except StudioError as error:
        raise _about_the_file(error, folder, zip_path.name) from None
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


def _check_directory(zip_path: Path) -> None:
    """Raises StudioError when the table of contents is out of all proportion."""
    if zips.directory_too_large(zip_path):
        raise StudioError("files.archive_many", file=zip_path.name)


def _members(archive: ZipFile, file: str) -> dict[str, ZipInfo]:
    """Name -> entry of the files beside config.json, else beside an adapter's. Raises StudioError for an unsafe entry."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    for entry in entries:
        if zips.encrypted(entry):
            raise StudioError("files.archive_encrypted", file=file)
        if zips.unsafe(entry):
            raise StudioError("files.archive_unsafe", file=file, entry=entry.filename)
    paths = {PurePosixPath(entry.filename): entry for entry in entries}
    top = _top(list(paths))
    if top is None:
        raise StudioError("files.archive_no_model", file=file)
    beside = {path.name: entry for path, entry in paths.items() if path.parent == top}
    templates = {f"{MORE_TEMPLATES}/{path.name}": entry for path, entry in paths.items() if _is_template(path, top)}
    for name in beside:
        if name.endswith(".py"):
            raise StudioError("models.remote_code", path=file, file=name)
    kept = (*EXTRA_FILES, adapter_files.CONFIG)
    return {name: entry for name, entry in beside.items() if name in kept or _WEIGHTS.fullmatch(name)} | templates


def _is_template(path: PurePosixPath, top: PurePosixPath) -> bool:
    return path.parent == top / MORE_TEMPLATES and path.suffix == ".jinja"


def _top(paths: list[PurePosixPath]) -> PurePosixPath | None:
    """The folder that holds the model, else the adapter. Olive leaves an adapter in `adapter`, and a copy of its model in
    `model` next to it."""
    left = [
        path.parent for path in paths if path.parts[-2:] == ("adapter", adapter_files.CONFIG) and len(path.parts) <= 3
    ]
    for folder in sorted(left, key=str):
        if not any(path.parent == folder.parent and path.suffix == ".safetensors" for path in paths):
            return folder
    for config in _CONFIGS:
        if tops := sorted((path.parent for path in paths if path.name == config and len(path.parts) <= 2), key=str):
            return tops[0]
    return None


def _check_sizes(entries: list[ZipInfo], zip_path: Path, settings: Settings) -> None:
    for entry in entries:
        if not entry.filename.endswith(".safetensors") and entry.file_size > TEXT_LIMIT:
            shown = {"size": human_bytes(entry.file_size), "limit": human_bytes(TEXT_LIMIT)}
            raise StudioError("models.text_large", path=zip_path.name, file=entry.filename, **shown)
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    limit = min(2 * settings.max_upload_bytes, _RATIO * max(packed, 10_000))
    if size > limit:
        shown = {"file": zip_path.name, "size": human_bytes(size), "limit": human_bytes(limit)}
        raise StudioError("files.archive_too_large", **shown)
    free = machine.free_disk_bytes(settings.cache)
    if 2 * size > free:  # unpacked, then copied into the store
        raise StudioError("core.disk_low", need=human_bytes(2 * size), free=human_bytes(free), path="SLMOPS_HOME")


def _unpack(archive: ZipFile, members: dict[str, ZipInfo], folder: Path) -> None:
    """zipfile gives no more bytes of an entry than it announced, and checks its sum."""
    folder.mkdir(parents=True)
    for name, entry in members.items():
        try:
            (folder / name).parent.mkdir(exist_ok=True)
            with archive.open(entry) as packed, (folder / name).open("wb") as file:
                shutil.copyfileobj(packed, file, 1 << 20)
        except OSError as error:
            if explain(error, folder).code == "core.disk_full":
                raise StudioError("core.disk_full", path=folder) from error
            raise


def _about_the_file(error: StudioError, folder: Path, file: str) -> StudioError:
    """The same problems, naming the zip file instead of the folder that is gone afterwards."""
    return StudioError.of(
        [
            problem.model_copy(
                update={"args": {key: file if value == folder else value for key, value in problem.args.items()}}
            )
            for problem in error.problems
        ]
    )
