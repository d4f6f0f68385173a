"""Samples of JSON documents that are one list of objects. Objects are found in the middle of the file by their keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.data.sampling.part import PLACES, SAMPLE_BYTES, Part

HEAD_BYTES = 1_200_000
_LARGER = (1, 8, 64)
_BORDER = re.compile(r"\}\s*,\s*(?=\{)")
_SPACE = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


def sample_document(path: Path, target: Path) -> Part | None:
    """None where the document is no list of objects, or objects within its rows look like rows."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        text = (
            head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip()
        )  # a byte is a character: only extents matter
        if b"\0" in head[:4096] or not text.startswith("["):
            return None
        rows, end = _objects(text, 1)
        keys = _common_keys([value for value, _ in rows])
        if not keys:
            return None
        written = [text[1:end].strip().rstrip(",")]
        usual = (SAMPLE_BYTES - HEAD_BYTES) // PLACES
        for number in range(1, PLACES + 1):
            offset = HEAD_BYTES + (size - usual - HEAD_BYTES) * number // PLACES
            for times in _LARGER:
                stream.seek(offset)
                found = _within(stream.read(times * usual).decode("latin-1"), keys)
                if found:
                    written += found
                    break
    told = f"[{','.join(written)}]".encode("latin-1")
    target.write_bytes(told)
    return Part(size / len(told))


def _objects(text: str, start: int) -> tuple[list[tuple[dict[str, Any], str]], int]:
    """(the objects that follow one another from `start` on, each with its text; where the last one ends)."""
    found, end = list[tuple[dict[str, Any], str]](), start
    while True:
        space = _SPACE.match(text, end)
        begin = space.end() if space else end
        try:
            value, after = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return found, end
        if not isinstance(value, dict):
            return found, end
        found.append((value, text[begin:after]))
        end = after


def _within(piece: str, keys: frozenset[str]) -> list[str]:
    """The texts of the rows in a piece that begins anywhere."""
    for border in _BORDER.finditer(piece):
        rows, _ = _objects(piece, border.end())
        if rows and all(keys <= value.keys() for value, _ in rows):
            return [text for _, text in rows]
    return []


def _common_keys(rows: list[dict[str, Any]]) -> frozenset[str]:
    """Those of all rows; none where an object inside a row has them all, too."""
    if not rows:
        return frozenset()
    keys = frozenset(rows[0]).intersection(*rows[1:])
    return frozenset() if any(keys <= inner.keys() for row in rows for inner in _inner(row)) else keys


def _inner(value: Any) -> Iterator[dict[str, Any]]:
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict):
            yield each
        if isinstance(each, dict | list):
            yield from _inner(each)
