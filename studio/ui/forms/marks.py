"""What the fields of a stage's parameters may point at: marks on a field, or inside its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic.fields import FieldInfo

from backend.core.refs import RefTo

M = TypeVar("M")


def mark_of(info: FieldInfo) -> RefTo | None:
    """What a field may point at, also inside lists and optional ones."""
    return next(marks_of(info.metadata, info.annotation, RefTo), None)


def marks_of(metadata: Iterable[Any], annotation: Any, kind: type[M]) -> Iterator[M]:
    """Marks of this kind on a field itself, else inside its type."""
    yield from (mark for mark in metadata if isinstance(mark, kind))
    if get_origin(annotation) is not Literal:
        for inner in get_args(annotation):
            yield from marks_of(getattr(inner, "__metadata__", ()), inner, kind)
