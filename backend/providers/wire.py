"""One exchange with an endpoint: what is sent, what it refuses to take, and the reply or stream that comes back. No retries,
no budget: they are the engine's (`client`)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from backend.data.dataset import Message
from backend.inference.protocol import Sampling
from backend.providers import bodies, errors
from backend.providers.protocols import EndpointReply, OpenAI
from backend.providers.quirks import NEVER_STREAMS, ONLY_STREAMS, Quirks, quirk_of
from backend.providers.reply_text import ReasoningFilter, cleaned
from backend.providers.streams import deltas, whole_reply

Tell = Callable[[str], None]
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)


class Wire:
    """`address`: where requests go; `body`: fields that are added to each; `timeout` in seconds; `tell` hears, once each,
    what the endpoint does not take."""

    def __init__(
        self,
        client: httpx.Client,
        protocol: OpenAI,
        address: str,
        model: str,
        body: dict[str, Any],
        timeout: float,
        quirks: Quirks,
        tell: Tell,
    ) -> None:
        self.client, self.protocol, self.quirks = client, protocol, quirks
        self._address, self._model, self._extra, self._timeout, self._tell = address, model, body, timeout, tell

    def body(
        self, prompt: Sequence[Message], sampling: Sampling, extra: dict[str, Any] | None = None, stream: bool = False
    ) -> dict[str, Any]:
        """What is sent, without what the endpoint is known not to take."""
        return self._body(prompt, sampling, self.quirks.names, extra or {}, stream)

    def send(
        self, prompt: Sequence[Message], sampling: Sampling, extra: dict[str, Any] | None = None
    ) -> httpx.Response:
        """A reply of good status, its body read. Sent again when it is refused for a parameter that can be left out or
        renamed. Raises RetryableError, FinalError and what httpx raises."""
        known = set(self.quirks.names)
        while True:
            body = self._body(prompt, sampling, known, extra or {}, ONLY_STREAMS in known)
            reply = bodies.post(self.client, self._address, body, self._timeout)
            if (name := quirk_of(reply.status_code, reply.text[:4000], body, known)) is None:
                break
            known.add(name)
        errors.check_status(reply)
        self.learn(known)
        return reply

    def read(self, reply: httpx.Response) -> EndpointReply:
        """What a reply says, also where it is a stream that nobody asked for. Raises RetryableError when it is none."""
        if _is_stream(reply.headers.get("Content-Type", ""), reply.content):
            return whole_reply(deltas([reply.content], self.protocol, reply.status_code))
        try:
            return self.protocol.read(json.loads(reply.content))
        except _UNREADABLE:
            raise errors.invalid_response(reply) from None

    def open(self, prompt: Sequence[Message], sampling: Sampling) -> OpenStream:
        """A stream of good status; raises as `send` does. An endpoint that does not stream gives its whole answer at once."""
        known = set(self.quirks.names)
        while NEVER_STREAMS not in known:
            body = self._body(prompt, sampling, known, {}, stream=True)
            reply = self.client.send(self.client.build_request("POST", self._address, json=body), stream=True)
            if reply.status_code < 300:
                self.learn(known)
                return OpenStream(reply, self)
            refusal = _closed(reply, self._timeout)
            if (name := quirk_of(refusal.status_code, refusal.text[:4000], body, known)) is None:
                errors.check_status(refusal)
            else:
                known.add(name)
        self.learn(known)
        return OpenStream(self.send(prompt, sampling), self)

    def _body(
        self,
        prompt: Sequence[Message],
        sampling: Sampling,
        known: set[str] | frozenset[str],
        extra: dict[str, Any],
        stream: bool,
    ) -> dict[str, Any]:
        added = extra | (self.protocol.stream_params() if stream else {})
        left_out = {*known, *(["top_logprobs"] if "logprobs" in known else [])}
        added = {name: value for name, value in added.items() if name not in left_out}
        body = self.protocol.body(self._model, prompt, sampling, known)
        return dict(cleaned(body | self._extra | added))

    def learn(self, known: set[str]) -> None:
        """Remember quirks of the endpoint and say those that are new."""
        for name in self.quirks.add(known):
            words = {
                "max_tokens": "wants `max_completion_tokens` in place of `max_tokens`",
                ONLY_STREAMS: "only streams: whole answers are put together from streams",
                NEVER_STREAMS: "does not stream: answers come whole",
            }
            said = words.get(name, f"does not take `{name}`: it is left out from now on")
            self._tell(f"{self._model} at {self._address} {said}.")


class OpenStream:
    """An open reply to a request for a stream. Close it."""

    def __init__(self, reply: httpx.Response, wire: Wire) -> None:
        self._reply, self._wire = reply, wire

    def pieces(self) -> Iterator[str]:
        """The answer as it comes, without its reasoning; in one piece where the endpoint sent it whole. Raises RetryableError
        when it is none or breaks off, FinalError when it is too large, and what httpx raises."""
        if self._reply.is_closed:
            yield from _text(self._wire.read(self._reply))
            return
        parts = bodies.bounded(self._reply)
        first = next((part for part in parts if part.strip()), b"")
        if not _is_stream(self._reply.headers.get("Content-Type", ""), first):
            content = b"".join([first, *parts])
            whole = httpx.Response(self._reply.status_code, content=content, request=self._reply.request)
            answer = self._wire.read(whole)
            self._wire.learn({NEVER_STREAMS})
            yield from _text(answer)
            return
        shown = ReasoningFilter()
        for delta in deltas(_chain(first, parts), self._wire.protocol, self._reply.status_code):
            yield from shown.feed(delta.text)
        yield from shown.rest()

    def close(self) -> None:
        self._reply.close()


def _text(reply: EndpointReply) -> Iterator[str]:
    if reply.text:
        yield reply.text


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _is_stream(kind: str, content: bytes) -> bool:
    """By what it says of itself, or by how it begins where it says something else."""
    return "text/event-stream" in kind.lower() or content.lstrip()[:6].lower().startswith((b"data:", b"event:", b": "))


def _closed(reply: httpx.Response, seconds: float) -> httpx.Response:
    try:
        return bodies.whole(reply, seconds)
    finally:
        reply.close()
