"""What a single value looks like: a number, a date, an address, a code, a word, a text, a list of messages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from backend.data.reading.column import ColumnProfile
from backend.data.reading.names import SPEAKERS

_INTEGER = re.compile(r"[+-]?\d{1,18}$")
_NUMBER = re.compile(r"[€$£]?\s?[+-]?(\d+|\d{1,3}([.,\u00a0 ]\d{3})+)?([.,]\d+)?([eE][+-]?\d+)?\s?[€$£%]?$")
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ene|abr|ago|dic|mai|okt|dez)[a-z]*\.?"
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d\d.*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([ ,]+\d{1,2}:\d\d.*)?"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}.{{0,16}}|{_MONTH} \d{{1,2}},? \d{{4}}.{{0,16}}"
    rf"|\w{{3}}, \d{{1,2}} {_MONTH} \d{{4}}.*|\w{{3}} {_MONTH} +\d{{1,2}} \d\d?:\d\d.* \d{{4}}|\d{{1,2}} \d{{1,2}}, \d{{4}})$",
    re.IGNORECASE,
)
MARKS = re.compile(
    r"\s*(<\|im_start\|>(system|user)\b.*<\|im_start\|>assistant|(<s>)?\s*\[INST\].*\[/INST\]\s*\S"
    r"|### ?(Human|User|Instruction):.*### ?(Assistant|Response):|(Human|User): .*\n(Assistant|AI|Bot): )",
    re.DOTALL,
)
"""The beginning of a conversation in one text."""
_NUMBERS_ONLY = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/]\d{2,4}\b")
_UUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$", re.IGNORECASE)
_HASH = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{12,128}$", re.IGNORECASE)
_URL = re.compile(r"(https?://|www\.|s3://|file://)\S+$", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$")
_DIGITS = re.compile(r"\d+")
_DATE_MAX = 40
BOOLEANS = frozenset(
    ("true", "false", "yes", "no", "si", "sí", "ja", "nein", "oui", "non")
    + ("verdadero", "falso", "vrai", "faux", "wahr", "falsch", "t", "f", "y", "n")
)
MEDIA_TYPES = frozenset(
    (
        "image_url",
        "image",
        "input_image",
        "audio",
        "input_audio",
        "audio_url",
        "video",
        "video_url",
        "file",
        "input_file",
    )
)
_PYTHON = ("['", '["', "[{'", '[{"', "{'", "[]")
_PYTHON_CHARS = 1_000_000
_MAGIC = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"ID3", b"OggS", b"%PDF", b"fLaC")


def text_form(value: str) -> str:
    """The form of a filled text: integer, number, date, boolean, uuid, hash, url, email, code (letters and digits, no space),
    word, text."""
    value = value.strip()
    first = value[:1]
    if first.isdigit() or first in "+-.,€$£":
        if len(value) <= 18 and value.isdecimal():
            return "integer"
        if _INTEGER.match(value):
            return "integer"
        if len(value) <= _DATE_MAX and _DATE.match(value):
            return "date"
        if any(map(str.isdigit, value[:20])) and _NUMBER.match(value):
            return "number"
    if len(value) <= 9 and value.casefold() in BOOLEANS:
        return "boolean"
    if " " in value or "\n" in value or "\t" in value:
        return "date" if len(value) <= _DATE_MAX and _DATE.match(value) else "text"
    return _without_spaces(value)


def _without_spaces(value: str) -> str:
    if _UUID.match(value):
        return "uuid"
    if _HASH.match(value):
        return "hash"
    if _URL.match(value):
        return "url"
    if _EMAIL.match(value):
        return "email"
    if len(value) > 60:
        return "text"
    return "code" if any(map(str.isdigit, value)) and any(map(str.isalpha, value)) else "word"


def value_form(value: Any) -> str:
    """The form of any filled value, in the words of `text_form` and: messages, strings, spans, list, object, binary."""
    if isinstance(value, str):
        if value[:1] in "[{" and (made := from_json(value)) is not None:
            return value_form(made)
        return text_form(value)
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float | Decimal):
        return "integer" if _is_whole(value) else "number"
    if isinstance(value, date | datetime | time):
        return "date"
    if isinstance(value, bytes | bytearray):
        text = as_text(value)
        return "binary" if text is None else text_form(text)
    if isinstance(value, list | tuple):
        return list_form(list(value))
    if isinstance(value, Mapping):
        return "binary" if any(isinstance(part, bytes) for part in value.values()) else "object"
    return "object"


def list_form(value: list[Any]) -> str:
    """messages (objects that say who speaks), strings, spans (start, end, label), or list."""
    if not value:
        return "empty list"
    if all(isinstance(item, dict) and is_message(item) for item in value):
        return "messages"
    if all(isinstance(item, str) for item in value):
        return "strings"
    if all(isinstance(item, list) and len(item) == 3 and isinstance(item[0], int) for item in value):
        return "spans"
    return "list"


def is_message(item: dict[str, Any]) -> bool:
    role = item.get("role", item.get("from"))
    return isinstance(role, str) and bool(
        {"content", "value", "tool_calls", "parts", "function_call", "text"} & item.keys()
    )


def from_json(value: str) -> Any:
    """The list or object that a cell holds as JSON, or as pandas writes Python's lists; None where it holds none."""
    try:
        made = json.loads(value)
    except (ValueError, RecursionError):
        made = _from_python(value.strip())
    return made if isinstance(made, list | dict) else None


