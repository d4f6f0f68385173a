"""JSON in pieces: the elements of lists one by one, whatever the size of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from backend.core.errors import StudioError

PIECE = 1 << 20
ELEMENT_LIMIT = 64 << 20
"""Characters of one element; a longer one is no row."""
_NEAR = 1 << 16
_DEPTH = 4
_DECODER = json.JSONDecoder()
_NEXT = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?=[^ \t\r\n])")


class JsonStream:
    """Reads values from a text stream. Raises StudioError, with line and column, for what is not JSON."""

    def __init__(self, stream: IO[str], name: str) -> None:
        self._stream, self._name = stream, name
        self._held, self._at = "", 0
        self._line, self._column = 1, 1
        self._ended = False

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            held, at = self._held, self._at
            while at < len(held) and held[at] in " \t\r\n\ufeff":
                at += 1
            self._at = at
            if at < len(held):
                return held[at]
            if not self._more():
                return ""

    def take(self, expected: str) -> bool:
        """Steps over `expected` where it is next."""
        found = self.peek() == expected
        self._at += found
        return found

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                open_string = error.msg.startswith("Unterminated string")
                far = error.pos < len(self._held) - _NEAR and not open_string
                if far or not self._more():
                    raise self._error(error.pos, error.msg) from None
                continue
            except (RecursionError, ValueError) as error:
                reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                raise self._error(self._at, reason) from None
            if end < len(self._held) or not self._more():
                self._at = end
                return value

    def elements(self) -> Iterator[Any]:
        """Those of the list that begins here."""
        self.take("[")
        if self.take("]"):
            return
        while True:
            yield self.value()
            yield from self._near()
            if self.take("]"):
                return
            self._comma()

    def _near(self) -> Iterator[Any]:
        """The elements that follow and are held whole: most, and three times as fast as step by step."""
        while found := _NEXT.match(self._held, self._at):
            try:
                value, end = _DECODER.raw_decode(self._held, found.end())
            except (ValueError, RecursionError):
                return
            if end == len(self._held):
                return
            self._at = end
            yield value

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here; the value behind each has to be taken before the next."""
        self.take("{")
        if self.take("}"):
            return
        while True:
            if self.peek() != '"':
                raise self._error(self._at, "Expecting property name enclosed in double quotes")
            key = self.value()
            if not self.take(":"):
                raise self._error(self._at, "Expecting ':' delimiter")
            yield key
            if self.take("}"):
                return
            self._comma()

    def finish(self) -> None:
        """Raises StudioError when anything follows."""
        if self.peek():
            raise self._error(self._at, "Extra data")

    def _comma(self) -> None:
        if not self.take(","):
            raise self._error(self._at, "Expecting ',' delimiter")

    def _more(self) -> bool:
        if self._ended:
            return False
        rest = self._held[self._at :]
        if len(rest) > ELEMENT_LIMIT:
            raise StudioError("data.json_large", file=self._name, limit=f"{ELEMENT_LIMIT >> 20} MB")
        passed = self._held[: self._at]
        lines = passed.count("\n")
        self._line += lines
        self._column = len(passed) - passed.rfind("\n") if lines else self._column + len(passed)
        piece = self._stream.read(max(PIECE, len(rest)))
        self._held, self._at = rest + piece, 0
        self._ended = not piece
        return bool(piece)

    def _error(self, position: int, reason: str) -> StudioError:
        passed = self._held[:position]
        lines = passed.count("\n")
        column = len(passed) - passed.rfind("\n") if lines else self._column + len(passed)
        return StudioError("data.json", file=self._name, row=self._line + lines, column=column, reason=reason)


def walk(stream: JsonStream, path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, element) of every list in objects within objects; a list at the top has the path ""."""
    first = stream.peek()
    if first == "[":
        yield from ((path, element) for element in stream.elements())
    elif first == "{" and path.count(".") < _DEPTH:
        for key in stream.members():
            yield from walk(stream, f"{path}.{key}" if path else key)
    else:
        stream.value()
