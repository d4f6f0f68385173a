"""A row as cells of our own tables (CSV, Parquet): nothing of it is lost, and an import gives the same row.

Texts stand as they are; lists and objects as JSON. An empty cell is a value that is not there, so an empty answer is told from
none by the tool calls beside it. In CSV the cells are escaped for spreadsheets (`backend.core.csv_cells`).
"""

from __future__ import annotations

import json
from typing import Any

from backend.data.dataset import Row

_TEXT = ("output", "gold", "rationale", "rejected")
_JSON = ("context", "tools", "tool_calls", "scores", "fields", "tags")
COLUMNS = (
    *("split", "id", "input", "output", "gold", "context"),
    *("confidence", "rationale", "rejected", "conversation", "tools", "tool_calls", "scores", "fields", "tags"),
)


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
