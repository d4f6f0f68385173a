"""References between artifacts: the marks on fields of parameters, and `${id}` in recipes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel

from backend.core.schemas import Kind


@dataclass(frozen=True)
class RefTo:
    """Marks a string field as a reference to an artifact of one of `kinds` (id, name, or `${stage}` in a recipe)."""

    kinds: tuple[Kind, ...]


DatasetRef = Annotated[str, RefTo((Kind.DATASET,))]


TorchRef = Annotated[str, RefTo((Kind.MODEL, Kind.ADAPTER))]


BaseRef = Annotated[str, RefTo((Kind.MODEL,))]


OnnxRef = Annotated[str, RefTo((Kind.ONNX,))]


ModelRef = Annotated[str, RefTo((Kind.MODEL, Kind.ADAPTER, Kind.ONNX))]


CaptureRef = Annotated[str, RefTo((Kind.CAPTURE,))]


EvaluationRef = Annotated[str, RefTo((Kind.EVALUATION,))]


ReportRef = Annotated[str, RefTo((Kind.REPORT,))]


@dataclass(frozen=True)
class EndpointMark:
    """Marks a string field as the name of a saved endpoint ("" means none)."""


EndpointRef = Annotated[str, EndpointMark()]


def refs_of(params: BaseModel) -> dict[str, tuple[str, RefTo]]:
    """The references that `params` holds: field -> (reference, what it may point at); a list spreads as field.0, field.1."""
    found: dict[str, tuple[str, RefTo]] = {}
    for name, info in type(params).model_fields.items():
        value = getattr(params, name)
        if value is None:
            continue
        marks = [mark for mark in info.metadata if isinstance(mark, RefTo)]
        if marks and isinstance(value, str):
            found[name] = (value, marks[0])
            continue
        for mark in _nested_marks(info.annotation):
            values = value if isinstance(value, list) else [value]
            for index, item in enumerate(values):
                if isinstance(item, str):
                    found[f"{name}.{index}" if isinstance(value, list) else name] = (item, mark)
    return found


def ref_fields(params: type[BaseModel]) -> set[str]:
    """The names of the fields that hold references, whatever they point at."""
    return {
        name
        for name, info in params.model_fields.items()
        if any(isinstance(mark, RefTo) for mark in info.metadata) or _nested_marks(info.annotation)
    }


def endpoints_of(params: BaseModel) -> dict[str, str]:
    """The saved endpoints that `params` names: field -> name; a list spreads as field.0, field.1."""
    found: dict[str, str] = {}
    for field, info in type(params).model_fields.items():
        value = getattr(params, field)
        if any(isinstance(mark, EndpointMark) for mark in info.metadata):
            found |= {field: value} if value else {}
        elif isinstance(value, list) and _names_endpoints(info.annotation):
            found |= {f"{field}.{index}": name for index, name in enumerate(value)}
    return found


def _nested_marks(annotation: Any) -> list[RefTo]:
    marks = [mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, RefTo)]
    for inner in get_args(annotation):
        marks += _nested_marks(inner)
    return marks


def _names_endpoints(annotation: Any) -> bool:
    marks = [mark for inner in get_args(annotation) for mark in getattr(inner, "__metadata__", ())]
    return any(isinstance(mark, EndpointMark) for mark in marks)


_REFERENCE = re.compile(r"^\$\{([^}]*)\}$")


def reference_id(value: Any) -> str | None:
    """`${id}` -> `id`; None for anything else."""
    match = _REFERENCE.match(value) if isinstance(value, str) else None
    return match.group(1) if match else None


def referenced_ids(params: Any) -> set[str]:
    """The ids that parameters refer to, at any depth."""
    return {found for value in leaves(params) if (found := reference_id(value)) is not None}


def replace_refs(params: Any, outputs: dict[str, str]) -> Any:
    """The same parameters with every `${id}` replaced by `outputs[id]`."""
    if isinstance(params, dict):
        return {key: replace_refs(value, outputs) for key, value in params.items()}
    if isinstance(params, list):
        return [replace_refs(value, outputs) for value in params]
    found = reference_id(params)
    return params if found is None else outputs[found]


def leaves(value: Any) -> Iterator[Any]:
    """Every value of nested parameters."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield value
