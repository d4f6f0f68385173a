"""Where a table's header is, and what its columns are called: the same for tables in text and sheets of a workbook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from backend.core.errors import Problem, StudioError
from backend.data.sources.dialect import Numbered
from backend.data.sources.names import distinct_names, usual_names

_NUMBER = re.compile(r"[+-]?(\d[\d.,' ]*|\.\d+)([eE][+-]?\d+)?\s*[%€$£]?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
_TITLES = 20
_LOOKED_AT = 200


@dataclass
class Layout:
    """`header`: index of the header among the rows, -1 without; `line`: its line, 0 without; `width`: cells of a row;
    `unnamed`: indices of columns without a name; `start`: index of the first row below."""

    header: int
    line: int
    width: int
    start: int
    names: list[str] = field(default_factory=list)
    unnamed: list[int] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def find_layout(rows: Sequence[Numbered], width: int, header: str, file: str) -> Layout:
    """`rows`: the first ones that hold anything, with their lines; `width`: of most; `header`: auto, yes or no. Raises
    StudioError where there is nothing below the header."""
    if not rows:
        raise StudioError("data.empty", file=file)
    first = _below_titles(rows, width)
    layout = Layout(first, rows[first][0], width, first + 1)
    score = _header_score(rows[first][1], [cells for _, cells in rows[first + 1 :]])
    if header == "no" or (header == "auto" and score < 0):
        layout.header, layout.line, layout.start = -1, 0, first
        if header == "auto":
            layout.notes.append(_note("data.header_none", file=file, row=rows[first][0]))
    elif first + 1 >= len(rows):
        raise StudioError("data.header_only", file=file)
    elif header == "auto" and score == 0:
        layout.notes.append(_note("data.header_unsure", file=file, row=rows[first][0]))
    if first and layout.header >= 0:
        layout.notes.append(_note("data.header_later", file=file, row=rows[first][0]))
    _name_columns(layout, rows, file)
    return layout


def _name_columns(layout: Layout, rows: Sequence[Numbered], file: str) -> None:
    header = list(rows[layout.header][1]) if layout.header >= 0 else [""] * layout.width
    below = [cells for _, cells in rows[layout.start :]]
    if layout.header >= 0 and len(header) + 1 == layout.width and _has_row_names(header, below):
        header = ["", *header]
    layout.width = len(header)
    layout.unnamed = [index for index, name in enumerate(header) if not name.strip()]
    layout.names, twice = distinct_names(header)
    if twice:
        layout.notes.append(_note("data.columns_twice", file=file, names=", ".join(twice)))


def decimal_commas(names: list[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The columns whose numbers have a comma before their decimals."""
    found = []
    for index, name in enumerate(names):
        cells = [cells[index].strip() for cells in rows if index < len(cells) and cells[index].strip()]
        commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
        if commas and commas * 10 >= len(cells) * 9:
            found.append(name)
    return found


def _below_titles(rows: Sequence[Numbered], width: int) -> int:
    """Index of the first row that is no title above the table."""
    for index in range(min(_TITLES, len(rows) - 1)):
        line, cells = rows[index]
        filled = sum(bool(cell.strip()) for cell in cells)
        follows = rows[index + 1]
        gap = follows[0] - line > 1 and "\n" not in "".join(cells)
        other = len(cells) != width and len(follows[1]) == width
        alone = filled == 1 and width > 1 and bool(cells[0].strip())
        padded = alone and len(cells) == width and (width > 2 or usual_names(follows[1])) and _filled(follows[1]) > 1
        merged = 1 < filled < len(cells) == len(follows[1]) == _filled(follows[1])
        if merged and usual_names(follows[1]) > usual_names(cells):
            continue
        named = gap and usual_names(follows[1]) and not usual_names(cells)
        if not (padded or named or (alone and len(cells) != width) or (other and gap)):
            return index
    return min(_TITLES, len(rows) - 1)


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _header_score(first: Sequence[str], below: Sequence[Sequence[str]]) -> int:
    """Above 0: the first row names the columns; below 0: it is a row like the others; 0: can't be told."""
    below = below[:_LOOKED_AT]
    score = 3 * usual_names(first) - any(len(cell) > 100 for cell in first)
    for index, cell in enumerate(first):
        others = [cells[index].strip() for cells in below if index < len(cells) and cells[index].strip()]
        if others and cell.strip():
            score += _column_vote(cell.strip(), others)
    return score


def _column_vote(first: str, others: list[str]) -> int:
    typed = sum(_is_value(cell) for cell in others)
    if typed * 10 >= len(others) * 9:
        return -2 if _is_value(first) else 2
    distinct = set(others)
    repeated = len(distinct) * 2 <= len(others)
    if first in distinct:
        return -2 if repeated else -1
    if repeated:
        return 2 if len(distinct) * 4 <= len(others) else 1
    usual = median(map(len, others))
    if len(first) <= 40 and len(first) * 2 < usual and len(first.split()) <= 4:
        return 1
    return -1 if usual > 30 and len(first) * 2 >= usual else 0


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def _has_row_names(header: list[str], below: Sequence[Sequence[str]]) -> bool:
    """Some programs write rows with a name before them and none in the header."""
    wide = [cells for cells in below if len(cells) == len(header) + 1]
    named = len(header) > 1 and all(name.strip() for name in header)
    return named and len(wide) >= max(2, 0.98 * len(below)) and any(cells[-1].strip() for cells in wide)


def _note(code: str, **args: object) -> Problem:
    return Problem(code=code, args=args, blocking=False)
