"""What decides on which side of a split a row comes, as numbers: fingerprints of its content, one row after the other.

16 bytes for a row that is read, and 16 more for each of the first 100,000: millions of rows fit in memory.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from backend.data.dataset import Message
from backend.data.near_clusters import MAX_TEXTS

Codes = NDArray[np.int32]
"""A number for each row; rows of the same number belong together, -1 belongs to none."""
_WORD = re.compile(r"\w+")
_ASCII_WORDS = bytes(
    ord(chr(code).lower()) if code < 128 and (chr(code).isalnum() or chr(code) == "_") else 32 for code in range(256)
)
_NO_DIGEST = 0


def equal_form(text: str) -> bytes:
    """The text without what makes no other question of it: compatible forms of characters (NFKC), case, spaces, punctuation. A
    text of nothing but punctuation and signs is taken as it is, spaces aside."""
    if text.isascii():
        found = b" ".join(text.encode().translate(_ASCII_WORDS).split())
    else:
        words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
        found = " ".join(words).encode("utf-8", "surrogatepass")
    return found or " ".join(text.split()).encode("utf-8", "surrogatepass")


def context_text(context: Sequence[Message]) -> str:
    """The earlier turns of a conversation as one text; "" when nothing but a system turn is there."""
    return "\n".join(str(turn.get("content") or "") for turn in context if turn.get("role") != "system")


def digest(text: str) -> int:
    """64 bits (xxh3) of the text's `equal_form`, never 0."""
    return xxh3_64_intdigest(equal_form(text)) or 1


def digests(texts: Any, words: list[bytes]) -> NDArray[np.uint64]:
    """The `digest` of each text of a string array whose words are known (`text_forms.block_forms`)."""
    if not all(words):
        words = [form or equal_form(text.as_py()) for form, text in zip(words, texts, strict=True)]
    return np.maximum(hashes(words), np.uint64(1))


def hashes(forms: Sequence[bytes]) -> NDArray[np.uint64]:
    """64 bits (xxh3) of each."""
    return np.fromiter(map(xxh3_64_intdigest, forms), np.uint64, len(forms))


def codes_of(names: Sequence[str]) -> Codes:
    """A number for each name, in the order of their first coming; -1 for an empty one."""
    known: dict[str, int] = {}
    return np.fromiter((known.setdefault(name, len(known)) if name else -1 for name in names), np.int32, len(names))


class MostlyZero:
    """64-bit numbers that most files have none of: they take memory from the first that isn't 0. `code`: as `array` calls the
    type."""

    def __init__(self, code: str) -> None:
        self._code, self._zeros, self._values = code, 0, array(code)

    def append(self, value: int) -> None:
        if self._values or value:
            self._values = self._values or array(self._code, bytes(8 * self._zeros))
            self._values.append(value)
        else:
            self._zeros += 1

    def add_zeros(self, count: int) -> None:
        if self._values:
            self._values.frombytes(bytes(8 * count))
        else:
            self._zeros += count

    def numbers(self) -> NDArray[Any]:
        """All of them."""
        kind = np.dtype(self._code)
        return np.frombuffer(self._values, kind) if self._values else np.zeros(self._zeros, kind)


class RowKeys:
    """Collects the fingerprints of rows as they are read, in the order of the rows."""

    def __init__(self) -> None:
        self._equal = array("Q")
        self._contexts = MostlyZero("Q")
        self._content = bytearray()

    def __len__(self) -> int:
        return len(self._equal)

    def add(self, text: str, content: str | None = None, context: str = "") -> None:
        """`text`: all that the model reads of this row, earlier turns and context included; `content`: the row's own
        fingerprint of 32 hexadecimal digits (`Example.key`), that of `text` when left out; `context`: the part that other
        rows may share, "" for none."""
        self._equal.append(digest(text))
        self._contexts.append(digest(context) if context.strip() else _NO_DIGEST)
        self._add_content(lambda: [bytes.fromhex(content) if content else content_key(text)])

    def add_all(self, digests: NDArray[np.uint64], content: Callable[[], list[bytes]]) -> None:
        """The same for many texts without contexts. `content`: their fingerprints of 16 bytes."""
        self._equal.frombytes(digests.tobytes())
        self._contexts.add_zeros(len(digests))
        self._add_content(content)

    def _add_content(self, content: Callable[[], list[bytes]]) -> None:
        if len(self._equal) <= MAX_TEXTS:
            self._content += b"".join(content())
        elif self._content:
            self._content = bytearray()

    @property
    def equal(self) -> Codes:
        """Rows whose texts are equal after normalising."""
        digests = np.frombuffer(self._equal, np.uint64)
        order = np.argsort(digests)
        ordered = digests[order]
        found = np.empty(len(order), np.int32)
        found[order] = np.cumsum(np.concatenate([[False], ordered[1:] != ordered[:-1]]), dtype=np.int32)[: len(order)]
        return found

    @property
    def contexts(self) -> Codes:
        """Rows that share a context."""
        digests = self._contexts.numbers()
        if not digests.any():
            return np.full(len(digests), -1, np.int32)
        found = np.unique(digests, return_inverse=True)[1].astype(np.int32)
        found[digests == _NO_DIGEST] = -1
        return found

    @property
    def content(self) -> NDArray[np.uint64]:
        """(rows, 2): what a row's place in the random order follows from, together with the seed."""
        if len(self) <= MAX_TEXTS:
            return np.frombuffer(bytes(self._content), ">u8").astype(np.uint64).reshape(-1, 2)
        equal = np.frombuffer(self._equal, np.uint64)
        return np.broadcast_to(equal[:, None], (len(equal), 2))


def content_key(text: str) -> bytes:
    """16 bytes of a text, case and spaces aside."""
    return blake2b(" ".join(text.casefold().split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()
