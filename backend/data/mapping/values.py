"""Values of records as text. Free text stays as it is, letter by letter; what no tokenizer takes is a row error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from backend.data.reading.forms import from_json
from backend.data.row_errors import json_type

_TOTALS = ("total", "totals", "grand total", "sum", "suma", "total general", "gesamt", "summe", "insgesamt", "count")
_AMOUNT = re.compile(r"[-+]?[\d.,\s]+[%€$£]?")


class Unusable(ValueError):
    """A row that can't be used: `code` of the row error, what was `found`, and arguments of its sentence."""

    def __init__(self, code: str, found: object = "", **about: Any) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found
        self.about = about


def value_of(values: dict[str, Any], name: str) -> Any:
    """The value of a column; `meta.source` is also looked for inside the object `meta`."""
    if name in values or "." not in name:
        return values.get(name)
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def as_text(value: Any, column: str) -> str:
    """Numbers, dates and truth values become words, whole decimals lose their zeros (tables turn 3 into 3.0). Raises
    Unusable for lists and objects."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float | Decimal):
        return "" if value != value else str(int(value)) if value == value // 1 else str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value), column)
    if isinstance(value, dict | list | tuple):
        raise Unusable("data.not_text", f"{json_type(list(value) if isinstance(value, tuple) else value)} ({column})")
    return str(value)


def text_or_texts(value: Any, column: str) -> str:
    """The same, and of a list of texts all: passages with a blank line between them, words with a space. Lists within lists,
    and objects of lists of the same length, are read in order. Raises Unusable for a list that holds anything else."""
    if not isinstance(value, list | tuple | dict):
        return as_text(value, column)
    texts = list(_leaves(value))
    if not texts or not all(isinstance(text, str) for text in texts):
        raise Unusable("data.not_text", f"{json_type(list(value) if isinstance(value, tuple) else value)} ({column})")
    words = not any(" " in text.strip() for text in texts)
    return (" " if words else "\n\n").join(text.strip() for text in texts if text.strip())


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict) and all(isinstance(one, list) for one in value.values()):
        even = len({len(one) for one in value.values()}) == 1
        value = list(zip(*value.values(), strict=True)) if even else list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif value is not None:
        yield value


def readable(text: str) -> str:
    """`text` itself, without a byte order mark before it, which files that were put together have in their midst. Raises
    Unusable for NUL bytes and halves of characters, which no tokenizer takes."""
    if "\0" in text:
        raise Unusable("data.characters")
    if not text.isascii():
        text = text.removeprefix("\ufeff")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Unusable("data.characters") from None
    return text


def carried_text(value: Any) -> str:
    """A value that travels with a row: objects and lists as JSON."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return as_text(value, "")


def is_total(values: dict[str, Any]) -> bool:
    """Whether a row is the last line of a bill: "Total" and numbers."""
    filled = [carried_text(value).strip() for value in values.values() if value not in (None, "")]
    words, numbers = filled[:1], filled[1:]
    named = bool(words) and words[0].casefold().rstrip(":") in _TOTALS
    return named and bool(numbers) and all(_AMOUNT.fullmatch(text) for text in numbers)


def parsed(value: Any) -> Any:
    """JSON in a text, or a list of Python's, as its value; anything else, and what is broken, as it is."""
    made = from_json(value) if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") else None
    return value if made is None else made


def _decoded(value: bytes, column: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("data.not_text", f"binary data ({column})") from None
