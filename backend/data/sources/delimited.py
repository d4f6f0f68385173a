"""CSV and its kin, a row at a time, with the line of everything that is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.blocks import blocks, closes, columns_of, suits_blocks
from backend.data.sources.column_block import SourceBlock, batched, records_of
from backend.data.sources.dialect import NO_MARK, Numbered, Sample, Swallowed, find_dialect
from backend.data.sources.layout import decimal_commas, find_layout
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.own_export import own_table, whole_row
from backend.data.sources.text_file import InputFile, encodable, text_file

_SAMPLE = 1 << 20
"""Characters from which dialect and header are told."""
_LEAST_LINES = 20
"""Of the sample: a header of 100,000 names is nearly a sample by itself."""
_ROWS_LOOKED_AT = 1000


class DelimitedSource:
    """A table in text. Raises StudioError where it has no rows, or its quotes can't be told."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts = file.path, facts
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        self._text.refuse_long_lines()
        head = self._text.head(_SAMPLE, _LEAST_LINES)
        whole = len(head) < _SAMPLE
        head, self._skipped, told = _without_declaration(head)
        named = mark_of(options.delimiter) or told
        sample, notes = find_dialect(_whole_lines(head, whole), whole, named, options.quotes, file.name)
        self.dialect = sample.dialect
        self._layout = find_layout(sample.rows, sample.width, options.header, file.name)
        self._start = sample.rows[self._layout.start][0]
        self._swallowed = Swallowed(sample)
        self._trusted = self.dialect.quotes == "literal" or options.quotes == "yes"
        self._keep = self._filled_columns(sample)
        self.columns = [self._layout.names[index] for index in self._keep]
        self.facts.delimiter = "" if self.dialect.delimiter == NO_MARK else self.dialect.delimiter
        self.facts.header_line = self._layout.line + self._skipped if self._layout.line else 0
        self.facts.notes += [*notes, *self._layout.notes, *self._column_notes(sample)]
        self.facts.own_export = own_table(self.columns)
        if self.facts.own_export:
            self.facts.split_column = "split"
        if not self._text.encoding.valid and not encodable("".join(self.columns)):
            raise self._text.broken()

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows; ragged or undecodable ones go to `row_errors`. Raises StudioError for a quote that is not closed, and for
        one that swallowed whole rows."""
        if self._in_blocks:
            for block in self._by_blocks(row_errors):
                yield from records_of(block)
        else:
            yield from self._one_by_one(row_errors)

    def blocks(self, row_errors: RowErrors) -> Iterator[SourceBlock]:
        """The same rows, many at a time."""
        return self._by_blocks(row_errors) if self._in_blocks else batched(self._one_by_one(row_errors))

    @property
    def _in_blocks(self) -> bool:
        suits = suits_blocks(self.dialect, self._layout.width, self._text.encoding.name)
        return suits and self._text.encoding.valid and self._text.plain_line_ends and not self.facts.own_export

    def _one_by_one(self, row_errors: RowErrors) -> Iterator[Record]:
        exact = self._checked(self._rows(), row_errors)
        if not self.facts.own_export:
            return exact
        return (Record(record.place, whole_row(record.values)) for record in exact)

    def count(self) -> int:
        """Number of rows, at most: lines without the header."""
        return max(1, self._text.counted.lines)

    def _by_blocks(self, row_errors: RowErrors) -> Iterator[SourceBlock]:
        """As the exact reader reads them, which gets every block that isn't clean, and all from the first one that ends within
        a cell."""
        names, codec = self._layout.names, self._text.encoding.name
        with self._text.file.path.open("rb") as stream:
            line = self._start + self._skipped
            for _ in range(line - 1):
                stream.readline()
            if line == 1 and codec == "utf-8-sig":
                stream.seek(3)
            begins = stream.tell()
            for raw in blocks(stream):
                block = raw if codec.startswith("utf-8") else raw.decode(codec).encode()
                if not closes(block, self.dialect):
                    with self._text.open(begins) as rest:
                        yield from batched(self._checked(self._exact(rest, line), row_errors))
                    return
                lines = block.count(b"\n")
                found = columns_of(block, self.dialect, names, self._keep, range(line, line + lines))
                if found is None:
                    text = io.StringIO(block.decode(), newline="")
                    yield from batched(self._checked(self._exact(text, line), row_errors))
                elif len(found):
                    yield found
                line += lines
                begins += len(raw)

    def _checked(self, rows: Iterator[Numbered], row_errors: RowErrors) -> Iterator[Record]:
        """The rows that have all cells, as records."""
        width, checked, columns = self._layout.width, not self._text.encoding.valid, self.columns
        keep = _chooser(self._keep) if len(self._keep) != width else None
        for line, cells in rows:
            if len(cells) != width:
                if not any(cells):
                    continue
                if len(cells) < width or any(cells[width:]):
                    row_errors.add("data.ragged", line, len(cells), expected=width)
                    continue
                cells = cells[:width]
            if checked and not encodable("".join(cells)):
                self._text.add_undecodable(row_errors, line)
            elif cells[0] or any(cells):
                yield Record(line, dict(zip(columns, keep(cells) if keep else cells, strict=True)))

    def _rows(self) -> Iterator[Numbered]:
        """Below the header, with the line on which each begins, as the csv module reads them."""
        with self._text.open() as stream:
            for _ in range(self._skipped):
                stream.readline()
            start = self._start + self._skipped
            yield from ((line, cells) for line, cells in self._exact(stream, 1 + self._skipped) if line >= start)

    def _exact(self, stream: Iterable[str], first: int) -> Iterator[Numbered]:
        """`first`: the line at which `stream` stands."""
        reader = self.dialect.reader(stream)
        line, passed = first, first
        try:
            for cells in reader:
                passed = first + reader.line_num
                if cells:
                    if passed - line > 1 and not self._trusted and self._swallowed(cells):
                        raise StudioError("data.quote_swallows", file=self._text.name, row=line)
                    yield line, cells
                line = passed
        except csv.Error:
            raise StudioError("data.quote", file=self._text.name, row=line) from None
        except UnicodeError:
            raise self._text.broken() from None

    def _filled_columns(self, sample: Sample) -> list[int]:
        """Indices of the columns that are read: columns without a name and without any value are left out."""
        below = [cells for _, cells in sample.rows[self._layout.start :]]
        empty = {index for index in self._layout.unnamed if not any(_cell(cells, index) for cells in below)}
        if empty and self._layout.width > len(empty):
            for _, cells in self._rows():
                empty -= {index for index in empty if _cell(cells, index)}
                if not empty:
                    break
        self._empty = sorted(empty) if self._layout.width > len(empty) else []
        return [index for index in range(self._layout.width) if index not in self._empty]

    def _column_notes(self, sample: Sample) -> Iterator[Problem]:
        names, file = self._layout.names, self._text.name
        unnamed = [names[index] for index in self._layout.unnamed if index in self._keep]
        if self._empty:
            numbers = ", ".join(str(index + 1) for index in self._empty)
            yield Problem(code="data.columns_empty", args={"file": file, "numbers": numbers}, blocking=False)
        if unnamed and self._layout.header >= 0:
            args = {"file": file, "names": ", ".join(unnamed)}
            yield Problem(code="data.columns_unnamed", args=args, blocking=False)
        below = [cells for _, cells in sample.rows[self._layout.start :][:_ROWS_LOOKED_AT]]
        commas = decimal_commas(names, below) if self.dialect.delimiter != "," else []
        if commas:
            self.facts.decimal_comma = True
            args = {"file": file, "names": ", ".join(commas)}
            yield Problem(code="data.decimal_comma", args=args, blocking=False)


def mark_of(delimiter: str) -> str:
    """The character that a person means. Raises StudioError for more than one."""
    mark = {"\\t": "\t", "tab": "\t", "space": " "}.get(delimiter.lower(), delimiter)
    if len(mark) > 1 or mark in ('"', "\n", "\r"):
        raise StudioError("data.delimiter", field="delimiter", delimiter=delimiter)
    return mark


def _without_declaration(head: str) -> tuple[str, int, str]:
    """(text, lines left out, separator): a first line `sep=;` says how the file is separated."""
    first, _, rest = head.partition("\n")
    told = first.strip().strip('"')
    if told.lower().startswith("sep=") and len(told) <= 5:
        return rest, 1, told[4:] or "\t"
    return head, 0, ""


def _whole_lines(head: str, whole: bool) -> str:
    end = max(head.rfind("\n"), head.rfind("\r"))
    return head if whole or end < 0 else head[: end + 1]


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


def _chooser(keep: list[int]) -> Any:
    return itemgetter(*keep) if len(keep) > 1 else lambda cells: (cells[keep[0]],)
