"""Raw text: a record per paragraph or line, or one of the whole file where a person says so. Headings with text below, marked
questions and answers, chats, and the labels of fastText have columns of their own."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.data.row_errors import Record, RowErrors
from backend.data.sources.chat_export import Chat, chat_of, conversations, is_chat
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.text_file import InputFile, encodable, text_file

_SAMPLE = 1 << 20
PARAGRAPH_LIMIT = 16 << 20
"""Characters; a longer paragraph or file is read in parts."""
_LABEL = "__label__"
_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\s*$")
_FENCE = ("```", "~~~")
_QUESTION = re.compile(r"\W*(?:q|p|f|question|pregunta|frage)\s*\d*\s*[:.)][*_\s]*", re.IGNORECASE)
_ANSWER = re.compile(r"\W*(?:a|r|answer|respuesta|antwort)\s*\d*\s*[:.)][*_\s]*", re.IGNORECASE)
_LEAST = 3
Line = tuple[int, str]
Found = tuple[int, dict[str, Any]]


class TextSource:
    """Columns: `text`; `heading` and `text`, or `question` and `answer`, under headings; `label` and `text` in fastText's
    format. Raises StudioError for an empty file."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        self.path, self.facts = file.path, facts
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        self._text.refuse_long_lines()
        head = self._text.head(_SAMPLE)
        if not head.strip():
            raise StudioError("data.empty", file=file.name)
        lines = head.splitlines()
        self._as_one = options.text_rows == "file"
        self.columns, self._split, code = (["text"], _whole, "") if self._as_one else _kind(lines)
        if not self._as_one and is_chat(lines):
            self._be_chat(chat_of(lines, options.records, file.name))
            code = ""
        if code:
            facts.notes.append(Problem(code=code, args={"file": file.name}, blocking=False))

    def _be_chat(self, chat: Chat) -> None:
        """Conversations are the rows; what is left out of them is said, which takes a look at the whole file."""
        left = RowErrors(self._text.name)
        deque(conversations(self._lines(), chat, left), maxlen=0)
        self.facts.notes += left.problems(blocking=False)
        self.columns = ["messages"]
        self._split = partial(conversations, chat=chat, left=RowErrors(self._text.name))

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All rows, with the line on which each begins."""
        for place, values in self._split(self._lines()):
            if not self._text.encoding.valid and not encodable(str(values)):
                self._text.add_undecodable(row_errors, place)
            else:
                yield Record(place, dict(zip(self.columns, values.values(), strict=True)))

    def count(self) -> int:
        """Number of lines, which is at least that of records; of a whole file about that of its parts."""
        if self._as_one:
            return 1 + self._text.file.path.stat().st_size // PARAGRAPH_LIMIT
        return max(1, self._text.counted.lines)

    def _lines(self) -> Iterator[Line]:
        try:
            with self._text.open() as stream:
                for number, line in enumerate(stream, 1):
                    yield number, line.replace("\r\n", "\n").removeprefix("\ufeff")
        except UnicodeError:
            raise self._text.broken() from None


def _kind(lines: list[str]) -> tuple[list[str], Callable[[Iterator[Line]], Iterator[Found]], str]:
    """(columns, how lines become rows, the note's code) as the head of the file tells."""
    filled = [line for line in lines if line.strip()]
    if all(line.startswith(_LABEL) for line in filled[:-1] or filled):
        return ["label", "text"], _labelled, ""
    if len(list(_pairs(enumerate(lines, 1)))) >= _LEAST and _QUESTION.match(filled[0].strip()):
        return ["question", "answer"], _pairs, "data.text_questions"
    headed = [values["heading"] for _, values in _sections(enumerate(lines, 1)) if values["heading"]]
    if len(headed) >= _LEAST:
        asked = sum(heading.endswith("?") for heading in headed) >= 0.8 * len(headed)
        names = ["question", "answer"] if asked else ["heading", "text"]
        return names, _sections, "data.text_questions" if asked else "data.text_sections"
    inner = "\n".join(lines).strip().splitlines()
    if all(line.strip() for line in inner):
        return ["text"], _by_line, "data.text_lines"
    return ["text"], _paragraphs, "data.text_paragraphs"


def _by_line(lines: Iterator[Line]) -> Iterator[Found]:
    return ((number, {"text": line.rstrip()}) for number, line in lines if line.strip())


def _whole(lines: Iterator[Line]) -> Iterator[Found]:
    return _paragraphs(lines, ends=False)


def _paragraphs(lines: Iterator[Line], ends: bool = True) -> Iterator[Found]:
    """`ends`: whether an empty line ends one."""
    held, size, first = "", 0, 1
    for number, line in lines:
        if held and ((ends and not line.strip()) or size > PARAGRAPH_LIMIT):
            yield first, {"text": held.rstrip()}
            held, size = "", 0
        if held or line.strip():
            first = first if held else number
            held += line
            size = len(held)
    if held:
        yield first, {"text": held.rstrip()}


def _sections(lines: Iterator[Line]) -> Iterator[Found]:
    """Headings with the text below; headings without text are left out."""
    heading, body, first, fenced = "", [""], 1, False
    for number, line in lines:
        fenced ^= line.lstrip().startswith(_FENCE)
        found = None if fenced else _HEADING.match(line)
        if found:
            if "".join(body).strip():
                yield first, {"heading": heading, "text": "".join(body).strip()}
            heading, body, first = found[1], [], number
        else:
            body.append(line if line.endswith("\n") else f"{line}\n")
    if "".join(body).strip():
        yield first, {"heading": heading, "text": "".join(body).strip()}


def _pairs(lines: Iterator[Line]) -> Iterator[Found]:
    """`Q: ...` with the `A: ...` below it; each may go on over several lines."""
    parts: dict[str, list[str]] = {}
    first, current = 1, ""
    for number, line in lines:
        asked, answered = _QUESTION.match(line), _ANSWER.match(line)
        if asked:
            if "answer" in parts:
                yield first, {name: "\n".join(said).strip() for name, said in parts.items()}
            parts, first, current = {"question": [line[asked.end() :].rstrip()]}, number, "question"
        elif answered and current == "question":
            parts["answer"], current = [line[answered.end() :].rstrip()], "answer"
        elif current:
            parts[current].append(line.rstrip())
    if "answer" in parts:
        yield first, {name: "\n".join(said).strip() for name, said in parts.items()}


def _labelled(lines: Iterator[Line]) -> Iterator[Found]:
    for number, line in lines:
        words = line.split()
        labels = [word.removeprefix(_LABEL) for word in words if word.startswith(_LABEL)]
        if words:
            said = " ".join(word for word in words if not word.startswith(_LABEL))
            yield number, {"label": ", ".join(labels), "text": said}
