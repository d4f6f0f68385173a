"""What goes over the wire to an endpoint, by protocol: OpenAI's chat completions, the same as Azure wants it, Anthropic's
messages. Pure: nothing here sends anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from backend.core.endpoints import ApiProtocol
from backend.data.dataset import Message, call_arguments, message_text, offered_tools
from backend.inference.protocol import Sampling
from backend.providers.budget import Usage
from backend.providers.errors import RetryableError

ANTHROPIC_VERSION = "2023-06-01"
TOP_LOGPROBS = 5
"""Likeliest tokens that a trial asks for: more are refused by some services."""

_TRUNCATED_REASONS = ("length", "content_filter", "max_tokens", "model_context_window_exceeded", "refusal")
"""Why a reply ended before its end, in the words of the protocols."""


@dataclass(frozen=True)
class EndpointReply:
    """What came back: the text ("" for none), what it cost in tokens where the endpoint counts, whether log-probabilities
    came with it, whether it was cut off before its end, and why this prompt alone was refused ("" when it was not)."""

    text: str
    usage: Usage | None
    logprobs: bool = False
    truncated: bool = False
    refused: str = ""


class OpenAI:
    """`POST <base>/chat/completions` with a bearer token."""

    path = "/chat/completions"
    sends_tools = True

    def address(self, base: str, api_version: str) -> str:
        base = base.rstrip("/")
        whole = base if base.endswith(self.path) else f"{base}{self.path}"
        return f"{whole}?api-version={api_version}" if api_version else whole

    def headers(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"} if key else {}

    def body(self, model: str, messages: Sequence[Message], sampling: Sampling, refused: set[str]) -> dict[str, Any]:
        """`refused`: parameters that this endpoint has said it doesn't take."""
        length = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
        turns = [_turn(message) for message in messages]
        body: dict[str, Any] = {"model": model, "messages": turns, length: sampling.max_new_tokens}
        if tools := offered_tools(list(messages)):
            body["tools"] = tools
        if "temperature" not in refused:
            body["temperature"] = sampling.temperature
        return body | ({"top_p": sampling.top_p, "seed": sampling.seed} if sampling.temperature > 0 else {})

    def logprobs_params(self) -> dict[str, Any]:
        """What to add to a body to be given log-probabilities; {} when the protocol has none."""
        return {"logprobs": True, "top_logprobs": TOP_LOGPROBS}

    def read(self, content: Any) -> EndpointReply:
        """Raises KeyError, IndexError, TypeError or AttributeError for anything that is no reply of this protocol."""
        choice = content["choices"][0]
        said = choice["message"]
        words = said.get("content")
        calls = said.get("tool_calls")  # become JSON, as `answer_of` has them
        text = message_text({"content": words if isinstance(words, str) else "", "tool_calls": calls})
        given = choice.get("logprobs")
        usage = _usage(content.get("usage"), "prompt_tokens", "completion_tokens")
        return EndpointReply(
            text.strip(), usage, bool(given and given.get("content")), choice.get("finish_reason") in _TRUNCATED_REASONS
        )

    def delta(self, event: Any) -> str:
        """The text of one event of a stream; raises as `read` does."""
        choices = event["choices"]
        return (choices[0]["delta"].get("content") if choices else "") or ""

    def is_done(self, data: str) -> bool:
        return data == "[DONE]"


class Azure(OpenAI):
    """The same with the header `api-key`; the version, where one is needed, stands in the address."""

    def headers(self, key: str) -> dict[str, str]:
        return {"api-key": key} if key else {}


class Anthropic(OpenAI):
    """`POST <base>/messages`: the system prompt stands apart, and an answer is a list of blocks."""

    path = "/messages"
    sends_tools = False

    def headers(self, key: str) -> dict[str, str]:
        return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": key} if key else {})

    def body(self, model: str, messages: Sequence[Message], sampling: Sampling, refused: set[str]) -> dict[str, Any]:
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        turns = [message for message in messages if message["role"] != "system"]
        body: dict[str, Any] = {"model": model, "messages": turns, "max_tokens": sampling.max_new_tokens}
        if "temperature" not in refused:
            body["temperature"] = min(1.0, sampling.temperature)  # the protocol goes up to 1
        return body | ({"system": system} if system else {})

    def logprobs_params(self) -> dict[str, Any]:
        return {}

    def read(self, content: Any) -> EndpointReply:
        text = "".join(block["text"] for block in content["content"] if block["type"] == "text")
        usage = _usage(content.get("usage"), "input_tokens", "output_tokens")
        return EndpointReply(text.strip(), usage, truncated=content.get("stop_reason") in _TRUNCATED_REASONS)

    def delta(self, event: Any) -> str:
        kind = event["type"]
        return (event["delta"].get("text") if kind == "content_block_delta" else "") or ""

    def is_done(self, data: str) -> bool:
        return '"message_stop"' in data


def _turn(message: Message) -> Message:
    """A turn as OpenAI takes it: the arguments of calls as text."""
    turn = {key: value for key, value in message.items() if key != "tools"}
    if calls := turn.get("tool_calls"):
        functions = [{**call["function"], "arguments": json.dumps(call_arguments(call["function"]))} for call in calls]
        turn["tool_calls"] = [{**call, "function": one} for call, one in zip(calls, functions, strict=True)]
    return turn


PROTOCOLS: dict[ApiProtocol, OpenAI] = {"openai": OpenAI(), "azure": Azure(), "anthropic": Anthropic()}


def unsupported_parameter(words: str, refused: set[str]) -> str | None:
    """The parameter that a refusal (HTTP 400) names and that can be left out or renamed; None when there is none."""
    for name, sign in (("max_tokens", "max_completion_tokens"), ("temperature", "temperature")):
        if sign in words and "upported" in words and name not in refused:
            return name
    return None


def stream_text(reply: httpx.Response, protocol: OpenAI) -> Iterator[str]:
    """The pieces of an open stream. Raises Retry when it holds something else or ends early."""
    for line in reply.iter_lines():
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if protocol.is_done(data):
            return
        try:
            text = protocol.delta(json.loads(data))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise RetryableError("chat.endpoint_garbage", status=reply.status_code, reason=data) from None
        if text:
            yield text
    raise RetryableError("chat.endpoint_broken", reason="the stream ended early")


def _usage(content: Any, prompt: str, completion: str) -> Usage | None:
    if not isinstance(content, dict):
        return None
    read, written = content.get(prompt), content.get(completion)
    if not (isinstance(read, int) and isinstance(written, int)):
        return None
    return Usage(max(0, read), max(0, written))
