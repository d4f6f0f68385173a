"""What is in the columns of a file: one pass over all records, in bounded memory.

Counts (filled, distinct, longest) rest on all rows. What a value looks like (`backend.data.reading.forms`) is asked of the
first 2,000 filled values of a column (of fewer where there are hundreds of columns), of one in 50 after that, and of one in
500 behind the first million.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from backend.data.reading import forms
from backend.data.reading.column import ColumnProfile
from backend.data.reading.kinds import kind_of
from backend.data.row_errors import Record
from backend.data.sources.column_block import ColumnBlock, SourceBlock, limited, parts, texts

MAX_DISTINCT = 10_000
_DISTINCT_IN_ALL = 2_000_000
_LOOKS = 2000
_LOOKS_IN_ALL = 300_000
_LOOK_EVERY, _LOOK_SELDOM = 50, 500
_ENOUGH_LOOKS = 20_000
_LONG = 100
_BATCH_CELLS = 1_000_000
_EXAMPLES, _EXAMPLE_CHARS = 3, 80
_KEYS = 40
_ELEMENTS = 5000


def profile(
    columns: list[str],
    blocks: Iterable[SourceBlock],
    most_rows: int = 0,
    tick: Callable[[int], None] = lambda rows: None,
) -> list[ColumnProfile]:
    """Profiles of `columns`, in their order; of the first `most_rows` rows, 0: of all. `tick` is called with the rows read."""
    counted = [_Column(name, len(columns)) for name in columns]
    size = max(1, min(2000, _BATCH_CELLS // max(1, len(columns))))
    rows = 0
    for batch in chain.from_iterable(parts(block, size) for block in limited(blocks, most_rows)):
        rows += len(batch)
        if not isinstance(batch, ColumnBlock) and (cells := _turned(batch, columns)):
            for column, values in zip(counted, cells, strict=True):
                column.add_values(values)
        else:
            for column in counted:
                column.add_batch(batch)
        tick(rows)
    return [column.finish(rows) for column in counted]


def column_value(values: dict[str, Any], name: str) -> Any:
    """The value of a column; a dotted name also reaches into an object. None where it is missing."""
    if name in values or "." not in name:
        return values.get(name)
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


class _Column:
    """Counts one column, batch by batch."""

    def __init__(self, name: str, columns: int) -> None:
        self.found = ColumnProfile(name)
        self.most = min(MAX_DISTINCT, max(300, _DISTINCT_IN_ALL // max(1, columns)))
        self.looks = min(_LOOKS, max(50, _LOOKS_IN_ALL // max(1, columns)))
        self.counts: Counter[str | int] = Counter()
        self.chars = self.words = self.counted = self.ups = self.ends = 0
        self.last: int | None = None
        self.codes: set[str] = set()
        self.system: str | None = None

    def add_batch(self, batch: SourceBlock) -> None:
        name = self.found.name
        if isinstance(batch, ColumnBlock):
            if name in batch.cells:
                self._add_texts(batch.cells[name])
        elif "." in name:
            self.add_values([column_value(record.values, name) for record in batch])
        else:
            self.add_values([record.values.get(name) for record in batch])

    def _add_texts(self, cells: Any) -> None:
        """A string array."""
        import pyarrow.compute as pc

        blank = pc.or_(pc.utf8_is_space(cells), pc.equal(cells, ""))
        filled = cells.filter(pc.invert(blank)) if pc.any(blank).as_py() else cells
        if not len(filled):
            return
        lengths = pc.utf8_length(filled)
        self._measure(pc.sum(lengths).as_py(), longest := pc.max(lengths).as_py(), len(filled))
        if not self.found.capped:
            if longest > _LONG:
                self._distinguish(_short(texts(filled)))
            else:
                found = pc.value_counts(filled)
                values, counts = found.field(0).to_pylist(), found.field(1).to_pylist()
                self._distinguish(dict(zip(values, counts, strict=True)))
        self._look_at_some(filled)

    def add_values(self, values: Sequence[Any]) -> None:
        kinds = set(map(type, values))
        filled: Sequence[Any]
        read: Sequence[str]
        if kinds <= {str, type(None)}:
            whole = kinds == {str} and all(map(str.strip, values))
            filled = read = values if whole else [value for value in values if value and not value.isspace()]
        else:
            filled = [value for value in values if _is_filled(value)]
            read = [text for value in filled if (text := forms.as_text(value)) is not None]
        if not filled:
            return
        if read:
            lengths = list(map(len, read))
            self._measure(sum(lengths), longest := max(lengths), len(read))
            if not self.found.capped:
                self._distinguish(_short(read) if longest > _LONG else read)
        self._look_at_some(filled)

    def _look_at_some(self, filled: Any) -> None:
        """The first values of the column, and few of the others. `filled`: a list or an array."""
        found = self.found
        fresh = min(len(filled), max(0, self.looks - found.filled))
        found.filled += len(filled)
        every = _LOOK_EVERY if found.looks < _ENOUGH_LOOKS else _LOOK_SELDOM
        if isinstance(filled, list | tuple):
            self._look(filled[:fresh])
            self._look(filled[fresh::every])
        else:
            self._look(texts(filled.slice(0, fresh)))
            self._look(texts(filled.take(np.arange(fresh, len(filled), every))))
        if self.system != "" and found.forms["messages"] == found.looks - found.forms["empty list"]:
            self._share_system(filled if isinstance(filled, list | tuple) else texts(filled))

    def _measure(self, chars: int, longest: int, count: int) -> None:
        self.chars += chars
        self.counted += count
        self.found.max_chars = max(self.found.max_chars, longest)

    def _distinguish(self, found_values: Mapping[Any, int] | Iterable[Any]) -> None:
        """Values, or how often each occurs."""
        self.counts.update(found_values)
        if len(self.counts) > self.most:
            self.found.capped = True
            self.found.unique = sum(self.counts.values()) <= len(self.counts) * 1.001
            self.found.distinct = len(self.counts)
            self.counts = Counter()

    def _look(self, values: Sequence[Any]) -> None:
        if not values:
            return
        found = self.found
        found.looks += len(values)
        for kind, count in Counter(map(type, values)).items():
            found.types[kind.__name__] += count
        looked = list(map(forms.value_form, values))
        found.forms.update(looked)
        for value, form in zip(values, looked, strict=True):
            if form in ("messages", "strings", "list", "object", "spans"):
                self._look_inside(value, form)
            elif (text := forms.as_text(value)) is not None:
                self._look_at_text(text, form)

    def _look_at_text(self, text: str, form: str) -> None:
        found, plain = self.found, text.strip()
        if len(found.examples) < _EXAMPLES and (shown := plain[:_EXAMPLE_CHARS]) not in found.examples:
            found.examples.append(shown)
        if form in ("integer", "code"):
            number = forms.last_number(plain)
            self.ends += 1
            self.ups += number is not None and self.last is not None and number == self.last + 1
            self.last = number
            if form == "code" and len(self.codes) < 50:
                self.codes.add(forms.skeleton(plain))
        if text.isalnum() and text.isascii():
            self.words += 1
            return
        found.marked += forms.is_marked(text)
        spaces = text.count(" ") + text.count("\n") + 1
        self.words += spaces if spaces > 1 or text.isascii() or len(text) < 8 else len(text) // 2
        if not found.lines and ("\n" in text or "\r" in text):
            found.lines = True

    def _look_inside(self, value: Any, form: str) -> None:
        found = self.found
        if isinstance(value, str):
            found.json_text = True
            value = forms.from_json(value)
        if len(found.examples) < _EXAMPLES:
            found.examples.append(json.dumps(value, ensure_ascii=False, default=str)[:_EXAMPLE_CHARS])
        if isinstance(value, list) and len(found.sizes) < _KEYS:
            found.sizes.add(len(value))
        if form == "messages":
            said = forms.speakers(value)
            found.speakers.update(said)
            found.ends_with[said[-1]] += 1
            found.media |= forms.media(value)
            found.keys.update(key for item in value[:2] for key in item)
        elif form == "strings" and len(found.elements) < _ELEMENTS:
            found.elements.update(item for item in value if len(item) <= _LONG)
        else:
            for item in [value] if isinstance(value, dict) else value[:2]:
                if isinstance(item, dict) and len(found.keys) < _KEYS:
                    found.keys.update(map(str, item))

    def _share_system(self, values: Sequence[Any]) -> None:
        for value in values:
            made = forms.from_json(value) if isinstance(value, str) else value
            turn = forms.system_turn(made) if isinstance(made, list) else ""
            if self.system is not None and turn != self.system:
                turn = ""
            self.system = turn
            if not turn:
                return

    def finish(self, rows: int) -> ColumnProfile:
        found = self.found
        found.rows = rows
        if not found.capped:
            found.distinct = len(self.counts)
            found.unique = found.distinct > 1 and found.distinct == self.counted
            found.values = dict(self.counts)
        found.mean_chars = round(self.chars / self.counted, 1) if self.counted else 0.0
        found.mean_words = round(self.words / found.looks, 2) if found.looks else 0.0
        found.counts_up = self.ups / (self.ends - 1) if self.ends > 2 else 0.0
        found.skeletons = len(self.codes)
        found.system = (self.system or "") if found.filled == rows else ""
        found.kind = kind_of(found)
        return found


def _turned(batch: list[Record], columns: list[str]) -> list[tuple[Any, ...]] | None:
    """The values by column; None where a row has not these columns in this order."""
    if any(list(record.values) != columns for record in batch):
        return None
    return list(zip(*(record.values.values() for record in batch), strict=True))


def _short(read: Sequence[str]) -> list[str | int]:
    """Long texts by their hash."""
    return [text if len(text) <= _LONG else hash(text) for text in read]


def _is_filled(value: Any) -> bool:
    if value is None or value != value:
        return False
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return not (isinstance(value, list | dict) and not value)
