"""Values of records as text. Free text stays as it is, letter by letter; what no tokenizer takes is a row error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from backend.data.row_errors import json_type


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


def readable(text: str) -> str:
    """`text` itself. Raises Unusable for NUL bytes and halves of characters, which no tokenizer takes."""
    if "\0" in text:
        raise Unusable("data.characters")
    if not text.isascii():
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


def parsed(value: Any) -> Any:
    """JSON in a text as its value; anything else, and broken JSON, as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _decoded(value: bytes, column: str) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("data.not_text", f"binary data ({column})") from None