def _from_python(value: str) -> Any:
    if not value.startswith(_PYTHON) or not value.endswith(("]", "}")) or len(value) > _PYTHON_CHARS:
        return None
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def as_text(value: Any) -> str | None:
    """A scalar as text (3.0 is "3"); None for bytes that are no text, lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return str(int(value)) if _is_whole(value) else str(value)
    if isinstance(value, bytes | bytearray):
        try:
            return None if bytes(value).startswith(_MAGIC) or b"\0" in value else bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return None
    return None if isinstance(value, list | dict | tuple) else str(value)


def is_marked(text: str) -> bool:
    """Whether a text is a conversation whose marks say who speaks: ChatML, [INST], ### Human and ### Assistant."""
    return text.lstrip()[:1] in "<[#H" and MARKS.match(text) is not None


def month_first(column: ColumnProfile) -> bool | None:
    """How the dates of a column are written: None where 03/04/2026 could be either."""
    found = [match for text in column.texts or column.examples if (match := _NUMBERS_ONLY.match(text.strip()))]
    if any(int(match[1]) > 12 for match in found):
        return False
    if any(int(match[2]) > 12 for match in found):
        return True
    return None if found else False


def _is_whole(value: Any) -> bool:
    return bool(value == value and abs(value) < 1e15 and value == int(value))


def skeleton(value: str) -> str:
    """A code without its digits: "Rbad003" -> "Rbad0"."""
    return _DIGITS.sub("0", value)


def last_number(value: str) -> int | None:
    """The number at the end of a code: "Rbad003" -> 3."""
    if len(value) <= 18 and value.isdecimal():
        return int(value)
    found = _DIGITS.findall(value[-18:])
    return int(found[-1]) if found and value[-1:].isdigit() else None


def media(messages: list[Any]) -> set[str]:
    """Types of pictures, sound and other files in the content parts of a conversation."""
    parts = [part for item in messages if isinstance(item, dict) for part in _parts(item)]
    return {part["type"] for part in parts if isinstance(part, dict) and part.get("type") in MEDIA_TYPES}


def _parts(item: dict[str, Any]) -> list[Any]:
    content = item.get("content", item.get("value"))
    return content if isinstance(content, list) else []


def speakers(messages: list[Any]) -> list[str]:
    """Who speaks in turn, in OpenAI's words; an unknown word stays as it is."""
    said = [
        str(item.get("role", item.get("from", ""))).strip().casefold() for item in messages if isinstance(item, dict)
    ]
    return [SPEAKERS.get(name, name) for name in said]


def system_turn(messages: list[Any]) -> str:
    """The text of a first system or developer turn; "" where there is none."""
    if not messages or not isinstance(messages[0], dict) or speakers(messages[:1]) != ["system"]:
        return ""
    content = messages[0].get("content", messages[0].get("value"))
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content.strip() if isinstance(content, str) else ""
