"""Readings and records as the reader would give them, made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Problem
from backend.data.examples import Example, stored_row
from backend.data.mapping.mapper import Mapper
from backend.data.params import DatasetParams
from backend.data.reading.model import Candidate, Reading, Roles
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.options import SourceFacts


def reading(schema: str, template: str = "{input}", names: Any = None, **roles: Any) -> Reading:
    taken = Candidate(
        schema_name=schema,
        task=schema,
        roles=Roles(**roles),
        confidence=1,
        reason=Problem(code="data.no_rows"),
        template=template,
    )
    return Reading(
        file="rows", source=SourceFacts(format="jsonl", title="", label_names=names or {}), rows=1, taken=taken
    )


@dataclass
class Mapped:
    examples: list[Example]
    errors: RowErrors
    notes: RowErrors
    mapper: Mapper

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [stored_row(example) for example in self.examples]

    @property
    def pairs(self) -> list[tuple[str, str | None]]:
        return [(example.input, example.output) for example in self.examples]


def mapped(rows: Sequence[Any], read: Reading, **params: Any) -> Mapped:
    """`rows` by a reading; places count from 1."""
    columns = list(dict.fromkeys(name for row in rows for name in _names(row)))
    mapper = Mapper(read, DatasetParams(**params), columns)
    errors = RowErrors("rows")
    records = (Record(place, values) for place, values in enumerate(rows, 1))
    return Mapped(list(mapper.examples(records, errors)), errors, mapper.notes, mapper)


def _names(row: dict[str, Any]) -> Iterator[str]:
    """The columns of a row, and the scalars inside its objects by dotted names."""
    for name, value in row.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{key}" for key, inner in value.items() if isinstance(inner, str | int | float))
