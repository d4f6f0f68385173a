"""Models in GGUF files: under which terms they stand, and how they come in. Nothing is imported before its terms are accepted.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from backend.core import machine
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, View
from backend.core.settings import Settings
from backend.core.units import human_bytes
from backend.db import Store
from backend.models.catalogue import convert_gguf, file_lock, import_folder, temporary_folder
from backend.models.probe import LICENSE_FILES

UNRESTRICTED_LICENSES = frozenset({"apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "unlicense"})
"""Licenses that restrict no use of a model."""
_GEMMA = "https://ai.google.dev/gemma/terms"
_GEMMA_NOTICE = "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms\n"
"""The words that the terms ask for in a file called Notice (section 3.1)."""
_BESIDE = (*LICENSE_FILES, "NOTICE", "NOTICE.md", "NOTICE.txt")
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_MAX_STRING, _MAX_ENTRIES, _MAX_ITEMS = 5_000_000, 100_000, 5_000_000
_MAX_ELEMENTS = 10**12
_MAX_HEAD = 200_000_000
"""Bytes; the largest vocabularies and their merges take a tenth."""
_GROWTH = 9
"""Bytes of weights and working copy per byte of a file with 4-bit weights, at most."""


class Terms(View):
    """What a GGUF file says of its license; `link` and `text` (files that lie beside it) are where to read it. `ask`: somebody
    has to accept it first, because it restricts the use or nobody knows."""

    name: str
    architecture: str
    license: str | None
    link: str | None
    text: str
    ask: bool

    @property
    def title(self) -> str:
        return "Gemma Terms of Use" if self.link == _GEMMA else self.license or ""


def terms(file: Path) -> Terms:
    """Read from the head of the file, once. Raises StudioError when it is no whole GGUF file, or a part of one."""
    state = file.stat()
    return _terms(file, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _terms(file: Path, _size: int, _changed: int) -> Terms:
    about = _metadata(file)
    count = int.from_bytes(about.get("split.count", b"\0"), "little")
    if count > 1:
        raise StudioError("gguf.parts", file=file.name, count=count)
    architecture = str(about.get("general.architecture", ""))
    named = about.get("general.license")
    license_ = str(named).strip() if named else "gemma" if architecture.startswith("gemma") else None
    link = about.get("general.license.link")
    if license_ == "gemma" or architecture.startswith("gemma"):
        link = _GEMMA
    beside = [file.parent / name for name in _BESIDE if (file.parent / name).is_file()]
    return Terms(
        name=str(about.get("general.name") or file.stem),
        architecture=architecture,
        license=license_,
        link=str(link) if link else None,
        text="\n\n".join(path.read_text("utf-8", "replace")[:100_000] for path in beside),
        ask=(license_ or "").lower() not in UNRESTRICTED_LICENSES,
    )


def import_gguf(
    store: Store, settings: Settings, file: Path, name: str, accepted: bool = False, project: str | None = None
) -> ArtifactView:
    """The model in `file`, its weights unpacked to float32, as an artifact called `name`. Raises StudioError for a damaged
    file, terms that nobody has accepted, an architecture that transformers can't read from GGUF, or too small a disk."""
    if not name.strip():
        raise StudioError("models.name_empty", field="name")
    found = agreed(file, accepted)
    need, free = _GROWTH * file.stat().st_size, machine.free_disk_bytes(settings.prepare().cache)
    if need > free:
        raise StudioError("core.disk_low", need=human_bytes(need), free=human_bytes(free), path="SLMOPS_HOME")
    with file_lock(settings.cache / "gguf.lock"), temporary_folder(settings, "gguf") as folder:
        unpack(file, found, folder)
        return import_folder(store, settings, folder, name, project)


def agreed(file: Path, accepted: bool) -> Terms:
    """The terms of a file that may come in. Raises StudioError as `terms`, and where nobody has accepted those that ask."""
    found = terms(file)
    if found.ask and not accepted:
        raise StudioError("gguf.terms", file=file.name, license=found.title or "–", link=found.link or "–")
    return found


def unpack(file: Path, found: Terms, folder: Path) -> None:
    """The model in `file` as a folder of safetensors with its terms. Raises StudioError where it can't be read."""
    reason = convert_gguf(file, folder)
    if reason:
        raise StudioError("gguf.failed", file=file.name, reason=reason)
    _write_terms(found, folder)


def _write_terms(found: Terms, folder: Path) -> None:
    """What goes with the weights wherever they go, also into a package."""
    if found.license:
        (folder / "README.md").write_text(f"---\nlicense: {found.license}\n---\n", encoding="utf-8")
    notice = _GEMMA_NOTICE if found.link == _GEMMA else ""
    origin = f"Converted by SLMOps Studio from the GGUF file of {found.name}; the weights were unpacked to float32.\n"
    (folder / "NOTICE").write_text("\n".join(filter(None, [notice, origin, found.text])), encoding="utf-8")


def _metadata(file: Path) -> dict[str, Any]:
    """The short values of a GGUF file by their keys; lists are left out."""
    damaged = StudioError("gguf.damaged", file=file.name)
    try:
        with file.open("rb") as stream:
            if stream.read(4) != b"GGUF" or _number(stream, "<I") not in (2, 3):
                raise damaged
            tensors, entries = _number(stream, "<Q"), _number(stream, "<Q")
            if tensors > _MAX_ENTRIES or entries > _MAX_ENTRIES:
                raise damaged
            found: dict[str, Any] = {}
            for _ in range(entries):
                if stream.tell() > _MAX_HEAD:
                    raise damaged
                key = _string(stream)
                value = _value(stream, _number(stream, "<I"))
                found |= {key: value} if value is not None else {}
            if not all(_sound_tensor(stream, file.stat().st_size) for _ in range(tensors)):
                raise damaged
            return found
    except (struct.error, ValueError, KeyError, OverflowError, OSError, MemoryError):
        raise damaged from None


def _sound_tensor(stream: BinaryIO, size: int) -> bool:
    """Whether the next tensor has no more than four dimensions, a size that can be, and lies in a file of `size` bytes."""
    _string(stream)
    dimensions = _number(stream, "<I")
    if dimensions > 4:
        return False
    elements = prod(_number(stream, "<Q") for _ in range(dimensions))
    _number(stream, "<I")
    return elements <= _MAX_ELEMENTS and _number(stream, "<Q") <= size


def _value(stream: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(stream)
    if kind != _ARRAY:
        return stream.read(_SIZES[kind])
    inner, count = _number(stream, "<I"), _number(stream, "<Q")
    if count > _MAX_ITEMS:
        raise ValueError("a list beyond all measure")
    if inner == _STRING:
        for _ in range(count):
            _string(stream)
    elif inner == _ARRAY:
        raise ValueError("lists of lists")
    else:
        stream.seek(_SIZES[inner] * count, 1)
    return None


def _string(stream: BinaryIO) -> str:
    length = _number(stream, "<Q")
    if length > _MAX_STRING:
        raise ValueError("a string beyond all measure")
    content = stream.read(length)
    if len(content) < length:
        raise ValueError("cut off")
    return content.decode("utf-8", "replace")


def _number(stream: BinaryIO, form: str) -> int:
    (number,) = struct.unpack(form, stream.read(struct.calcsize(form)))
    return int(number)
