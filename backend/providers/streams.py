"""Server-sent events: the pieces of a stream, and a whole reply from them where an endpoint gives streams only."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

from backend.data.dataset import message_text
from backend.providers.errors import Raw, RetryableError, holds_error, told_error
from backend.providers.protocols import Delta, EndpointReply, OpenAI, reply_of
from backend.providers.reply_text import split_reasoning


def deltas(parts: Iterable[bytes], protocol: OpenAI, status: int = 200) -> Iterator[Delta]:
    """The events of a body. Raises RetryableError when it holds an error or something else, or ends before the reply does:
    without the protocol's last event and without a reason why it ended."""
    finished = False
    for line in _lines(parts):
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if protocol.is_done(data):
            return
        try:
            event = json.loads(data)
            if holds_error(event):
                raise RetryableError("answers.endpoint_error", status=status, reason=told_error(event))
            found = protocol.delta(event)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
            raise RetryableError("chat.endpoint_garbage", status=status, reason=Raw(data)) from None
        finished = finished or bool(found.finish)
        yield found
    if not finished:
        raise RetryableError("chat.endpoint_broken", reason="the stream ended early")


def whole_reply(found: Iterable[Delta]) -> EndpointReply:
    """What the events say together."""
    text, reasoning, finish, usage = "", "", "", None
    calls: dict[int, dict[str, Any]] = {}
    for delta in found:
        text, reasoning = text + delta.text, reasoning + delta.reasoning
        finish, usage = delta.finish or finish, delta.usage or usage
        for piece in delta.calls:
            _add_call(calls, piece)
    words, inside = split_reasoning(text)
    answer = message_text({"content": words, "tool_calls": [calls[at] for at in sorted(calls)] or None})
    return reply_of(answer.strip(), finish, usage=usage, reasoning=reasoning or inside)


def _add_call(calls: dict[int, dict[str, Any]], piece: dict[str, Any]) -> None:
    """The name comes whole, the arguments in pieces."""
    held = calls.setdefault(piece.get("index") or 0, {"type": "function", "function": {"name": "", "arguments": ""}})
    for name, value in (piece.get("function") or {}).items():
        if isinstance(value, str) and name in held["function"]:
            held["function"][name] += value


def _lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Lines of a body, whichever way they end and wherever it was cut into parts."""
    decoder, held = codecs.getincrementaldecoder("utf-8")("replace"), ""
    for part in parts:
        *lines, held = (held + decoder.decode(part)).replace("\r\n", "\n").split("\n")
        yield from lines
    if held:
        yield held
