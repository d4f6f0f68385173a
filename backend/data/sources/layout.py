"""Where a table's header is, and what its columns are called: the same for tables in text and sheets of a workbook."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from statistics import median

from backend.core.errors import Problem, StudioError
from backend.data.sources.dialect import Numbered

_NUMBER = re.compile(r"[+-]?(\d[\d.,' ]*|\.\d+)([eE][+-]?\d+)?\s*[%€$£]?")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
_NAMES = frozenset(
    re.findall(
        r"\w+",
        """
    id text label labels input output question answer answers prompt completion instruction response context
    sentence message messages intent class category sentiment target title body source date name score split
    query reply utterance document summary review rating comment description content subject topic tag type
    user assistant system language lang url texto etiqueta entrada salida pregunta respuesta mensaje categoria
    categoría clase frase idioma fecha titulo título frage antwort kategorie betrag nr klasse titel texte
    étiquette réponse catégorie
        """,
    )
)
"""What columns are called in many files."""
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


def find_layout(rows: list[Numbered], width: int, header: str, file: str) -> Layout:
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


def _name_columns(layout: Layout, rows: list[Numbered], file: str) -> None:
    header = list(rows[layout.header][1]) if layout.header >= 0 else [""] * layout.width
    below = [cells for _, cells in rows[layout.start :]]
    if layout.header >= 0 and len(header) + 1 == layout.width and _has_row_names(header, below):
        header = ["", *header]
    layout.width = len(header)
    layout.unnamed = [index for index, name in enumerate(header) if not name.strip()]
    layout.names, twice = distinct_names(header)
    if twice:
        layout.notes.append(_note("data.columns_twice", file=file, names=", ".join(twice)))


def distinct_names(header: list[str]) -> tuple[list[str], list[str]]:
    """(names, those that were made distinct): spaces tidied, "column 3" for one without a name, "id 2" for a second id."""
    tidy = [" ".join(name.split()) for name in header]
    taken, names, twice = {name for name in tidy if name}, [], []
    used: set[str] = set()
    for number, name in enumerate(tidy, 1):
        wanted = name or free_name(f"column {number}", taken)
        if wanted in used:
            wanted = free_name(wanted, taken | used)
            twice.append(wanted)
        used.add(wanted)
        names.append(wanted)
    return names, twice


def free_name(name: str, taken: set[str]) -> str:
    """`name`, with a number behind it where it is taken."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def decimal_commas(names: list[str], rows: list[list[str]]) -> list[str]:
    """The columns whose numbers have a comma before their decimals."""
    found = []
    for index, name in enumerate(names):
        cells = [cells[index].strip() for cells in rows if index < len(cells) and cells[index].strip()]
        commas = sum(bool(_DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
        if commas and commas * 10 >= len(cells) * 9:
            found.append(name)
    return found


def _below_titles(rows: list[Numbered], width: int) -> int:
    """Index of the first row that is no title above the table."""
    for index in range(min(_TITLES, len(rows) - 1)):
        line, cells = rows[index]
        filled = sum(bool(cell.strip()) for cell in cells)
        follows = rows[index + 1]
        gap = follows[0] - line > 1 and "\n" not in "".join(cells)
        other = len(cells) != width and len(follows[1]) == width
        alone = filled == 1 and width > 1 and bool(cells[0].strip())
        padded = alone and len(cells) == width and (width > 2 or names_usual(follows[1])) and _filled(follows[1]) > 1
        if not (padded or (alone and len(cells) != width) or (other and gap)):
            return index
    return min(_TITLES, len(rows) - 1)


def _filled(cells: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def names_usual(cells: list[str]) -> bool:
    """Whether a cell is a usual name of a column."""
    return any(cell.strip().lower() in _NAMES for cell in cells)


def _header_score(first: list[str], below: list[list[str]]) -> int:
    """Above 0: the first row names the columns; below 0: it is a row like the others; 0: can't be told."""
    below = below[:_LOOKED_AT]
    score = 3 * sum(cell.strip().lower() in _NAMES for cell in first) - 3 * any(len(cell) > 100 for cell in first)
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


def _has_row_names(header: list[str], below: list[list[str]]) -> bool:
    """Some programs write rows with a name before them and none in the header."""
    wide = [cells for cells in below if len(cells) == len(header) + 1]
    named = len(header) > 1 and all(name.strip() for name in header)
    return named and len(wide) >= max(2, 0.98 * len(below)) and any(cells[-1].strip() for cells in wide)


def _note(code: str, **args: object) -> Problem:
    return Problem(code=code, args=args, blocking=False)
