"""Chats as a messenger exports them: lines with a time, a name and a text. A conversation ends with hours of silence; where
one answers several others in turn, each of them has conversations of their own. Who answers has to be said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any

from backend.core.errors import StudioError
from backend.data.row_errors import RowErrors
from backend.data.sources.chat_system import MARK, is_own, plain

_LINE = re.compile(
    r"\W?\[?(?P<day>\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}),?\s+(?P<hour>\d{1,2}):(?P<minute>\d{2})(:\d{2})?"
    r"(\s?(?P<half>[ap])\.?\s?m\.?)?\]?(\s+-)?\s+(?P<rest>((?P<name>[^:\n]{1,60}):\s)?(?P<text>.*))",
    re.IGNORECASE,
)
_LEAST = 6
_MOST_NAMED = 30
SILENCE = timedelta(hours=6)
"""Ends a conversation."""
ANSWERED_WITHIN = timedelta(days=3)
"""So late a question may still be answered."""
_IN_TURN = 0.8
"""Share of the answers before which one alone had written, where each is answered in turn and nobody talks to the others."""
_ORDERS = ((2, 1, 0), (2, 0, 1), (0, 1, 2))
"""Where year, month and day stand in a date."""
Found = tuple[int, dict[str, Any]]
Order = tuple[int, int, int]


@dataclass(frozen=True)
class Chat:
    """`assistant`: who answers; `order`: of the dates; `in_turn`: whether each asker has conversations of their own."""

    assistant: str
    order: Order
    in_turn: bool


@dataclass
class _Message:
    place: int
    when: datetime | None
    name: str
    text: str


def is_chat(lines: list[str]) -> bool:
    """Whether most lines begin a message, and two people or more take part."""
    found = [match for line in lines if (match := _LINE.match(line))]
    named = {match["name"] for match in found if match["name"]}
    filled = sum(bool(line.strip()) for line in lines)
    return len(found) >= max(_LEAST, 0.4 * filled) and 2 <= len(named) <= max(2, len(found) // 3)


def chat_of(lines: list[str], wanted: str, file: str) -> Chat:
    """How the chat that begins with these lines is read. Raises StudioError that lists the names where `wanted` is none."""
    order = _order([match["day"] for line in lines if (match := _LINE.match(line))])
    said = [message.name for message in _messages(enumerate(lines, 1), order, RowErrors(file))]
    names = Counter(said)
    if wanted not in names:
        choices = [name for name, _ in names.most_common(_MOST_NAMED)]
        listed = ", ".join(choices[:10])
        raise StudioError("data.chat_who", field="records", file=file, names=listed, choices=choices)
    runs = [set(run) for answers, run in groupby(said, lambda name: name == wanted) if not answers]
    return Chat(wanted, order, sum(len(run) == 1 for run in runs) >= _IN_TURN * len(runs))


def conversations(lines: Iterable[tuple[int, str]], chat: Chat, left: RowErrors) -> Iterator[Found]:
    """A row of messages per conversation: those of the assistant are answers, what others write in a row is one message. `left`
    gets what is left out: the messenger's own messages, and those of the assistant that nobody asked for."""
    talks: dict[str, list[_Message]] = {}
    for asked, answers in _exchanges(_messages(lines, chat.order, left), chat.assistant):
        if not asked:
            for message in answers:
                left.add("data.chat_unasked", message.place, name=chat.assistant)
            continue
        names = {message.name for message in asked}
        if chat.in_turn and len(names) > 1:  # it is unclear whom the answer is for
            yield _row([*asked, *answers], chat.assistant)
            continue
        for over in [key for key, talk in talks.items() if _pause(talk[-1], asked[0]) > SILENCE]:
            yield _row(talks.pop(over), chat.assistant)
        talks.setdefault(names.pop() if chat.in_turn else "", []).extend([*asked, *answers])
    for talk in talks.values():
        yield _row(talk, chat.assistant)


def _row(talk: list[_Message], assistant: str) -> Found:
    turns = groupby(talk, lambda message: "assistant" if message.name == assistant else "user")
    messages = [{"role": role, "content": "\n".join(each.text for each in said)} for role, said in turns]
    return talk[0].place, {"messages": messages}


def _exchanges(messages: Iterable[_Message], assistant: str) -> Iterator[tuple[list[_Message], list[_Message]]]:
    """(what others wrote, what was answered), both without silence."""
    asked, answers = list[_Message](), list[_Message]()
    last: _Message | None = None
    for message in messages:
        answering = message.name == assistant
        limit = ANSWERED_WITHIN if answering and asked and not answers else SILENCE
        if last and (_pause(last, message) > limit or (answers and not answering)):
            yield asked, answers
            asked, answers = [], []
        (answers if answering else asked).append(message)
        last = message
    if last:
        yield asked, answers


def _messages(lines: Iterable[tuple[int, str]], order: Order, left: RowErrors) -> Iterator[_Message]:
    """What people wrote; a line without a time goes on with the message above."""
    held: _Message | None = None
    for number, line in lines:
        found = _LINE.match(line)
        if found is None:
            if held:
                held.text += f"\n{line.rstrip()}"
            continue
        if held and _is_said(held, left):
            yield held
        own = found["name"] is None or is_own(found["rest"].lstrip(MARK))
        name = "" if own else found["name"].strip(f"{MARK}\u202a\u202c ")
        held = _Message(number, _time(found, order), name, found["text"].rstrip())
    if held and _is_said(held, left):
        yield held


def _is_said(message: _Message, left: RowErrors) -> bool:
    """Whether somebody wrote it; what stands below a picture is the writer's own."""
    first, _, more = message.text.partition("\n")
    own = not message.name or not plain(first) or is_own(first)
    if own:
        left.add("data.chat_system", message.place)
    message.text = plain(more if own else message.text)
    return bool(message.name and message.text)


def _pause(first: _Message, then: _Message) -> timedelta:
    return then.when - first.when if first.when and then.when else timedelta()


def _time(found: re.Match[str], order: Order) -> datetime | None:
    try:
        hour = int(found["hour"])
        if half := found["half"]:
            hour = hour % 12 + 12 * (half.lower() == "p")
        return _day(found["day"], order) + timedelta(hours=hour, minutes=int(found["minute"]))
    except ValueError:
        return None


def _day(text: str, order: Order) -> datetime:
    """Raises ValueError where there is no such day."""
    parts = [int(part) for part in re.split(r"[/.-]", text)]
    year, month, day = (parts[at] for at in order)
    return datetime(year + 2000 if year < 100 else year, month, day)


def _order(days: list[str]) -> Order:
    """The order in which every day exists, they go forward and pass the least time."""
    found: list[tuple[int, timedelta, Order]] = []
    for order in _ORDERS:
        try:
            when = [_day(day, order) for day in days]
        except ValueError:
            continue
        back = sum(later < earlier for earlier, later in pairwise(when))
        found.append((back, max(when) - min(when), order))
    return min(found)[2] if found else _ORDERS[0]
