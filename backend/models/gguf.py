"""How models in GGUF files come in. Nothing is imported before its terms are accepted."""

from __future__ import annotations

from pathlib import Path

from backend.core import machine
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.db import Store
from backend.models.catalogue import convert_gguf, file_lock, import_folder, temporary_folder
from backend.models.gguf_terms import GEMMA, Terms, terms, unrestricted

_GEMMA_NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
"""The words that the terms ask for in a file called Notice (section 3.1)."""
_GROWTH, _JOINED = 9, 1
"""Bytes of weights and working copy per byte of a file with 4-bit weights, at most; of one that parts are joined into."""


def import_gguf(
    store: Store, settings: Settings, file: Path, name: str, accepted: bool = False, project: str | None = None
) -> ArtifactView:
    """The model in `file`, or in it and the parts beside it, its weights unpacked to float32, as an artifact called `name`.
    Raises StudioError for a damaged file, absent parts, terms that nobody has accepted, an architecture that transformers can't
    read from GGUF, or too small a disk."""
    if not name.strip():
        raise StudioError("models.name_empty", field="name")
    found = agreed(file, accepted)
    growth = _GROWTH + (_JOINED if found.files[1:] else 0)
    need = growth * sum(part.stat().st_size for part in found.files)
    free = machine.free_disk_bytes(settings.prepare().cache)
    if need > free:
        raise StudioError("core.disk_low", need=human_bytes(need), free=human_bytes(free), path="SLMOPS_HOME")
    with file_lock(settings.cache / "gguf.lock"), temporary_folder(settings, "gguf") as folder:
        unpack(file, found, folder)
        return import_folder(store, settings, folder, name, project)


def agreed(file: Path, accepted: bool, stated: str | None = None) -> Terms:
    """The terms of a file that may come in; `stated`: the license of its repository, for a file that names none. Raises
    StudioError as `terms`, and where nobody has accepted those that ask."""
    found = terms(file)
    known = found.license is None and unrestricted(stated)
    if found.ask and not accepted and not known:
        raise StudioError("gguf.terms", file=file.name, license=found.title or "–", link=found.link or "–")
    return found


def unpack(file: Path, found: Terms, folder: Path) -> None:
    """The model in the files of `found` as a folder of safetensors with its terms. Raises StudioError where it can't be
    read."""
    reason = convert_gguf(found.files, folder)
    if reason:
        raise StudioError("gguf.failed", file=file.name, reason=reason)
    _write_terms(found, folder)


def _write_terms(found: Terms, folder: Path) -> None:
    """What goes with the weights wherever they go, also into a package."""
    if found.license:
        (folder / "README.md").write_text(f"---\nlicense: {found.license}\n---\n", encoding="utf-8")
    notice = _GEMMA_NOTICE if found.link == GEMMA else ""
    origin = f"Converted by SLMOps Studio from the GGUF file of {found.name}; the weights were unpacked to float32.\n"
    (folder / "NOTICE").write_text("\n".join(filter(None, [notice, origin, found.text])), encoding="utf-8")
