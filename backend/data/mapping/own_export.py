"""Rows that the studio wrote itself, as CSV or JSON lines: they come back as they were, each in its split."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from backend.core.csv_cells import escape_formula
from backend.data.dataset import SPLITS, Row
from backend.data.examples import Example
from backend.data.mapping.setup import Make, Setup
from backend.data.mapping.values import Unusable, readable
from backend.data.row_errors import Record

_JSON_FIELDS = ("context", "scores", "tools", "tool_calls", "fields", "tags")


def own_rows(setup: Setup) -> Make:
    """Cells that begin with an apostrophe before a formula's sign lose it again."""

    def make(record: Record) -> list[Example]:
        given = {name: value for name, value in record.values.items() if name in Row.model_fields and value is not None}
        table = not setup.format.startswith("json") and all(isinstance(value, str) for value in given.values())
        try:
            row = Row.model_validate(
                {name: value for name, text in given.items() if (value := _read(name, text, table)) is not None}
            )
        except ValidationError as error:
            raise Unusable("data.own_export", ".".join(map(str, error.errors()[0]["loc"]))) from None
        readable(row.input + (row.output or ""))
        split = str(record.values.get("split") or "")
        if split and split not in SPLITS:
            raise Unusable("data.split_marker", split[:40], column="split")
        stored = row.model_dump(exclude_defaults=True)
        return [Example(record.place, row.input, row.output, row.context, row.conversation, split=split, stored=stored)]

    return make


def _read(name: str, value: Any, table: bool) -> Any:
    """One field of a row; None where a table has an empty cell. Raises Unusable for broken JSON."""
    if not isinstance(value, str):
        return value
    if table and value == "" and name != "input":
        return None
    if name in _JSON_FIELDS:
        try:
            return json.loads(value)
        except ValueError:
            raise Unusable("data.own_export", name) from None
    if table and value.startswith("'") and escape_formula(value[1:]) == value:
        return value[1:]
    return value
