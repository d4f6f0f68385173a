"""JSON Lines, a line at a time, with the line of everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import orjson

from backend.core.errors import StudioError
from backend.data.row_errors import Record, RowErrors, json_type
from backend.data.sources.encodings import PIECE
from backend.data.sources.json_shapes import names_of_lists
from backend.data.sources.leaves import KeyUnion, with_leaves
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.own_export import own_object
from backend.data.sources.text_file import InputFile, encodable, text_file

_EXACT = float(2**63)
_SAMPLE = 200


class JsonLinesSource:
    """One JSON object per line; empty lines are skipped. Opening reads all lines once, for the columns."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts, self._file = file.path, facts, file
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        self._text.refuse_long_lines()
        self._bytes = self._text.encoding.name in ("utf-8", "utf-8-sig")
        self._loads: Callable[[Any], Any] = orjson.loads
        self._names: list[str] | None = None
        self._left_out = 0
        self._leaves: list[tuple[str, tuple[str, ...]]] = []
        self._name_lists(options.header)
        self._describe()

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows; a line that is no JSON object goes to `row_errors`."""
        leaves = self._leaves
        for number, values in self._objects(row_errors):
            yield Record(number, with_leaves(values, leaves) if leaves else values)

    def count(self) -> int:
        return self._count

    def _describe(self) -> None:
        """Columns and number of rows. Raises StudioError when no row can be read."""
        union, self._count, own = KeyUnion(), 0, True
        row_errors = RowErrors(self._file.name)
        for _, values in self._objects(row_errors):
            self._count += 1
            union.add(values)
            if float in map(type, values.values()) and any(_inexact(value) for value in values.values()):
                self._loads = json.loads  # orjson rounds whole numbers of 20 digits, which are ids
            own = own and own_object(values)
        if not self._count:
            row_errors.stop()
            raise StudioError("data.header_only", file=self._file.name)
        self.columns, self._leaves = union.columns, union.leaves
        if own:
            self.facts.own_export, self.facts.split_column = True, "split"

    def _objects(self, row_errors: RowErrors) -> Iterator[tuple[int, dict[str, Any]]]:
        loads, names = self._loads, self._names
        for number, line in enumerate(self._lines(), 1):
            try:
                values = loads(line)
            except (ValueError, RecursionError):
                if not line.strip():
                    continue
                values = self._second_try(line, number, row_errors)
                if values is None:
                    continue
            if type(values) is dict:
                yield number, values
            elif names is not None and isinstance(values, list) and len(values) == len(names):
                if number > self._left_out:
                    yield number, dict(zip(names, values, strict=True))
            else:
                row_errors.add("data.json_item", number, json_type(values))

    def _second_try(self, line: bytes | str, number: int, row_errors: RowErrors) -> Any:
        """What orjson refuses and JSON's own module reads: NaN, halves of characters, bytes that are not valid."""
        text = line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line
        try:
            values = json.loads(text.removeprefix("\ufeff"))
        except json.JSONDecodeError as error:
            row_errors.add("data.json_line", number, f"{error.msg} ({error.colno})")
        except (RecursionError, ValueError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            row_errors.add("data.json_line", number, f"{reason} (1)")
        else:
            if encodable(text):
                return values
            self._text.add_undecodable(row_errors, number)
        return None

    def _lines(self) -> Iterable[bytes | str]:
        if not self._bytes:
            try:
                with self._text.open() as text:
                    yield from text
            except UnicodeError:
                raise self._text.broken() from None
            return
        with self._file.path.open("rb") as stream:
            if self._text.encoding.name == "utf-8-sig":
                stream.seek(3)
            rest = b""
            while piece := stream.read(PIECE):
                *lines, rest = (rest + piece).split(b"\n")
                yield from lines
            if rest:
                yield rest

    def _name_lists(self, header: str) -> None:
        """Lines that are lists get the names of the first one, or numbers."""
        rows = []
        for line in islice(self._lines(), _SAMPLE):
            try:
                rows.append(json.loads(line))
            except (ValueError, RecursionError):
                return
            if not isinstance(rows[-1], list):
                return
        if rows:
            self._names, self._left_out = names_of_lists(rows, header, self._file.name, self.facts.notes)


def _inexact(value: Any) -> bool:
    return type(value) is float and abs(value) >= _EXACT
