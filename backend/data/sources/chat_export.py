"""Chats as a messenger exports them: lines with a time, a name and a text. Each day is a conversation; who answers has to be
said, since the file doesn't tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from backend.core.errors import StudioError

_LINE = re.compile(
    r"\W?\[?(?P<day>\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}),?\s+\d{1,2}:\d{2}(:\d{2})?(\s?[ap]\.?\s?m\.?)?\]?(\s+-)?\s+"
    r"((?P<name>[^:\n]{1,60}):\s)?(?P<text>.*)",
    re.IGNORECASE,
)
_LEAST = 6
_MOST_NAMED = 30
Found = tuple[int, dict[str, Any]]


def is_chat(lines: list[str]) -> bool:
    """Whether most lines begin a message, and two people or more take part."""
    found = [match for line in lines if (match := _LINE.match(line))]
    named = {match["name"] for match in found if match["name"]}
    filled = sum(bool(line.strip()) for line in lines)
    return len(found) >= max(_LEAST, 0.4 * filled) and 2 <= len(named) <= max(2, len(found) // 3)


def answering(lines: list[str], wanted: str, file: str) -> str:
    """The name of who answers. Raises StudioError that lists the names where none of them was given."""
    names = Counter(match["name"] for line in lines if (match := _LINE.match(line)) and match["name"])
    if wanted not in names:
        choices = [name for name, _ in names.most_common(_MOST_NAMED)]
        listed = ", ".join(choices[:10])
        raise StudioError("data.chat_who", field="records", file=file, names=listed, choices=choices)
    return wanted


def conversations(lines: Iterable[tuple[int, str]], assistant: str) -> Iterator[Found]:
    """A row of messages per day: those of `assistant` are answers, what the others write in a row is one message."""
    day, first, messages = "", 1, list[dict[str, str]]()
    for number, line in lines:
        found = _LINE.match(line)
        if found is None:
            if messages:
                messages[-1]["content"] += f"\n{line.rstrip()}"
            continue
        if found["day"] != day:
            if messages:
                yield first, {"messages": messages}
            day, first, messages = found["day"], number, []
        if found["name"] is None:  # what the messenger itself says
            continue
        role = "assistant" if found["name"] == assistant else "user"
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n{found['text'].rstrip()}"
        else:
            messages.append({"role": role, "content": found["text"].rstrip()})
    if messages:
        yield first, {"messages": messages}
