"""The parts of a split GGUF model, as `llama-gguf-split` names them: `NAME-00001-of-00003.gguf`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.core.errors import StudioError

NUMBER, COUNT, TENSORS, ALL_TENSORS = "split.no", "split.count", "tensors", "split.tensors.count"
"""Of a head: number of the part from 0, of the parts, of its tensors, of those of the whole model."""
_NAME = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)
_NAMED = 3
Head = dict[str, Any]


def numbered(name: str) -> tuple[str, int, int] | None:
    """(what all parts are called, number from 1, count) of a part's name; None for another."""
    found = _NAME.fullmatch(name)
    return (found[1], int(found[2]), int(found[3])) if found else None


def stem(name: str) -> str:
    """Without the ending and the number of a part."""
    found = numbered(name)
    return found[0] if found else Path(name).stem


def part_names(name: str) -> list[str]:
    """Those of all parts of the model that `name` is a part of, as far as it says; else only itself."""
    found = numbered(name)
    if not found:
        return [name]
    return [f"{found[0]}-{number:05d}-of-{found[2]:05d}{Path(name).suffix}" for number in range(1, found[2] + 1)]


def refuse_absent(name: str, absent: Sequence[str]) -> None:
    """Raises StudioError where parts of the model of `name` are absent."""
    if absent:
        shown = ", ".join(absent[:_NAMED]) + (", …" if absent[_NAMED:] else "")
        raise StudioError("gguf.parts_missing", file=name, missing=shown)


def find_parts(file: Path, count: int) -> list[Path]:
    """All parts of the model that `file` is one of `count` of. Raises StudioError naming those that are not beside it."""
    found = numbered(file.name)
    if not found or found[2] != count:
        raise StudioError("gguf.parts", file=file.name, count=count)
    parts = [file.with_name(name) for name in part_names(file.name)]
    refuse_absent(file.name, [part.name for part in parts if not part.is_file()])
    return parts


def whole_head(parts: list[Path], head: Callable[[Path], Head | None]) -> Head:
    """The head of the first part, which speaks for all. Raises StudioError for a damaged part, and for parts that do not make
    up one model."""
    heads = []
    for number, part in enumerate(parts):
        found = head(part)
        if found is None:
            raise StudioError("gguf.damaged", file=part.name)
        if found[COUNT] != len(parts) or found[NUMBER] != number:
            raise StudioError("gguf.parts_mixed", file=part.name)
        heads.append(found)
    if any(found[ALL_TENSORS] != sum(each[TENSORS] for each in heads) for found in heads):
        raise StudioError("gguf.parts_mixed", file=parts[0].name)
    return heads[0]
