"""One conversation of a file as turns with the usual roles: OpenAI's messages, ShareGPT, lists of question and answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from backend.data.dataset import Message
from backend.data.mapping.marked import marked_turns
from backend.data.mapping.tools import calls_of
from backend.data.mapping.values import Unusable, as_text, parsed
from backend.data.row_errors import json_type

ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "customer"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt", "ai", "agent"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "tool_response"), "tool"),
    **dict.fromkeys(("function_call", "tool_call"), "call"),
}
"""Names of roles in files -> ours. `call`: a turn of the assistant that is nothing but tool calls, as text."""
_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")


@dataclass(slots=True)
class ChatTurn:
    """`content` is "" where there is none; `learned`: false for an answer of weight 0."""

    role: str
    content: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    learned: bool = True
    call_id: str = ""
    name: str = ""

    @property
    def empty(self) -> bool:
        return not self.content.strip() and not self.calls

    def message(self) -> Message:
        found: Message = {"role": self.role, "content": self.content}
        if self.calls:
            found["tool_calls"] = self.calls
        if self.call_id:
            found["tool_call_id"] = self.call_id
        if self.name:
            found["name"] = self.name
        return found


def turns_of(value: Any) -> list[ChatTurn]:
    """The turns of a list of messages, or of its JSON. Raises Unusable."""
    value = parsed(value)
    if isinstance(value, str):
        value = marked_turns(value) or value
    if isinstance(value, dict):
        value = value.get("messages", value.get("conversations", value))
    if not isinstance(value, list) or not value:
        raise Unusable("data.chat_shape", "empty" if value in (None, [], "") else "not a list")
    return _merged_calls([_turn(item) for item in value])


def pairs_of(value: Any) -> list[ChatTurn]:
    """The turns of a history: a list of [question, answer] pairs, or of messages. Raises Unusable."""
    value = parsed(value)
    if value in (None, "", []):
        return []
    if not isinstance(value, list):
        raise Unusable("data.chat_shape", "not a list")
    if all(isinstance(item, dict) for item in value):
        return turns_of(value)
    found = []
    for item in value:
        if not isinstance(item, list | tuple) or len(item) != 2 or not all(isinstance(text, str) for text in item):
            raise Unusable("data.chat_shape", json_type(item))
        found += [ChatTurn("user", item[0]), ChatTurn("assistant", item[1], learned=False)]
    return found


def role_of(name: str) -> str:
    """Ours for a role's name in a file; an unknown one as it is."""
    plain = name.strip().casefold()
    return ROLES.get(plain, plain)


def content_of(value: Any) -> str:
    """The text of a message: a text, or a list of parts of text with a blank line between them. Raises Unusable for pictures
    and the like, by name."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise Unusable("data.chat_shape", "content")
    return "\n\n".join(_part(part) for part in value)


def told(value: Any, column: str) -> str:
    """A system prompt: its text, or the object of one message."""
    if isinstance(value, dict):
        return content_of(next((value[key] for key in ("content", "parts", "text") if value.get(key)), ""))
    return as_text(value, column)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise Unusable("data.chat_shape", json_type(part))
    kind = part.get("type", "text")
    text = part.get("text", part.get("refusal"))
    if kind not in _TEXT_PARTS:
        raise Unusable("data.chat_parts", kind)
    if not isinstance(text, str):
        raise Unusable("data.chat_shape", "content")
    return text


def _turn(item: Any) -> ChatTurn:
    if not isinstance(item, dict):
        raise Unusable("data.chat_shape", json_type(item))
    name = item.get("role", item.get("from"))
    if not isinstance(name, str):
        raise Unusable("data.chat_shape", "role")
    role = role_of(name)
    content = next((item[key] for key in ("content", "value", "text", "parts") if item.get(key) is not None), None)
    if role == "call":
        return ChatTurn("assistant", "", calls_of(content), call_id="call")
    calls = calls_of(item.get("tool_calls") or item.get("function_call")) if role == "assistant" else []
    if role == "tool" and isinstance(content, dict):
        content = _as_json(content)
    text = "" if content is None and calls else content_of(content)
    return ChatTurn(
        role,
        text,
        calls,
        learned=item.get("weight", 1) not in (0, False),
        call_id=item["tool_call_id"] if isinstance(item.get("tool_call_id"), str) else "",
        name=item["name"] if isinstance(item.get("name"), str) else "",
    )


def _merged_calls(turns: list[ChatTurn]) -> list[ChatTurn]:
    """ShareGPT writes calls as a turn of their own: they join the words of the assistant before them."""
    found: list[ChatTurn] = []
    for turn in turns:
        if turn.call_id == "call" and turn.role == "assistant":
            turn.call_id = ""
            if found and found[-1].role == "assistant" and not found[-1].calls:
                found[-1].calls = turn.calls
                continue
        found.append(turn)
    return found


def _as_json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)
