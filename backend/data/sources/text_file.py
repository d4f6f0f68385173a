"""A text file whose encoding is known: opened for reading, and the errors of bytes that can't be decoded."""

from __future__ import annotations

from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import RowErrors
from backend.data.sources.encodings import ByteCount, Encoding, find_encoding, locate_bad_byte, shown
from backend.data.sources.options import SourceFacts

LINE_LIMIT = 64 << 20
"""Bytes of a line of text; a longer one is no row."""
HEAD_LIMIT = 16 << 20
"""Characters of the head of a file with long lines."""


@dataclass(frozen=True)
class InputFile:
    """A file on disk, and what it is called where it came out of an archive or a folder."""

    path: Path
    name: str


@dataclass
class TextFile:
    """`encoding` is said in the facts of the source by `describe`."""

    file: InputFile
    encoding: Encoding
    counted: ByteCount

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def plain_line_ends(self) -> bool:
        """Whether every line ends with \\n (or \\r\\n)."""
        return not self.counted.returns

    def open(self, start: int = 0) -> IO[str]:
        """From byte `start` on, line ends as they are. A byte that can't be decoded becomes a lone surrogate, so that its row
        can be named (or skipped) instead of ending the reading; not in UTF-16 and UTF-32, where nothing behind it can be
        trusted."""
        codec = self.encoding.name
        errors = "strict" if codec.startswith(("utf-16", "utf-32")) else "surrogateescape"
        if not start:
            return self.file.path.open(encoding=codec, errors=errors, newline="")
        stream = self.file.path.open("rb")
        stream.seek(start)
        return TextIOWrapper(stream, encoding=codec.removesuffix("-sig"), errors=errors, newline="")

    def refuse_long_lines(self) -> None:
        """Raises StudioError for a line that would fill the memory."""
        if self.counted.longest > LINE_LIMIT:
            raise StudioError("data.line_long", file=self.name, limit=f"{LINE_LIMIT >> 20} MB")

    def head(self, characters: int, lines: int = 0) -> str:
        """The first characters; so many more that it has some `lines`, up to HEAD_LIMIT. Raises StudioError where they can't
        be decoded."""
        try:
            with self.open() as stream:
                head = stream.read(characters)
                while (
                    lines and head.count("\n") < lines and len(head) < HEAD_LIMIT and (more := stream.read(characters))
                ):
                    head += more
                return head
        except UnicodeError:
            raise self.broken() from None

    def broken(self) -> StudioError:
        """The error that names the first byte that can't be read."""
        row, byte = locate_bad_byte(self.file.path, self.encoding.name)
        encoding = shown(self.encoding.name)
        return StudioError("data.encoding_broken", file=self.name, row=row, byte=byte, encoding=encoding)

    def add_undecodable(self, row_errors: RowErrors, place: int) -> None:
        """Counts a row that holds bytes which are not valid."""
        first = "data.encoding" not in row_errors.counts
        byte = locate_bad_byte(self.file.path, self.encoding.name)[1] if first else 0
        row_errors.add("data.encoding", place, byte=byte, encoding=shown(self.encoding.name))

    def describe(self, facts: SourceFacts) -> None:
        """Writes the encoding into `facts`, with a note where it was guessed."""
        facts.encoding, facts.encoding_sure = self.encoding.name, self.encoding.sure
        if not self.encoding.sure:
            about = {"file": self.name, "encoding": shown(self.encoding.name)}
            facts.notes.append(Problem(code="data.encoding_taken", args=about, blocking=False))


def text_file(file: InputFile, wanted: str = "") -> TextFile:
    """Finds the encoding of `file`. Raises StudioError as `find_encoding`."""
    return TextFile(file, *find_encoding(file.path, file.name, wanted))


def encodable(text: str) -> bool:
    """Whether no byte of it was lost in decoding."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
