"""Reads the head of a GGUF file in a process of its own: `python -m backend.models.gguf_head QUESTION.json ANSWER.json`.

A file from outside may announce lists without end, so memory and time are bounded before it is opened, and no process that
serves people reads it. The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import struct
import sys
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from backend.core.artifacts import write_json
from backend.core.limits import EXIT_MEMORY, limit

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_MAX_STRING, _MAX_ENTRIES, _MAX_ITEMS = 5_000_000, 100_000, 5_000_000
_MAX_ELEMENTS = 10**12
_MAX_HEAD = 200_000_000
"""Bytes; the largest vocabularies and their merges take a tenth."""
_TEXTS = ("general.architecture", "general.name", "general.license", "general.license.link")
_COUNTS = ("split.no", "split.count", "split.tensors.count")
_SHOWN_CHARS = 500


def head(file: Path) -> dict[str, Any] | None:
    """What the studio asks of a head: the texts that it has of `_TEXTS`, each bounded, the numbers in `_COUNTS`, 0 where it has
    none, and that of its `tensors`; None when the file is damaged or no GGUF file."""
    try:
        found, tensors = _metadata(file)
    except (struct.error, ValueError, KeyError, OverflowError, OSError):
        return None
    told: dict[str, Any] = {key: str(found[key])[:_SHOWN_CHARS] for key in _TEXTS if isinstance(found.get(key), str)}
    counts = {key: number for key in _COUNTS if isinstance(number := found.get(key, b""), bytes)}
    return told | {key: int.from_bytes(number, "little") for key, number in counts.items()} | {"tensors": tensors}


def _metadata(file: Path) -> tuple[dict[str, Any], int]:
    """The short values by their keys, without lists; the number of tensors."""
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF" or _number(stream, "<I") not in (2, 3):
            raise ValueError("no GGUF file")
        tensors, entries = _number(stream, "<Q"), _number(stream, "<Q")
        if tensors > _MAX_ENTRIES or entries > _MAX_ENTRIES:
            raise ValueError("more entries than any model has")
        found: dict[str, Any] = {}
        for _ in range(entries):
            if stream.tell() > _MAX_HEAD:
                raise ValueError("a head beyond all measure")
            key = _string(stream)
            value = _value(stream, _number(stream, "<I"))
            found |= {key: value} if value is not None else {}
        if not all(_sound_tensor(stream, file.stat().st_size) for _ in range(tensors)):
            raise ValueError("a tensor that can not be")
        return found, tensors


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
            if stream.tell() > _MAX_HEAD:
                raise ValueError("a head beyond all measure")
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


def main(question: Path, answer: Path) -> None:
    asked = json.loads(question.read_text("utf-8"))
    limit(**asked["limits"])
    try:
        found = head(Path(asked["file"]))
    except MemoryError:
        sys.exit(EXIT_MEMORY)
    write_json(answer, {"head": found})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
