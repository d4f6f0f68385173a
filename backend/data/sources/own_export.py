"""Tables that the studio wrote itself (backend.files.downloads) are read back whole."""

from __future__ import annotations

import json
from typing import Any

from backend.core.csv_cells import plain_cell
from backend.data.dataset import SPLITS, Row

_COLUMNS = ("split", "id", "input", "output", "gold", "context")
_FIELDS = frozenset(("split", *Row.model_fields))


def own_table(columns: list[str]) -> bool:
    """Whether a CSV file with these columns is an export."""
    return tuple(columns[: len(_COLUMNS)]) == _COLUMNS and _FIELDS.issuperset(columns)


def own_object(values: dict[str, Any]) -> bool:
    """Whether a line of JSON is a row of an export."""
    needed = "split" in values and "id" in values and isinstance(values.get("input"), str)
    return needed and values["split"] in SPLITS and _FIELDS.issuperset(values)


def whole_row(cells: dict[str, Any]) -> dict[str, Any]:
    """A row of an exported table as it was: formulas unescaped, empty answers missing, lists and objects parsed."""
    values: dict[str, Any] = {name: plain_cell(cell) for name, cell in cells.items()}
    for name, value in values.items():
        if name not in ("split", "id", "input", "output", "gold", "rationale", "rejected", "conversation"):
            values[name] = _parsed(value)
        elif value == "" and name in ("output", "gold"):
            values[name] = None
    return values


def _parsed(value: str) -> Any:
    if not value:
        return None
    try:
        return json.loads(value)
    except ValueError:
        return value
