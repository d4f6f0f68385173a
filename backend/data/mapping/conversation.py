"""From the turns of a conversation to what is learned of it: each answer of the assistant with all that stands before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from backend.data.dataset import Message
from backend.data.mapping.messages import ChatTurn
from backend.data.mapping.values import Unusable, readable
from backend.data.row_errors import RowErrors


@dataclass(slots=True)
class Answer:
    """`input` is "" where the answer follows the result of a tool. `output` None: nobody answered."""

    context: list[Message]
    input: str
    output: str | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)


def answers_of(turns: list[ChatTurn], place: int, notes: RowErrors, last_only: bool = False) -> list[Answer]:
    """The answers of a conversation in their order; without any, its last question as one without an answer. Raises Unusable
    for an order that no chat template can render."""
    system, turns = _system(turns)
    turns = _joined(turns, place, notes)
    if turns and turns[-1].role == "assistant" and turns[-1].empty:
        turns.pop()
    _check_order(turns, len(system))
    for turn in turns:
        readable(turn.content)
    messages = system + [turn.message() for turn in turns]
    replies = [at for at, turn in enumerate(turns) if turn.role == "assistant"]
    learned = [at for at in replies if turns[at].learned]
    if len(learned) < len(replies):
        notes.add("data.turns_weightless", place)
    if turns[-1].role != "assistant" and learned:
        notes.add("data.turns_open", place)
    if not learned:
        return [_unanswered(turns, messages, len(system))]
    if last_only and len(learned) > 1:
        notes.add("data.turns_skipped", place)
        learned = learned[-1:]
    return [_answer(turns, messages, len(system), at) for at in learned]


def conversation_id(turns: list[ChatTurn]) -> str:
    """16 hexadecimal digits that follow from the content of all turns."""
    return blake2b(orjson.dumps([turn.message() for turn in turns]), digest_size=8).hexdigest()


def transcript(turns: list[ChatTurn]) -> str:
    """A conversation as one text, a line per turn with who speaks."""
    lines = [f"{(turn.name or turn.role).capitalize()}: {turn.content}" for turn in turns if turn.content.strip()]
    return readable("\n".join(lines))


def _answer(turns: list[ChatTurn], messages: list[Message], systems: int, at: int) -> Answer:
    turn = turns[at]
    asked = turns[at - 1].role == "user"
    context = messages[: systems + at - (1 if asked else 0)]
    return Answer(context, turns[at - 1].content if asked else "", turn.content, turn.calls)


def _unanswered(turns: list[ChatTurn], messages: list[Message], systems: int) -> Answer:
    asked = [at for at, turn in enumerate(turns) if turn.role == "user"]
    return Answer(messages[: systems + asked[-1]], turns[asked[-1]].content)


def _system(turns: list[ChatTurn]) -> tuple[list[Message], list[ChatTurn]]:
    """(one system message or none, the turns after it)."""
    first = next((at for at, turn in enumerate(turns) if turn.role != "system"), len(turns))
    text = "\n\n".join(turn.content for turn in turns[:first] if turn.content.strip())
    return ([{"role": "system", "content": readable(text)}] if text else []), turns[first:]


def _joined(turns: list[ChatTurn], place: int, notes: RowErrors) -> list[ChatTurn]:
    """Turns of the user that follow each other become one."""
    found: list[ChatTurn] = []
    joined = False
    for turn in turns:
        if turn.role == "user" and found and found[-1].role == "user":
            found[-1] = ChatTurn("user", f"{found[-1].content}\n\n{turn.content}", name=found[-1].name)
            joined = True
        else:
            found.append(turn)
    if joined:
        notes.add("data.turns_joined", place)
    return found


_AFTER = {
    "": ("user",),
    "user": ("assistant",),
    "assistant": ("user",),
    "call": ("tool",),
    "tool": ("tool", "assistant", "user"),
}
"""Which roles may follow which; `call`: an assistant that calls tools."""


def _check_order(turns: list[ChatTurn], systems: int) -> None:
    before = ""
    for number, turn in enumerate(turns, 1 + systems):
        if turn.role not in _AFTER[before]:
            raise Unusable("data.chat_roles", f"{_out_of_turn(turn.role, before)} ({number})")
        if turn.empty and turn.role != "tool":
            raise Unusable("data.chat_roles", f"empty message ({number})")
        before = "call" if turn.calls else turn.role
    if not turns:
        raise Unusable("data.chat_roles", "only a system message" if systems else "empty message (1)")


def _out_of_turn(role: str, before: str) -> str:
    """What is wrong with a message of this role after one of `before`, in words of `backend.core.messages.words`."""
    if role not in ("system", "user", "assistant", "tool"):
        return "unknown role"
    if before == "call":
        return "tool call without a result"
    after = {"tool": "tool result without a call", "system": "system message in the middle"}
    return after.get(role) or (
        "two assistant messages in a row" if before == "assistant" else "assistant message first"
    )
