"""A JSON document. Small ones are parsed whole and may have any shape; in large ones lists are read element by element."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors, json_type
from backend.data.sources.json_shapes import Part, chosen, find_parts, names_of_lists, objects
from backend.data.sources.json_stream import JsonStream, walk
from backend.data.sources.leaves import KeyUnion, with_leaves
from backend.data.sources.members import split_of
from backend.data.sources.names import free_name
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.own_export import own_object
from backend.data.sources.text_file import InputFile, text_file

WHOLE_LIMIT = 32_000_000
"""Bytes. A document takes some five times as much memory when it is parsed whole."""
_SAMPLE = 200
Item = tuple[str, Any]
"""(split, row)"""


class _Seen:
    """What the rows of a list have in common."""

    def __init__(self) -> None:
        self.union, self.count, self.own = KeyUnion(), 0, True

    def add(self, item: Any) -> None:
        self.count += 1
        if isinstance(item, dict):
            self.union.add(item)
            self.own = self.own and own_object(item)


class JsonSource:
    """Raises StudioError where the document has no list of rows, or several that could be meant."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts, self._file = file.path, facts, file
        self._records, self._header = options.records, options.header
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        self._whole = file.path.stat().st_size <= WHOLE_LIMIT
        self._concatenated = self._has_several_values()
        self._paths: dict[str, str] | None = None
        self._names: list[str] | None = None
        self._surveyed: _Seen | None = None
        if not self._whole:
            self._paths = self._survey()
        self._describe()

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All items; what is no object goes to `row_errors`."""
        leaves, split = self._leaves, self.facts.split_column
        for number, (told, item) in enumerate(self._items(), 1):
            if not isinstance(item, dict):
                row_errors.add("data.json_item", number, json_type(item))
                continue
            values = with_leaves(item, leaves) if leaves else item
            if split and told:
                values = {split: told, **values}
            yield Record(number, values)

    def count(self) -> int:
        return self._count

    def _describe(self) -> None:
        """Columns, count, splits: by one pass over all rows, unless the survey of a large document was one."""
        seen, splits = _Seen(), set[str]()
        if self._surveyed is not None:
            seen, splits = self._surveyed, set((self._paths or {}).values())
        else:
            for split, item in self._items():
                seen.add(item)
                splits.add(split)
        self._count, own, union = seen.count, seen.own, seen.union
        self.columns, self._leaves = union.columns, union.leaves
        if not self.columns:
            errors = RowErrors(self._file.name)
            self._leaves = []
            self.facts.split_column = ""
            for _ in self.records(errors):
                pass
            errors.stop()
            raise StudioError("data.header_only", file=self._file.name)
        if own:
            self.facts.own_export, self.facts.split_column = True, "split"
        elif splits - {""}:
            self.facts.split_column = free_name("split", set(self.columns))
            self.columns = [self.facts.split_column, *self.columns]

    def _items(self) -> Iterator[Item]:
        if self._concatenated:
            return self._values()
        if not self._whole:
            return self._streamed()
        name, notes = self._file.name, list[Problem]()
        parts = find_parts(self._content(), self._records, name, notes)
        found = ((part.split, item) for part in parts for item in objects(part, self._header, name, notes))
        return self._noted(found, notes)

    def _noted(self, items: Iterator[Item], notes: list[Problem]) -> Iterator[Item]:
        """The first time, what was taken is written into the facts."""
        yield from items
        self.facts.notes += [note for note in notes if note not in self.facts.notes]

    def _content(self) -> Any:
        try:
            with self._text.open() as text:
                content = text.read()
            return json.loads(content.removeprefix("\ufeff"))
        except UnicodeError:
            raise self._text.broken() from None
        except json.JSONDecodeError as error:
            place: dict[str, Any] = {"row": error.lineno, "column": error.colno, "reason": error.msg}
            raise StudioError("data.json", file=self._file.name, **place) from None
        except (RecursionError, ValueError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise StudioError("data.json", file=self._file.name, row=1, column=1, reason=reason) from None

    def _has_several_values(self) -> bool:
        """Objects that follow one another without a list around them."""
        head = self._text.head(1 << 20).lstrip("\ufeff \t\r\n")
        if not head.startswith("{"):
            return False
        try:
            _, end = json.JSONDecoder().raw_decode(head)
        except (ValueError, RecursionError):
            return False
        return head[end:].lstrip().startswith("{")

    def _values(self) -> Iterator[Item]:
        try:
            with self._text.open() as text:
                stream = JsonStream(text, self._file.name)
                while stream.peek():
                    yield "", stream.value()
        except UnicodeError:
            raise self._text.broken() from None

    def _walked(self) -> Iterator[tuple[str, Any]]:
        try:
            with self._text.open() as text:
                stream = JsonStream(text, self._file.name)
                yield from walk(stream)
                stream.finish()
        except UnicodeError:
            raise self._text.broken() from None

    def _survey(self) -> dict[str, str]:
        """Path -> split of the lists that hold the rows of a large document."""
        heads: dict[str, list[Any]] = {}
        seen: dict[str, _Seen] = {}
        for path, element in self._walked():
            held = heads.setdefault(path, [])
            seen.setdefault(path, _Seen()).add(element)
            if len(held) < _SAMPLE:
                held.append(element)
        parts = [
            Part(path, held, split_of(path.rpartition(".")[2]))
            for path, held in heads.items()
            if held and isinstance(held[0], dict | list) and (not self._records or path == self._records)
        ]
        if not parts:
            raise StudioError("data.json_large", file=self._file.name, limit=f"{WHOLE_LIMIT // 1_000_000} MB")
        taken = chosen(parts, self._file.name, self.facts.notes)
        self._list_names(taken, heads)
        if len(taken) == 1 and self._names is None:
            self._surveyed = seen[taken[0].path]
        return {part.path: part.split for part in taken}

    def _list_names(self, parts: list[Part], heads: dict[str, list[Any]]) -> None:
        self._left_out = 0
        if isinstance(parts[0].rows[0], list):
            columns = heads.get(".".join((*parts[0].path.split(".")[:-1], "columns")))
            self._names = list(map(str, columns)) if columns else None
            if self._names is None:
                self._names, self._left_out = names_of_lists(
                    parts[0].rows, self._header, self._file.name, self.facts.notes
                )

    def _streamed(self) -> Iterator[Item]:
        assert self._paths is not None
        paths, names = self._paths, self._names
        found = ((paths[path], item) for path, item in self._walked() if path in paths)
        for split, item in islice(found, self._left_out, None):
            fits = names is not None and isinstance(item, list) and len(item) == len(names)
            yield split, dict(zip(names, item, strict=True)) if fits and names else item
