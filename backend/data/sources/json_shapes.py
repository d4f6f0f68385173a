"""Where the rows are in a JSON document: lists of objects under any key, lists per split, and tables as pandas writes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import json_type
from backend.data.sources.members import split_of

_DEPTH = 4
_USUAL = ("data", "rows", "records", "examples", "items", "instances", "dataset")


@dataclass
class Part:
    """Rows of a document. `path`: where they are; `split`: where the document says it; `names`: of the cells where the rows
    are lists, None where the first row may hold them."""

    path: str
    rows: list[Any]
    split: str = ""
    names: list[str] | None = None


def find_parts(content: Any, records: str, file: str, notes: list[Problem]) -> list[Part]:
    """The rows of `content`, by split. `records`: the dotted path that a person named. Raises StudioError where there are
    none, or several lists could be meant; `notes` says which one was taken."""
    if records:
        return _named_part(content, records, file, notes)
    if not isinstance(content, list | dict):
        raise StudioError("data.json_not_list", file=file, found=json_type(content))
    parts = _parts(content, "")
    if not content or (parts and not any(part.rows for part in parts)):
        raise StudioError("data.header_only", file=file)
    parts = [part for part in parts if part.rows]
    if not parts:
        assert isinstance(content, dict)
        raise StudioError("data.json_no_list", file=file, keys=", ".join(list(map(str, content))[:10]))
    return chosen(parts, file, notes)


def chosen(parts: list[Part], file: str, notes: list[Problem]) -> list[Part]:
    """The only part, or all where they are splits, or the one with a usual name. Raises StudioError for several."""
    if len(parts) == 1 or all(part.split for part in parts):
        return parts
    taken = [part for part in parts if part.split]
    if len({part.path.rpartition(".")[0] for part in taken}) != 1:
        taken = [part for part in parts if part.path.rpartition(".")[2].lower() in _USUAL]
    if taken and (len(taken) == 1 or taken[0].split):
        names, others = (", ".join(part.path for part in parts if (part in taken) is held) for held in (True, False))
        notes.append(_note("data.records_taken", file=file, paths=names, others=others))
        return taken
    paths = ", ".join(f"{part.path} ({len(part.rows)})" for part in parts[:20])
    choices = [part.path for part in parts[:20]]
    raise StudioError("data.records_several", field="records", file=file, paths=paths, choices=choices)


def _named_part(content: Any, records: str, file: str, notes: list[Problem]) -> list[Part]:
    for key in records.split("."):
        if not isinstance(content, dict) or key not in content:
            raise StudioError("data.records_missing", field="records", file=file, path=records)
        content = content[key]
    parts = [Part(records, content)] if isinstance(content, list) else _parts(content, records)
    parts = [part for part in parts if part.rows]
    if not parts:
        raise StudioError("data.records_missing", field="records", file=file, path=records)
    return chosen(parts, file, notes)


def _parts(content: Any, path: str) -> list[Part]:
    if isinstance(content, list):
        return [Part(path, content)]
    if not isinstance(content, dict) or path.count(".") > _DEPTH:
        return []
    table = _split_table(content, path) or _columns(content, path) or _index(content, path)
    if table:
        return [table]
    found = []
    for key, value in content.items():
        below = f"{path}.{key}" if path else str(key)
        if isinstance(value, list):
            if not value or isinstance(value[0], dict | list):
                found.append(Part(below, value, split_of(str(key))))
        elif isinstance(value, dict):
            inner = _parts(value, below)
            split = split_of(str(key)) if len(inner) == 1 else ""
            found += [Part(part.path, part.rows, part.split or split, part.names) for part in inner]
    return found


def _split_table(content: dict[str, Any], path: str) -> Part | None:
    """pandas' `split` and `tight`: columns, index, data."""
    columns, rows = content.get("columns"), content.get("data")
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return None
    return Part(
        path, rows, names=[".".join(map(str, name)) if isinstance(name, list) else str(name) for name in columns]
    )


def _columns(content: dict[str, Any], path: str) -> Part | None:
    """A list per column, or an object of index and value per column."""
    values = list(content.values())
    if len(values) < 2:
        return None
    names = list(map(str, content))
    if all(isinstance(value, list) for value in values):
        same = len({len(value) for value in values}) == 1 and values[0]
        flat = any(not isinstance(item, dict | list) for value in values for item in value[:1])
        splits = all(split_of(name) for name in names)
        return Part(path, _turned(names, values)) if same and flat and not splits else None
    if all(isinstance(value, dict) and value for value in values):
        keys = list(values[0])
        numbered = all(str(key).isdigit() for key in keys) and not all(name.isdigit() for name in names)
        if numbered and all(list(value) == keys for value in values):
            return Part(path, _turned(names, [list(value.values()) for value in values]))
    return None


def _index(content: dict[str, Any], path: str) -> Part | None:
    """An object per row, by its id; the id is kept as the column `key`."""
    values = list(content.values())
    if len(values) < 2 or not all(isinstance(value, dict) and value for value in values):
        return None
    scalar = any(not isinstance(item, dict | list) for value in values[:50] for item in value.values())
    shared = set(values[0]).intersection(*values[1:50])
    if not scalar or not shared or len(values) < len(shared) or any(split_of(key) for key in content):
        return None
    counted = list(content) == [str(number) for number in range(len(values))]
    return Part(path, values if counted else [{"key": key, **value} for key, value in content.items()])


def _turned(names: list[str], values: list[list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(names, cells, strict=True)) for cells in zip(*values, strict=True)]


def objects(part: Part, header: str, file: str, notes: list[Problem]) -> Iterator[Any]:
    """The rows of a part as objects: lists get the names of their cells."""
    names, rows = part.names, iter(part.rows)
    if names is None and part.rows and isinstance(part.rows[0], list):
        names, skip = names_of_lists(part.rows, header, file, notes)
        rows = iter(part.rows[skip:])
    for row in rows:
        fits = names is not None and isinstance(row, list) and len(row) == len(names)
        yield dict(zip(names, row, strict=True)) if fits and names else row


def names_of_lists(rows: list[Any], header: str, file: str, notes: list[Problem]) -> tuple[list[str], int]:
    """(names, rows to leave out) of a table in lists: from its first row where that holds names."""
    from backend.data.sources.layout import find_layout

    lists = [row for row in rows[:200] if isinstance(row, list)]
    cells = [(place, ["" if cell is None else str(cell) for cell in row]) for place, row in enumerate(lists, 1)]
    width = max(len(row) for row in lists)
    layout = find_layout(cells, width, header, file)
    notes += layout.notes
    return layout.names, layout.start


def _note(code: str, **args: object) -> Problem:
    return Problem(code=code, args=args, blocking=False)
