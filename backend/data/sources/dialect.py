"""How a table in text is written: what stands between two cells, and whether quotation marks hold cells together.

Every separator is tried on the head of the file, with quotation marks as quotes and as plain characters; what cuts most rows
into equally many cells is taken. Quotes that swallow whole lines, or don't close, are plain characters.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backend.core.errors import Problem, StudioError
from backend.data.sources.names import usual_names

CELL_LIMIT = 16 * 1024 * 1024
"""Longest cell, in characters: an unclosed quote must not swallow a large file into memory."""
MARKS = ("\t", "|", ";", ",")
"""The rarer one is in prose, the earlier; where two fit, the earlier one is taken."""
NO_MARK = "\x1f"
"""Separates nothing: for a file of one column."""
Quotes = Literal["quoted", "spaced", "escaped", "literal"]
"""`spaced`: a quote may follow a space behind the separator; `escaped`: quotes inside a cell have a backslash."""
Numbered = tuple[int, Sequence[str]]
_EVEN = 0.98
_HEAD = 128 * 1024
"""Characters from which the separator is told."""
_SWALLOWED = 200
"""Lines that an open quote may take at the end of a sample before it counts as not closed."""


@dataclass(frozen=True)
class Dialect:
    """`delimiter`: NO_MARK for one column."""

    delimiter: str
    quotes: Quotes = "quoted"

    def reader(self, lines: Iterable[str]) -> Any:
        """A reader of the csv module. It raises csv.Error for a quote that is not closed properly."""
        csv.field_size_limit(CELL_LIMIT)
        if self.quotes == "literal":
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        if self.quotes == "escaped":
            return csv.reader(lines, delimiter=self.delimiter, doublequote=False, escapechar="\\", strict=True)
        return csv.reader(lines, delimiter=self.delimiter, strict=True, skipinitialspace=self.quotes == "spaced")


@dataclass
class Sample:
    """The head of a file read in one dialect. `failed`: the line of a quote that isn't closed, 0 without; `width`: of most
    rows; `even`: the share of rows that have it."""

    dialect: Dialect
    rows: list[Numbered]
    failed: int
    width: int
    even: float

    @property
    def first_fits(self) -> bool:
        return bool(self.rows) and len(self.rows[0][1]) == self.width


def read_sample(text: str, dialect: Dialect, whole: bool = True) -> Sample:
    """`whole`: `text` is the whole file, so that an open quote at its end is one."""
    rows: list[Numbered] = []
    reader = dialect.reader(io.StringIO(text, newline=""))
    failed, line = 0, 1
    try:
        for cells in reader:
            if any(cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error as error:
        ended = "unexpected end" in str(error)
        failed = 0 if ended and not whole and reader.line_num - line < _SWALLOWED else line
    widths = Counter(len(cells) for _, cells in rows)
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return Sample(dialect, rows, failed, width, count / max(1, len(rows) + bool(failed)))


def find_dialect(text: str, whole: bool, delimiter: str, quotes: str, file: str) -> tuple[Sample, list[Problem]]:
    """The sample in the dialect that is taken, and what is to be said of it. `delimiter` and `quotes`: what a person said, ""
    and `auto` for nothing. Raises StudioError where quotes don't
    close and no other way to read them fits."""
    marks = (delimiter,) if delimiter else MARKS
    head = text if len(text) <= _HEAD else text[: text.rfind("\n", 0, _HEAD) + 1] or text[:_HEAD]
    best = max((_with_quotes(head, whole and head == text, mark, quotes) for mark in marks), key=_fit)
    if head != text:
        best = _with_quotes(text, whole, best.dialect.delimiter, quotes)
    if not delimiter and best.rows and not _is_table(best):
        best = _with_quotes(text, whole, NO_MARK, quotes)
    if best.failed and best.dialect.quotes != "literal":
        raise StudioError("data.quote", file=file, row=best.failed)
    notes = []
    if best.dialect.quotes == "literal" and quotes == "auto":
        place = next(line for line, cells in best.rows if any('"' in cell for cell in cells))
        notes.append(Problem(code="data.quotes_literal", args={"file": file, "row": place}, blocking=False))
    return best, notes


def _fit(sample: Sample) -> tuple[bool, float]:
    return sample.width > 1, round(sample.even - (0.0 if sample.first_fits else 0.05), 2)


def _is_table(sample: Sample) -> bool:
    """A first row of another width may be a title, or lack a name; a usual name alone is the header of one column."""
    several = sum(len(cells) > 1 for _, cells in sample.rows)
    if len(sample.rows[0][1]) > 1 and several >= 0.9 * len(sample.rows):
        return True
    if sample.width < 2 or sample.first_fits:
        return sample.width > 1 and sample.even >= 0.5
    alone = len(sample.rows[0][1]) == 1 and usual_names(sample.rows[0][1])
    others = len(sample.rows) + bool(sample.failed)
    return not alone and sample.even * others >= 0.9 * (others - 1)


def _with_quotes(text: str, whole: bool, mark: str, quotes: str) -> Sample:
    """The sample read with this separator, its quotation marks as they fit best."""
    quoted = read_sample(text, Dialect(mark), whole)
    if quotes == "yes" or (quotes == "auto" and '"' not in text):
        return quoted
    literal = read_sample(text, Dialect(mark, "literal"), whole)
    if quotes == "no":
        return literal
    ways = [quoted]
    if f'{mark} "' in text:
        ways.append(read_sample(text, Dialect(mark, "spaced"), whole))
    if '\\"' in text:
        ways.append(read_sample(text, Dialect(mark, "escaped"), whole))
    fitting = [way for way in ways if not way.failed and not first_swallowed(way, literal)]
    best = max(fitting, key=lambda way: way.even, default=None)
    if best is not None and best.even >= literal.even - 0.02:
        return best
    if literal.even >= _EVEN and literal.width > 1 and not _mostly_wrapped(literal):
        return literal
    quoted.failed = quoted.failed or first_swallowed(quoted, literal)
    return best or quoted


def first_swallowed(quoted: Sample, literal: Sample) -> int:
    """The line of the first row that holds whole rows in a quoted cell; 0 without."""
    several = [(line, cells) for line, cells in quoted.rows if any("\n" in cell or "\r" in cell for cell in cells)]
    if not several or _mostly_wrapped(literal):
        return 0
    swallowed = Swallowed(quoted)
    return next((line for line, cells in several if swallowed(cells)), 0)


class Swallowed:
    """Whether a row is really several: each of its lines, read without quotes, is a whole row. Between commas or semicolons
    that takes a known label in each line, since prose has commas too."""

    def __init__(self, sample: Sample) -> None:
        self.delimiter, self.width = sample.dialect.delimiter, sample.width
        plain = [
            cells for _, cells in sample.rows if len(cells) == self.width and not any("\n" in cell for cell in cells)
        ]
        self.labels = [set(column) for column in zip(*plain, strict=True)] if plain else []
        self.labels = [seen if len(seen) * 2 <= len(plain) else set() for seen in self.labels]

    def __call__(self, cells: Sequence[str]) -> bool:
        lines = self.delimiter.join(cells).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return len(lines) > 1 and self.width > 1 and all(self._is_row(line.split(self.delimiter)) for line in lines)

    def _is_row(self, cells: list[str]) -> bool:
        if len(cells) != self.width:
            return False
        known = any(cell in seen for cell, seen in zip(cells, self.labels, strict=False))
        return known or self.delimiter in "\t|"


def _mostly_wrapped(literal: Sample) -> bool:
    """Whether most cells that begin or end with a quotation mark do both: then somebody wrote them as quotes."""
    touched = wrapped = 0
    for cell in _quoted_cells(literal):
        touched += 1
        wrapped += len(cell) > 1 and cell[0] == cell[-1] == '"'
    return wrapped * 2 > touched


def _quoted_cells(literal: Sample) -> Iterator[str]:
    for _, cells in literal.rows:
        yield from (cell for cell in cells if cell.startswith('"') or cell.endswith('"'))
