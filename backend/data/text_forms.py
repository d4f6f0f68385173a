"""The forms in which texts are compared, of many texts at a time: arrays of characters in place of a loop over the texts.

Both forms have single spaces between words and none at the ends. What is equal here is equal to `Example.form` and to
`backend.data.split_keys.equal_form` of each text by itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARK = "\x1f"
"""What stands between texts that are looked at together; none of them holds it."""
_MARK, _SPACE = ord(MARK), ord(" ")
_CODES = 0x110000
_LATIN_ODD = tuple(
    sign
    for sign in map(chr, range(256))
    if unicodedata.normalize("NFKC", sign) != sign or len(sign.casefold().encode("latin-1", "ignore")) != 1
)
"""Signs below 256 that change into something else than their lower case."""

Signs = NDArray[Any]
"""Characters as numbers: bytes where all are ASCII, else code points."""


def is_word_sign(sign: str) -> bool:
    """What a regular expression calls \\w."""
    return sign.isalnum() or sign == "_"


class _Table:
    """Code point -> itself, or a space where `kept` says no. Filled as characters are met."""

    def __init__(self, kept: Callable[[str], bool]) -> None:
        self._kept = kept
        self._to = np.arange(_CODES, dtype=np.uint32)
        self._known = np.zeros(_CODES, bool)
        self._known[_MARK] = True
        folds = [ord(sign.casefold()) if len(sign.casefold()) == 1 else 0 for sign in map(chr, range(256))]
        self._folded = self.of(np.array(folds, np.uint32)).astype(np.uint8)

    def of(self, codes: Signs) -> Signs:
        seen = np.zeros(_CODES, bool)
        seen[codes] = True
        for code in np.flatnonzero(seen & ~self._known).tolist():
            self._known[code] = True
            if not self._kept(chr(code)):
                self._to[code] = _SPACE
        found: Signs = self._to[codes]
        return found

    def of_folded(self, codes: Signs) -> Signs:
        """The same of signs below 256, which become lower case on the way."""
        found: Signs = self._folded[codes]
        return found


@cache
def _tables() -> tuple[_Table, _Table]:
    """(spaces alone are spaces, all but words are)."""
    return _Table(lambda sign: not sign.isspace()), _Table(is_word_sign)


def block_forms(texts: Any) -> tuple[list[bytes], list[bytes]]:
    """(`Example.form` of each, the words of each), as UTF-8, of a string array of pyarrow's whose texts have no `MARK`. A text
    without any word has b"" there."""
    import pyarrow.compute as pc

    whole = content(pc.binary_join_element_wise(texts, "", MARK)).decode()
    space, word = _tables()
    latin = _latin(whole)
    if latin is not None:
        return _split(space.of_folded(latin)), _split(word.of_folded(latin))
    composed = unicodedata.normalize("NFC", whole)
    folded = _codes(composed.casefold())
    compatible = unicodedata.normalize("NFKC", composed)
    return _split(space.of(folded)), _split(
        word.of(folded if compatible == composed else _codes(compatible.casefold()))
    )


def _latin(text: str) -> Signs | None:
    """As single bytes; None where a sign has no byte, or its compatible or folded form has none."""
    try:
        found = np.frombuffer(text.encode("latin-1"), np.uint8)
    except UnicodeEncodeError:
        return None
    return None if any(sign in text for sign in _LATIN_ODD) else found


def content(array: Any) -> bytes:
    """The texts of a string array, one directly behind the other, in UTF-8."""
    _, offsets, data = array.buffers()
    if data is None or not len(array):
        return b""
    places = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return bytes(memoryview(data)[int(places[0]) : int(places[-1])])


def _codes(text: str) -> Signs:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _split(codes: Signs) -> list[bytes]:
    """The texts between the marks, each without spaces at its ends and with single ones inside."""
    spaces = codes == _SPACE
    edge = spaces | (codes == _MARK)
    again = spaces.copy()
    again[1:] &= edge[:-1]
    if again.any():
        codes = codes[~again]
    last = codes == _SPACE
    last[:-1] &= codes[1:] == _MARK
    if last.any():
        codes = codes[~last]
    text = codes.tobytes().decode("latin-1" if codes.dtype == np.uint8 else "utf-32-le")
    return text.encode().split(MARK.encode())[:-1]
