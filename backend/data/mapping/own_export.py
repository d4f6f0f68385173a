"""Rows that the studio wrote itself, as CSV or JSON lines: they come back as they were, each in its split."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from backend.data.dataset import SPLITS, Row
from backend.data.examples import Example
from backend.data.mapping.setup import Make, Setup
from backend.data.mapping.values import Unusable, parsed, readable
from backend.data.row_errors import Record

_LISTS = ("context", "scores", "tools", "tool_calls", "fields", "tags")
_NEVER_EMPTY = (*_LISTS, "rationale", "rejected", "confidence")
"""Fields whose empty cell in a table means that there is none."""


def own_rows(setup: Setup) -> Make:
    """A row whose fields are not those of a row of the studio is a row error."""

    def make(record: Record) -> list[Example]:
        given = {name: value for name, value in record.values.items() if name in Row.model_fields and value is not None}
        given = {name: value for name, value in given.items() if value != "" or name not in _NEVER_EMPTY}
        split = str(record.values.get("split") or "")
        if split and split not in SPLITS:
            raise Unusable("data.split_marker", split[:40], column="split")
        row = _row(given, split)
        readable(row.input + (row.output or ""))
        stored = row.model_dump(exclude_defaults=True)
        return [Example(record.place, row.input, row.output, row.context, row.conversation, split=split, stored=stored)]

    return make


def _row(given: dict[str, Any], split: str) -> Row:
    """Raises Unusable with the field that can't be read."""
    try:
        row = Row.model_validate({name: parsed(value) if name in _LISTS else value for name, value in given.items()})
    except ValidationError as error:
        raise Unusable("data.own_export", ".".join(map(str, error.errors()[0]["loc"][:1]))) from None
    if row.tool_calls and row.output is None and split != "pool":
        row.output = ""  # a table has no other word for it
    return row
