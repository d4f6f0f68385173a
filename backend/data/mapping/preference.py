"""Rows of preferences: the better answer is learned, the worse one is kept beside it and never learned."""

from __future__ import annotations

import re
from typing import Any

from backend.data.examples import Example
from backend.data.mapping.chat import completion_turns, from_turns, with_system
from backend.data.mapping.messages import ChatTurn, turns_of
from backend.data.mapping.setup import Make, Setup
from backend.data.mapping.values import Unusable, as_text, parsed, readable, value_of
from backend.data.row_errors import Record

_GOOD = frozenset(("true", "1", "1.0", "yes", "sí", "good", "desirable", "like", "liked", "up", "👍"))
_NOT_GOOD = frozenset(("false", "0", "0.0", "no", "bad", "undesirable", "dislike", "disliked", "down", "👎"))
_MARKS = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")


def preference(setup: Setup) -> Make:
    """Chosen and rejected: texts, messages, or dialogues with “Human:” and “Assistant:”. The prompt has a column, or is what
    both begin with."""

    def make(record: Record) -> list[Example]:
        values = record.values
        chosen = _turns(value_of(values, setup.roles.output or setup.roles.messages))
        rejected = _turns(value_of(values, setup.roles.rejected))
        prompt, chosen, rejected = _divided(_prompt(setup, values), chosen, rejected)
        for turn in prompt:
            turn.learned = False
        if len(chosen) != 1 or len(rejected) != 1 or chosen[0].role != "assistant":
            raise Unusable("data.preference_shape", f"{len(chosen)} / {len(rejected)}")
        if rejected[0].calls:
            raise Unusable("data.preference_shape", "tool_calls")
        found = from_turns(setup, record.place, with_system(setup, prompt + chosen, values), values)
        found[-1].rejected = readable(rejected[0].content)
        return found

    return make


def kto(setup: Setup) -> Make:
    """Prompt, completion and whether it is a good one. One that is not has no answer to learn."""
    flag = setup.roles.desired

    def make(record: Record) -> list[Example]:
        values = record.values
        good = _is_good(as_text(value_of(values, flag), flag))
        prompt = _prompt(setup, values)
        for turn in prompt:
            turn.learned = False
        answer = completion_turns(value_of(values, setup.roles.output))
        found = from_turns(setup, record.place, with_system(setup, prompt + answer, values), values)
        if not good:
            setup.notes.add("data.rejected_only", record.place)
            found[-1].rejected, found[-1].output = found[-1].output, None
        return found

    return make


def _is_good(text: str) -> bool:
    """Whether an answer is a good one. Raises Unusable for a word that does not say."""
    word = text.strip().casefold()
    if word not in _GOOD | _NOT_GOOD:
        raise Unusable("data.verdict_unknown", text)
    return word in _GOOD


def _prompt(setup: Setup, values: dict[str, Any]) -> list[ChatTurn]:
    column = (setup.roles.messages if setup.roles.output else "") or "".join(setup.roles.input[:1])
    if not column:
        return []
    value = parsed(value_of(values, column))
    if isinstance(value, list | dict):
        return turns_of(value)
    return [ChatTurn("user", setup.asked(values))]


def _turns(value: Any) -> list[ChatTurn]:
    """The turns of one side: of a dialogue in a text those that its marks name."""
    if isinstance(value, str) and value.lstrip().startswith(("Human:", "Assistant:")):
        return _dialogue(value)
    if value in (None, "", []):
        raise Unusable("data.preference_shape", "empty")
    return completion_turns(value)


def _dialogue(text: str) -> list[ChatTurn]:
    parts = _MARKS.split(text)
    roles = {"Human": "user", "Assistant": "assistant"}
    return [ChatTurn(roles[name], said.strip()) for name, said in zip(parts[1::2], parts[2::2], strict=True)]


def _divided(
    prompt: list[ChatTurn], chosen: list[ChatTurn], rejected: list[ChatTurn]
) -> tuple[list[ChatTurn], list[ChatTurn], list[ChatTurn]]:
    """What both sides begin with belongs to the prompt, and stands in it once."""
    same = 0
    while same < min(len(chosen), len(rejected)) - 1 and _equal(chosen[same], rejected[same]):
        same += 1
    shared = chosen[:same]
    if shared and prompt and _equal(shared[-1], prompt[-1]):
        prompt = []
    return prompt + shared, chosen[same:], rejected[same:]


def _equal(one: ChatTurn, other: ChatTurn) -> bool:
    return (one.role, one.content, one.calls) == (other.role, other.content, other.calls)
