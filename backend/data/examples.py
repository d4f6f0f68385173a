"""One usable row of a source, before its split is known, and the row that is stored of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from backend.data.dataset import Message, message_text


@dataclass(slots=True)
class Example:
    """`place`: where it stands in its file; `number`: which of the answers of that place it is, from 1, or 0 where there is
    one; `output` is None when nobody answered it; `group`: what must stay in one split; `shared`: the part of the input that
    other rows may have, too; `origin` tells the user's own
    validation and test files apart; `split`: what the source says; `time`: when it was written, as a number; `stored`: the
    row of an export of the studio, as it was. The other fields are those of backend.data.dataset.Row."""

    place: int
    input: str
    output: str | None = None
    context: list[Message] = field(default_factory=list)
    group: str = ""
    origin: str = ""
    shared: str = ""
    number: int = 0
    conversation: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    rejected: str | None = None
    fields: dict[str, str] | None = None
    split: str = ""
    time: float | None = None
    stored: dict[str, Any] | None = None

    _key: str = field(default="", repr=False, compare=False)

    @property
    def form(self) -> str:
        """Context and input, case, spaces and Unicode's form aside: what must not straddle splits has one form."""
        text = self.input
        if self.context:
            turns = [f"{message['role']}\x1f{message['content']}" for message in self.context]
            text = "\x1e".join([*turns, text])
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        return " ".join(text.casefold().split())

    @property
    def digest(self) -> bytes:
        """16 bytes for the form."""
        return blake2b(self.form.encode(), digest_size=16).digest()

    @property
    def key(self) -> str:
        """`digest` in hexadecimal digits."""
        if not self._key:
            self._key = self.digest.hex()
        return self._key


def stored_row(example: Example) -> dict[str, Any]:
    """The row as the dataset holds it, defaults left out."""
    if example.stored is not None:
        return example.stored
    name = f"{example.origin[:1] or 'r'}{example.place}"
    row: dict[str, Any] = {"id": f"{name}.{example.number}" if example.number else name, "input": example.input}
    if example.output is not None:
        row["output"] = example.output
    if example.context:
        row["context"] = example.context
    if example.conversation:
        row["conversation"] = example.conversation
    if example.tools:
        row["tools"] = example.tools
    if example.tool_calls:
        row["tool_calls"] = example.tool_calls
    if example.rejected is not None:
        row["rejected"] = example.rejected
    if example.fields:
        row["fields"] = example.fields
    return row


def to_pool(row: dict[str, Any]) -> dict[str, Any]:
    """The same row without its answer, which is kept as `gold`, calls as text. Changes `row`."""
    answer = row.pop("output", None)
    if calls := row.pop("tool_calls", None):
        answer = message_text({"role": "assistant", "content": answer, "tool_calls": calls})
    row.pop("rejected", None)
    if answer is not None:
        row.setdefault("gold", answer)
    return row
