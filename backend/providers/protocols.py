"""What goes over the wire to an endpoint, by protocol: OpenAI's chat completions, the same as Azure wants it, Anthropic's
messages. Pure: nothing here sends anything.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from backend.core.endpoints import ApiProtocol
from backend.data.dataset import Message, call_arguments, message_text, offered_tools
from backend.inference.protocol import Sampling
from backend.providers.budget import Usage
from backend.providers.reply_text import clean, content_texts, separate_reasoning, split_reasoning

ANTHROPIC_VERSION = "2023-06-01"
TOP_LOGPROBS = 5
"""Likeliest tokens that a trial asks for: more are refused by some services."""

FinishReason = Literal["", "stop", "length", "content_filter", "tool_calls"]
"""Why a reply ended: at its end, at the longest answer or the context, by a filter or because the model declined, with calls
of tools; "" where nobody says."""
_FINISH_REASONS: dict[str, FinishReason] = {
    **dict.fromkeys(("stop", "end_turn", "stop_sequence", "eos", "eos_token", "completed"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "model_length", "model_context_window_exceeded"), "length"),
    **dict.fromkeys(("content_filter", "refusal", "safety", "sensitive"), "content_filter"),
    **dict.fromkeys(("tool_calls", "tool_use", "function_call"), "tool_calls"),
}
"""The words of services for it; those that are not there count as said by nobody."""


@dataclass(frozen=True)
class EndpointReply:
    """What came back: the text ("" for none) without its reasoning, what it cost in tokens where the endpoint counts, whether
    log-probabilities came with it, whether it was cut off before its end, why this prompt alone was refused ("" when it was
    not: by the endpoint, its filter, or the model in a field of its own), the reasoning ("" for none), and why it ended."""

    text: str
    usage: Usage | None
    logprobs: bool = False
    truncated: bool = False
    refused: str = ""
    reasoning: str = ""
    finish_reason: FinishReason = ""


class Delta(NamedTuple):
    """What one event of a stream adds; `finish` in the service's word; `calls`: pieces of calls of tools."""

    text: str = ""
    reasoning: str = ""
    finish: str = ""
    usage: Usage | None = None
    calls: Sequence[dict[str, Any]] = ()


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

    def body(
        self, model: str, messages: Sequence[Message], sampling: Sampling, refused: Collection[str]
    ) -> dict[str, Any]:
        """`refused`: parameters that this endpoint has said it doesn't take."""
        length = "max_completion_tokens" if "max_tokens" in refused else "max_tokens"
        turns = [_turn(message) for message in messages]
        body: dict[str, Any] = {"model": model, "messages": turns, length: sampling.max_new_tokens}
        if tools := offered_tools(list(messages)):
            body["tools"] = tools
        sampled = {"top_p": sampling.top_p, "seed": sampling.seed} if sampling.temperature > 0 else {}
        wanted = {"temperature": sampling.temperature, **sampled}
        return body | {name: value for name, value in wanted.items() if name not in refused}

    def stream_params(self) -> dict[str, Any]:
        """What to add to a body for a stream that tells its tokens."""
        return {"stream": True, "stream_options": {"include_usage": True}}

    def logprobs_params(self) -> dict[str, Any]:
        """What to add to a body to be given log-probabilities; {} when the protocol has none."""
        return {"logprobs": True, "top_logprobs": TOP_LOGPROBS}

    def read(self, content: Any) -> EndpointReply:
        """Raises KeyError, IndexError, TypeError or AttributeError for anything that is no reply of this protocol."""
        choice = content["choices"][0]
        if isinstance(choice.get("error"), dict):
            raise KeyError("error")
        said = choice["message"]
        words, thoughts = content_texts(said.get("content"))
        words, inside = split_reasoning(words)
        text = message_text(
            {"content": words, "tool_calls": said.get("tool_calls")}
        )  # calls become JSON, as in `answer_of`
        given = choice.get("logprobs")
        return reply_of(
            text.strip(),
            choice.get("finish_reason"),
            usage=_usage(content.get("usage"), "prompt_tokens", "completion_tokens"),
            reasoning=separate_reasoning(said) or thoughts or inside,
            logprobs=bool(given and given.get("content")),
            declined=said.get("refusal"),
        )

    def delta(self, event: Any) -> Delta:
        """One event of a stream; raises as `read` does."""
        usage = _usage(event.get("usage"), "prompt_tokens", "completion_tokens")
        if not event["choices"]:
            return Delta(usage=usage)
        choice = event["choices"][0]
        said = choice.get("delta") or {}
        text, thoughts = content_texts(said.get("content"))
        calls = said.get("tool_calls") or []
        return Delta(text, separate_reasoning(said) or thoughts, choice.get("finish_reason") or "", usage, calls)

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

    def body(
        self, model: str, messages: Sequence[Message], sampling: Sampling, refused: Collection[str]
    ) -> dict[str, Any]:
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        turns = [message for message in messages if message["role"] != "system"]
        body: dict[str, Any] = {"model": model, "messages": turns, "max_tokens": sampling.max_new_tokens}
        if "temperature" not in refused:
            body["temperature"] = min(1.0, sampling.temperature)  # the protocol goes up to 1
        return body | ({"system": system} if system else {})

    def stream_params(self) -> dict[str, Any]:
        return {"stream": True}

    def logprobs_params(self) -> dict[str, Any]:
        return {}

    def read(self, content: Any) -> EndpointReply:
        words, thoughts = content_texts(content["content"])
        text, inside = split_reasoning(words)
        usage = _usage(content.get("usage"), "input_tokens", "output_tokens")
        return reply_of(text, content.get("stop_reason"), usage=usage, reasoning=thoughts or inside)

    def delta(self, event: Any) -> Delta:
        kind, change = event["type"], event.get("delta") or {}
        if kind == "content_block_delta":
            return Delta(change.get("text") or "", change.get("thinking") or "")
        usage = _usage(event.get("usage"), "input_tokens", "output_tokens")
        return Delta(finish=change.get("stop_reason") or "", usage=usage) if kind == "message_delta" else Delta()

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


def reply_of(
    text: str,
    ended: Any,
    usage: Usage | None = None,
    reasoning: str = "",
    logprobs: bool = False,
    declined: Any = None,
) -> EndpointReply:
    """A reply from its parts. `ended`: why, in the service's word; `declined`: why the model would not answer, if it says so
    in a field of its own."""
    finish = _FINISH_REASONS.get(ended, "") if isinstance(ended, str) else ""
    refused = ""
    if not text:
        refused = clean(declined) if isinstance(declined, str) and declined else ""
        refused = refused or ("the endpoint's filter kept the answer back" if finish == "content_filter" else "")
    truncated = finish in ("length", "content_filter")
    return EndpointReply(clean(text), usage, logprobs, truncated, refused, clean(reasoning.strip()), finish)


def _usage(content: Any, prompt: str, completion: str) -> Usage | None:
    if not isinstance(content, dict):
        return None
    read, written = content.get(prompt), content.get(completion)
    if not (isinstance(read, int) and isinstance(written, int)):
        return None
    return Usage(max(0, read), max(0, written))
