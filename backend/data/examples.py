"""From records to examples: input, answer and earlier turns, whatever the layout of the source."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from backend.core.errors import StudioError
from backend.data.dataset import Message
from backend.data.reading.model import Roles
from backend.data.row_errors import Record, RowErrors, json_type

MAX_LABELS = 100
MAX_LABEL_CHARS = 60
_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
}


@dataclass(slots=True)
class Example:
    """One usable row. `output` is None when nobody answered it; `origin` tells the user's own splits apart."""

    place: int
    input: str
    output: str | None = None
    context: list[Message] = field(default_factory=list)
    group: str = ""
    origin: str = ""

    _key: str = field(default="", repr=False, compare=False)

    @property
    def key(self) -> str:
        """Fingerprint of context and input; equal for inputs that differ only in case and spaces: they must not straddle
        splits."""
        if not self._key:
            turns = [f"{message['role']}\x1f{message['content']}" for message in self.context]
            text = " ".join("\x1e".join([*turns, self.input]).casefold().split())
            self._key = blake2b(text.encode(), digest_size=16).hexdigest()
        return self._key


class _NotText(ValueError):
    pass


def examples(
    records: Iterator[Record],
    roles: Roles,
    row_errors: RowErrors,
    origin: str = "",
    each: Callable[[int], None] = lambda _: None,
) -> Iterator[Example]:
    """Examples of a source; rows that can't be used go to `row_errors`. `each` is called with the number of rows read."""
    for number, record in enumerate(records, 1):
        each(number)
        made = _chat(record, roles, row_errors) if roles.messages else _plain(record, roles, row_errors)
        if made is not None:
            made.origin = origin
            if roles.group:
                value = record.values.get(roles.group)
                made.group = "" if value is None else str(value)
            yield made


def answer_kind(outputs: list[str]) -> str:
    """`label` when at most 100 short answers repeat three times each on average, else `text`."""
    distinct = set(outputs)
    if not 2 <= len(distinct) <= MAX_LABELS or max(map(len, distinct)) > MAX_LABEL_CHARS:
        return "text"
    return "label" if len(distinct) * 3 <= len(outputs) and not any("\n" in label for label in distinct) else "text"


def label_list(outputs: list[str]) -> list[str]:
    """Distinct answers, sorted. Raises StudioError when there are too many for the rows to learn them."""
    counts = Counter(outputs)
    if len(counts) * 2 > len(outputs):
        raise StudioError("data.more_classes_than_rows", field="answer", rows=len(outputs), classes=len(counts))
    return sorted(counts)


def _plain(record: Record, roles: Roles, row_errors: RowErrors) -> Example | None:
    values = record.values
    try:
        parts = [_text(values.get(name), name) for name in roles.input]
        output = _text(values.get(roles.output), roles.output) if roles.output else ""
    except _NotText as error:
        row_errors.add("data.not_text", record.place, error)
        return None
    text = "\n\n".join(part for part in parts if part)
    if not text:
        row_errors.add("data.input_empty", record.place)
        return None
    if not _writable(text + output):
        row_errors.add("data.characters", record.place)
        return None
    return Example(record.place, text, output or None)


def _chat(record: Record, roles: Roles, row_errors: RowErrors) -> Example | None:
    """The last assistant turn is the answer, the user turn before it the input, what is earlier the context."""
    try:
        messages = [_message(item) for item in _turns(record.values.get(roles.messages))]
    except _NotText as error:
        row_errors.add("data.chat_shape", record.place, error)
        return None
    wrong = _wrong_turn(messages)
    if wrong:
        row_errors.add("data.chat_roles", record.place, wrong)
        return None
    if not _writable("".join(message["content"] for message in messages)):
        row_errors.add("data.characters", record.place)
        return None
    output = messages.pop()["content"] if messages[-1]["role"] == "assistant" else ""
    return Example(record.place, messages[-1]["content"], output or None, messages[:-1])


def _turns(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise _NotText("not a list") from None
    if not isinstance(value, list) or not value:
        raise _NotText("empty" if value in (None, []) else "not a list")
    return value


def _message(item: Any) -> Message:
    if not isinstance(item, dict):
        raise _NotText(json_type(item))
    role = item.get("role", item.get("from"))
    content = item.get("content", item.get("value"))
    if isinstance(content, list):
        content = "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    if not isinstance(role, str) or not isinstance(content, str):
        raise _NotText("role" if not isinstance(role, str) else "content")
    return {"role": role.strip().casefold(), "content": content.strip()}


def _wrong_turn(messages: list[Message]) -> str:
    """The first turn that breaks the order system?, user, assistant, user, assistant ..., as "number: role"; "" if none.
    Changes the names of roles to the usual ones."""
    for message in messages:
        message["role"] = _ROLES.get(message["role"], message["role"])
    start = 1 if messages[0]["role"] == "system" else 0
    for index, message in enumerate(messages[start:]):
        if message["role"] != ("user", "assistant")[index % 2]:
            return f"{start + index + 1}: {message['role']}"
        if not message["content"] and start + index + 1 < len(messages):
            return f"{start + index + 1}: {message['role']} ''"
    return "" if len(messages) > start else "1: system"


def _text(value: Any, column: str) -> str:
    """Numbers and truth values become words; 3.0 becomes "3" (tables turn whole numbers into floats)."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    raise _NotText(f"{json_type(value)} ({column})")


def _writable(text: str) -> bool:
    """False for NUL bytes and halves of characters, which no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
