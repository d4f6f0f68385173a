"""Rows that are conversations: every answer is learned, or the whole is classed or summed up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from backend.data.examples import Example
from backend.data.mapping.conversation import Answer, answers_of, conversation_id, transcript
from backend.data.mapping.labels import listed
from backend.data.mapping.messages import ChatTurn, role_of, told, turns_of
from backend.data.mapping.plain import plain
from backend.data.mapping.setup import Make, Setup
from backend.data.mapping.tools import tools_of
from backend.data.mapping.values import Unusable, as_text, parsed, value_of
from backend.data.row_errors import Record

Values = dict[str, Any]


def conversation(setup: Setup) -> Make:
    """A column of messages; tools and a system prompt where they have columns."""
    if setup.roles.output:
        return prompt_completion(setup)
    column = setup.roles.messages

    def make(record: Record) -> list[Example]:
        turns = turns_of(value_of(record.values, column))
        return from_turns(setup, record.place, with_system(setup, turns, record.values), record.values)

    return make


def prompt_completion(setup: Setup) -> Make:
    """Prompt and completion as lists of messages: what the prompt holds is context."""
    prompt, completion = setup.roles.messages or setup.roles.input[0], setup.roles.output

    def make(record: Record) -> list[Example]:
        asked = turns_of(value_of(record.values, prompt))
        for turn in asked:
            turn.learned = False
        value = value_of(record.values, completion) if completion else None
        answered = completion_turns(value) if value not in (None, "", []) else []
        return from_turns(setup, record.place, with_system(setup, asked + answered, record.values), record.values)

    return make


def prompt_and_completion(setup: Setup) -> Make:
    """The same as texts, or row by row as messages: JSON in a table's cell is told apart by its rows."""
    if setup.roles.messages:
        return prompt_completion(setup)
    prompt = setup.roles.input[0]
    as_texts, as_messages = plain(setup), prompt_completion(setup)

    def make(record: Record) -> Iterable[Example]:
        value = parsed(value_of(record.values, prompt))
        return (as_messages if isinstance(value, list) else as_texts)(record)

    return make


def completion_turns(value: Any) -> list[ChatTurn]:
    """An answer as turns: messages, one message, or its text. Raises Unusable."""
    value = parsed(value)
    if isinstance(value, str):
        return [ChatTurn("assistant", value)]
    return turns_of([value] if isinstance(value, dict) and "messages" not in value else value)


def with_system(setup: Setup, turns: list[ChatTurn], values: Values) -> list[ChatTurn]:
    """The turns with the system prompt of the row's own column before them."""
    if not setup.roles.system:
        return turns
    text = told(value_of(values, setup.roles.system), setup.roles.system)
    return [ChatTurn("system", text), *turns] if text.strip() else turns


def from_turns(setup: Setup, place: int, turns: list[ChatTurn], values: Values) -> list[Example]:
    """One example per answer. Those of one conversation share its id and stay in one split. Raises Unusable."""
    name = setup.roles.tools or next((key for key in ("tools", "functions") if values.get(key)), "")
    tools = tools_of(value_of(values, name)) if name else []
    shared = conversation_id(turns)
    answers = answers_of(turns, place, setup.notes, setup.last_only)
    if len(answers) == 1 and answers[0].output is None:
        setup.notes.add("data.turns_unanswered", place)
    one = len(answers) == 1
    return [
        _example(place, 0 if one else number, answer, "" if one else shared, tools)
        for number, answer in enumerate(answers, 1)
    ]


def _example(place: int, number: int, answer: Answer, shared: str, tools: list[dict[str, Any]]) -> Example:
    return Example(
        place,
        answer.input,
        answer.output,
        answer.context,
        group=shared,
        number=number,
        conversation=shared,
        tools=tools,
        tool_calls=answer.calls,
    )


def about_conversation(setup: Setup) -> Make:
    """A conversation as the input; its label, its labels or its summary as the answer."""
    answer = setup.answer()
    column = setup.roles.messages or (setup.roles.input[0] if setup.roles.input else "")

    def make(record: Record) -> list[Example]:
        value = parsed(value_of(record.values, column))
        text = value if isinstance(value, str) else transcript(turns_of(value))
        if not text.strip():
            raise Unusable("data.input_empty")
        given = value_of(record.values, setup.roles.output) if setup.roles.output else None
        output = listed(given, setup.roles.output, None) if isinstance(given, list) else answer(record.values)
        return [Example(record.place, text, output, setup.context(record.values))]

    return make


def gathered(records: Iterable[Record], setup: Setup) -> Iterator[Record]:
    """Records of one turn each, put together: rows that follow each other with one value in the group column become a record
    with the list of their messages. `place` is that of the first."""
    group, who, said = setup.roles.group, setup.roles.speaker, (setup.roles.input or [setup.roles.messages])[0]
    held: Record | None = None
    seen: set[int] = set()
    name: Any = None
    for record in records:
        mine = value_of(record.values, group)
        if held is None or mine != name:
            if held is not None:
                yield held
            again = hash(str(mine)) in seen
            seen.add(hash(str(mine)))
            name, held = mine, Record(record.place, dict(record.values))
            held.values[TURNS] = None if again else []
        if held.values[TURNS] is not None:
            turn = {"role": value_of(record.values, who), "content": value_of(record.values, said)}
            held.values[TURNS].append(turn | {"turn": _turn_number(record.values)})
    if held is not None:
        yield held


def _turn_number(values: Values) -> float | None:
    """Which turn of its conversation a row is, where a column says so."""
    name = next((name for name in values if re.sub(r"[\W_]", "", name.casefold()) in _TURN_NUMBERS), "")
    try:
        return float(values[name]) if name else None
    except (TypeError, ValueError):
        return None


_TURN_NUMBERS = (
    "turn",
    "turnid",
    "turnindex",
    "turnnumber",
    "turno",
    "messageindex",
    "messageid",
    "position",
    "seq",
    "order",
)
TURNS = "\0turns"
"""Where `gathered` puts the messages: no column of a file has that name."""


def turn_rows(setup: Setup) -> Make:
    """What `gathered` made. A conversation whose rows do not follow each other is a row error."""

    def make(record: Record) -> list[Example]:
        messages = record.values.pop(TURNS)
        if messages is None:
            raise Unusable("data.turns_apart", value_of(record.values, setup.roles.group))
        if all(message["turn"] is not None for message in messages):
            messages.sort(key=lambda message: message["turn"])
        for message in messages:
            message["role"] = role_of(as_text(message["role"], ""))
            message["content"] = as_text(message["content"], "")
        return from_turns(setup, record.place, with_system(setup, turns_of(messages), record.values), record.values)

    return make
