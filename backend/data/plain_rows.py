"""Rows that are nothing but a text, its answer and what travels with it, many at a time: most of a large file is of that kind.

Whatever has something else, or anything that a row error may come of, is left to the conversion row by row.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backend.data.row_errors import Record
from backend.data.split_keys import MARK

_LINE = orjson.OPT_APPEND_NEWLINE


@dataclass(frozen=True)
class PlainColumns:
    """Where such rows stand in a file. `carried`: the columns that travel with them."""

    text: str
    answer: str
    carried: Sequence[str] = ()


@dataclass(frozen=True)
class PlainRows:
    """`joined`: the texts with `MARK` between each two; `fields`: by column, none where no column travels along."""

    places: list[int]
    texts: list[str]
    answers: list[str]
    joined: str
    fields: dict[str, list[str]]

    def forms(self) -> list[str]:
        """`Example.form` of each."""
        text = self.joined if self.joined.isascii() else unicodedata.normalize("NFC", self.joined)
        return [" ".join(form.split()) for form in text.casefold().split(MARK)]

    def lines(self, origin: str) -> list[bytes]:
        """The rows as a dataset holds them, each with a line break."""
        mark, dumps = origin[:1] or "r", orjson.dumps
        rows = zip(self.places, self.texts, self.answers, strict=True)
        if not self.fields:
            return [
                dumps({"id": f"{mark}{place}", "input": text, "output": answer}, None, _LINE)
                for place, text, answer in rows
            ]
        names = list(self.fields)
        found = []
        for (place, text, answer), cells in zip(rows, zip(*self.fields.values(), strict=True), strict=True):
            row: dict[str, Any] = {"id": f"{mark}{place}", "input": text, "output": answer}
            fields = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            found.append(dumps(row | {"fields": fields} if fields else row, None, _LINE))
        return found


def plain_rows(records: Sequence[Record], columns: PlainColumns) -> PlainRows | None:
    """None where one of the rows is not so plain."""
    values = [record.values for record in records]
    texts: list[Any] = [row.get(columns.text) for row in values]
    answers: list[Any] = [row.get(columns.answer) for row in values]
    if set(map(type, answers)) == {int}:
        answers = list(map(str, answers))
    if set(map(type, texts)) != {str} or set(map(type, answers)) != {str}:
        return None
    fields = {name: _carried([row.get(name) for row in values]) for name in columns.carried}
    joined = MARK.join(texts)
    if not _usable(texts, answers, joined) or None in fields.values():
        return None
    places = [record.place for record in records]
    return PlainRows(places, texts, answers, joined, {name: cells for name, cells in fields.items() if cells})


def _carried(cells: list[Any]) -> list[str] | None:
    kinds = set(map(type, cells))
    if kinds <= {str, type(None)}:
        return [cell or "" for cell in cells]
    return list(map(str, cells)) if kinds == {int} else None


def _usable(texts: list[str], answers: list[str], joined: str) -> bool:
    """Whether no row is empty, and a tokenizer takes every character."""
    if joined.count(MARK) != len(texts) - 1 or "" in texts or "" in answers:
        return False
    if any(map(str.isspace, texts)) or any(map(str.isspace, answers)):
        return False
    return all("\0" not in text and (text.isascii() or _encodable(text)) for text in (joined, MARK.join(answers)))


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
