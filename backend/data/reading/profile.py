"""What is in the columns of a file: one pass over all records, in bounded memory.

Counts (filled, distinct, longest) rest on all rows. What a value looks like (`backend.data.reading.forms`) is asked of the
first 2,000 filled values of a column and of one in 50 after that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from backend.data.reading import forms
from backend.data.reading.column import ColumnProfile
from backend.data.reading.kinds import kind_of
from backend.data.row_errors import Record

MAX_DISTINCT = 10_000
_DISTINCT_IN_ALL = 2_000_000
_LOOKS = 2000
_LOOKS_IN_ALL = 400_000
_LOOK_EVERY = 50
_LONG = 100
_BATCH_CELLS = 1_000_000
_EXAMPLES, _EXAMPLE_CHARS = 3, 80
_KEYS = 40
_ELEMENTS = 5000


def profile(
    columns: list[str], records: Iterable[Record], most_rows: int = 0, tick: Callable[[int], None] = lambda rows: None
) -> list[ColumnProfile]:
    """Profiles of `columns`, in their order; of the first `most_rows` records, 0: of all. `tick` is called with the rows
    read."""
    parts = [_Column(name, len(columns)) for name in columns]
    size = max(1, min(2000, _BATCH_CELLS // max(1, len(columns))))
    rows = 0
    for batch in _batches(islice(records, most_rows or None), size):
        rows += len(batch)
        for part in parts:
            part.add(part.of(batch))
        tick(rows)
    return [part.finish(rows) for part in parts]


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


def _batches(records: Iterator[Record], size: int) -> Iterator[list[dict[str, Any]]]:
    while batch := [record.values for record in islice(records, size)]:
        yield batch


class _Column:
    """Counts one column, batch by batch."""

    def __init__(self, name: str, columns: int) -> None:
        self.found = ColumnProfile(name)
        self.most = min(MAX_DISTINCT, max(300, _DISTINCT_IN_ALL // max(1, columns)))
        self.looks = min(_LOOKS, max(100, _LOOKS_IN_ALL // max(1, columns)))
        self.counts: Counter[str | int] = Counter()
        self.chars = self.words = self.counted = self.ups = self.ends = 0
        self.last: int | None = None
        self.codes: set[str] = set()
        self.system: str | None = None

    def of(self, batch: list[dict[str, Any]]) -> list[Any]:
        name = self.found.name
        if "." in name:
            return [column_value(values, name) for values in batch]
        return [values.get(name) for values in batch]

    def add(self, values: list[Any]) -> None:
        found = self.found
        kinds = set(map(type, values))
        if kinds <= {str, type(None)}:
            filled = [value for value in values if value and not value.isspace()]
            texts = filled
        else:
            filled = [value for value in values if _is_filled(value)]
            texts = [text for value in filled if (text := forms.as_text(value)) is not None]
        if not filled:
            return
        self._count(texts)
        before = found.filled
        found.filled += len(filled)
        fresh = filled[: max(0, self.looks - before)]
        self._look(fresh)
        self._look(filled[len(fresh) :: _LOOK_EVERY])
        if self.system != "" and found.forms["messages"] == found.looks - found.forms["empty list"]:
            self._share_system(filled)

    def _count(self, texts: list[str]) -> None:
        if not texts:
            return
        lengths = list(map(len, texts))
        longest = max(lengths)
        self.chars += sum(lengths)
        self.counted += len(texts)
        self.found.max_chars = max(self.found.max_chars, longest)
        if self.found.capped:
            return
        short: Iterable[str | int] = texts
        if longest > _LONG:
            short = [text if len(text) <= _LONG else hash(text) for text in texts]
        self.counts.update(short)
        if len(self.counts) > self.most:
            self.found.capped = True
            self.found.unique = sum(self.counts.values()) <= len(self.counts) * 1.001
            self.found.distinct = len(self.counts)
            self.counts = Counter()

    def _look(self, values: list[Any]) -> None:
        found = self.found
        for value in values:
            found.looks += 1
            found.types[type(value).__name__] += 1
            form = forms.value_form(value)
            found.forms[form] += 1
            if form in ("messages", "strings", "list", "object", "spans"):
                self._look_inside(value, form)
            elif (text := forms.as_text(value)) is not None:
                self._look_at_text(text, form)

    def _look_at_text(self, text: str, form: str) -> None:
        self.found.marked += forms.is_marked(text)
        spaces = text.count(" ") + text.count("\n") + 1
        self.words += spaces if spaces > 1 or text.isascii() or len(text) < 8 else len(text) // 2
        if not self.found.lines and ("\n" in text or "\r" in text):
            self.found.lines = True
        if len(self.found.examples) < _EXAMPLES and (shown := text.strip()[:_EXAMPLE_CHARS]) not in self.found.examples:
            self.found.examples.append(shown)
        if form in ("integer", "code"):
            number = forms.last_number(text.strip())
            self.ends += 1
            self.ups += number is not None and self.last is not None and number == self.last + 1
            self.last = number
            if form == "code" and len(self.codes) < 50:
                self.codes.add(forms.skeleton(text.strip()))

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

    def _share_system(self, values: list[Any]) -> None:
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


def _is_filled(value: Any) -> bool:
    if value is None or value != value:
        return False
    if isinstance(value, str):
        return bool(value) and not value.isspace()
    return not (isinstance(value, list | dict) and not value)
