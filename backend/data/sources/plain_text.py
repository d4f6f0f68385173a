"""Raw text: a record per paragraph (between blank lines), or per line where there are no blank lines; fastText's labels."""

from __future__ import annotations

from collections.abc import Iterator

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.text_file import InputFile, encodable, text_file

_SAMPLE = 1 << 20
_LABEL = "__label__"
PARAGRAPH_LIMIT = 16 << 20
"""Characters; a longer paragraph is read in parts."""


class TextSource:
    """One column, `text`; in fastText's format `label` before it. Raises StudioError for an empty file."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts = file.path, facts
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        facts.header_line = 0
        head = self._text.head(_SAMPLE)
        if not head.strip():
            raise StudioError("data.empty", file=file.name)
        lines = head.splitlines()
        self._labelled = all(line.startswith(_LABEL) for line in lines[:-1] if line.strip()) and _LABEL in lines[0]
        self._by_line = self._labelled or not any(not line.strip() for line in head.strip().splitlines())
        self.columns = ["label", "text"] if self._labelled else ["text"]
        if not self._labelled:
            code = "data.text_lines" if self._by_line else "data.text_paragraphs"
            facts.notes.append(Problem(code=code, args={"file": file.name}, blocking=False))

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All paragraphs, with the line on which each begins."""
        for place, text in self._paragraphs():
            if not self._text.encoding.valid and not encodable(text):
                self._text.add_undecodable(row_errors, place)
            else:
                yield Record(place, _labelled(text) if self._labelled else {"text": text})

    def count(self) -> int:
        """Number of lines, which is at least that of records."""
        return max(1, self._text.counted.lines)

    def _paragraphs(self) -> Iterator[tuple[int, str]]:
        held: list[str] = []
        size, first = 0, 1
        try:
            with self._text.open() as stream:
                for number, line in enumerate(stream, 1):
                    filled = bool(line.strip("\ufeff \t\r\n"))
                    if held and (not filled or self._by_line or size > PARAGRAPH_LIMIT):
                        yield first, "".join(held).rstrip()
                        held, size = [], 0
                    if filled:
                        first = first if held else number
                        held.append(line.replace("\r\n", "\n"))
                        size += len(line)
        except UnicodeError:
            raise self._text.broken() from None
        if held:
            yield first, "".join(held).rstrip()


def _labelled(line: str) -> dict[str, str]:
    words = line.split(" ")
    labels = [word.removeprefix(_LABEL) for word in words if word.startswith(_LABEL)]
    return {"label": ", ".join(labels), "text": " ".join(word for word in words if not word.startswith(_LABEL))}
