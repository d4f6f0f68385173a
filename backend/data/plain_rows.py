"""Rows that are nothing but a text, its answer and what travels with it, many at a time: most of a large file is of that kind.

They stay columns (string arrays of pyarrow's) until they are lines of a dataset. Whatever has something else, or anything that
a row error may come of, is left to the conversion row by row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from backend.data.sources.column_block import ColumnBlock, SourceBlock, texts
from backend.data.text_forms import MARK, content

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
"""As JSON writes them; the other control characters are rare."""
_OTHER_CONTROL = re.compile(rb"[\x00-\x07\x0b\x0e-\x1f]")
_FIRST_SIGN = ord(" ")
_UNUSABLE = ("\0", MARK, "\ufeff")


@dataclass(frozen=True)
class PlainColumns:
    """Where such rows stand in a file. `carried`: the columns that travel with them."""

    text: str
    answer: str
    carried: Sequence[str] = ()


@dataclass(frozen=True)
class PlainRows:
    """String arrays of one length; `fields`: by column, "" where a row has nothing there."""

    places: NDArray[np.int64]
    texts: Any
    answers: Any
    fields: dict[str, Any]

    def lines(self, origin: str) -> Any:
        """The rows as a dataset holds them, as a string array of JSON objects each with a line break."""
        import pyarrow
        import pyarrow.compute as pc

        places = pc.cast(pyarrow.array(self.places), pyarrow.string())
        start, rest = f'{{"id":"{origin[:1] or "r"}', ['"}\n']
        if self.fields:
            parts = [
                pc.if_else(pc.equal(cells, ""), "", pc.binary_join_element_wise(name, _in_json(cells), '",', ""))
                for key, cells in self.fields.items()
                for name in [orjson.dumps(key).decode() + ':"']
            ]
            fields = pc.binary_join_element_wise(*parts, "")
            filled = pc.binary_join_element_wise('"', ',"fields":{', pc.utf8_slice_codeunits(fields, 0, -1), "}}\n", "")
            rest = [pc.if_else(pc.equal(fields, ""), '"}\n', filled)]
        pieces = [start, places, '","input":"', _in_json(self.texts), '","output":"', _in_json(self.answers), *rest]
        return pc.binary_join_element_wise(*pieces, "")


def plain_rows(block: SourceBlock, columns: PlainColumns) -> PlainRows | None:
    """None where one of the rows is not so plain."""
    names = [columns.text, columns.answer, *columns.carried]
    if isinstance(block, ColumnBlock):
        places, cells = block.places, {name: block.cells[name] for name in names if name in block.cells}
    else:
        places = np.array([record.place for record in block], np.int64)
        cells = {name: _cells([record.values.get(name) for record in block], name, columns) for name in names}
    if len(cells) < len(set(names)) or any(array is None for array in cells.values()):
        return None
    read, answers = cells[columns.text], cells[columns.answer]
    if not _usable(read, answers, columns.answer):
        return None
    fields = {name: cells[name] for name in columns.carried}
    return PlainRows(places, read, answers, {name: array for name, array in fields.items() if content(array)})


def _cells(values: list[Any], name: str, columns: PlainColumns) -> Any:
    """The values as a string array, None where one is something else. Whole numbers become text where they are no input."""
    import pyarrow

    kinds = set(map(type, values))
    if kinds == {int} and name != columns.text:
        values = list(map(str, values))
    elif name in columns.carried and kinds <= {str, type(None)}:
        values = [value or "" for value in values]
    elif kinds != {str}:
        return None
    try:
        return pyarrow.array(values, pyarrow.string())
    except UnicodeEncodeError:  # half a character
        return None


def _usable(read: Any, answers: Any, answer_column: str) -> bool:
    """Whether no row is empty, repeats the header or its question, and a tokenizer takes every character."""
    import pyarrow.compute as pc

    if pc.any(pc.or_(pc.equal(read, answers), pc.equal(answers, answer_column))).as_py():
        return False
    for array in (read, answers):
        if pc.any(pc.or_(pc.equal(array, ""), pc.utf8_is_space(array))).as_py():
            return False
    return not any(sign.encode() in content(array) for array in (read, answers) for sign in _UNUSABLE)


def _in_json(array: Any) -> Any:
    """The texts as they stand in JSON between quotation marks."""
    import pyarrow
    import pyarrow.compute as pc

    held = content(array)
    control = np.frombuffer(held, np.uint8).min(initial=_FIRST_SIGN) < _FIRST_SIGN
    if control and _OTHER_CONTROL.search(held):
        return pyarrow.array([orjson.dumps(text).decode()[1:-1] for text in texts(array)], pyarrow.string())
    for sign, escaped in _ESCAPES.items():
        if sign.encode() in held:
            array = pc.replace_substring(array, sign, escaped)
    return array
