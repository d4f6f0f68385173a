"""A row as cells of our own tables (CSV, Parquet), and back: nothing of it is lost.

Texts stand as they are; lists and objects as JSON. An empty cell is a value that is not there, so an empty answer is told from
none by the tool calls beside it. In CSV the cells are escaped for spreadsheets (`backend.core.csv_cells`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from backend.data.dataset import Row

_TEXT = ("output", "gold", "rationale", "rejected")
_JSON = ("context", "tools", "tool_calls", "scores", "fields", "tags")
COLUMNS = (
    *("split", "id", "input", "output", "gold", "context"),
    *("confidence", "rationale", "rejected", "conversation", "tools", "tool_calls", "scores", "fields", "tags"),
)


def is_own(columns: Iterable[str]) -> bool:
    """Whether a table with these columns is one of ours, of this version or an earlier one."""
    names = list(columns)
    return names[:6] == list(COLUMNS[:6]) and set(names) <= set(COLUMNS)


def cells_of(split: str, row: Row) -> dict[str, str]:
    """Column -> cell, in the order of `COLUMNS`."""
    found = {"split": split, "id": row.id, "input": row.input, "conversation": row.conversation}
    found |= {name: getattr(row, name) or "" for name in _TEXT}
    found |= {name: _json(row, name) for name in _JSON}
    found["confidence"] = "" if row.confidence is None else repr(row.confidence)
    return {name: found[name] for name in COLUMNS}


def _json(row: Row, name: str) -> str:
    value: Any = row.model_dump(include={name})[name]
    return json.dumps(value, ensure_ascii=False) if value else ""


def row_of(cells: Mapping[str, str | None]) -> tuple[str, Row]:
    """(split, row) of such cells. Raises ValueError (pydantic's or json's) when a cell is not what it should be."""
    given = {name: value for name, value in cells.items() if value}
    values: dict[str, Any] = {name: given[name] for name in ("id", "conversation", *_TEXT) if name in given}
    values |= {name: json.loads(given[name]) for name in _JSON if name in given}
    if "confidence" in given:
        values["confidence"] = float(given["confidence"])
    if "tool_calls" in given:
        values.setdefault("output", "")
    return given.get("split", "train"), Row.model_validate({**values, "input": given.get("input", "")})
