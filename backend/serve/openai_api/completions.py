"""`POST /v1/chat/completions`, streamed or whole: the one place where OpenAI's format of answers is written."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Protocol
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from backend.serve import web
from backend.serve.engine_client import Event
from backend.serve.openai_api import errors
from backend.serve.openai_api.middleware import json_body
from backend.serve.openai_api.protocol import ChatRequest, parse


class ChatBackend(Protocol):
    """Where requests go. `limit`: bytes of a body."""

    limit: int

    def events(self, asked: ChatRequest) -> AsyncGenerator[Event]:
        """What happens to a request. Raises StudioError when it can't be taken."""


class Completions:
    """The route, as an ASGI application: who leaves ends the answer."""

    def __init__(self, backend: ChatBackend) -> None:
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            await self._complete(scope, receive, send)

    async def _complete(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse(await json_body(scope, receive, self._backend.limit))
        async with aclosing(self._backend.events(asked)) as events:
            response = await web.unless_gone(receive, self._answer(asked, events))
            if response is not None:
                await response(scope, receive, send)

    async def _answer(self, asked: ChatRequest, events: AsyncGenerator[Event]) -> Response:
        """Waits until the model has taken the request, so that a refusal has its own status."""
        accepted = await anext(events)
        while accepted.name == "idle":
            accepted = await anext(events)
        if accepted.error:
            raise accepted.error
        head = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": asked.model}
        if not asked.stream:
            return await whole(asked, head, accepted.tokens, events)
        chunks = streamed(asked, head, accepted.tokens, events)
        return StreamingResponse(chunks, media_type="text/event-stream", headers={"cache-control": "no-cache"})


async def whole(asked: ChatRequest, head: dict[str, Any], prompt: int, events: AsyncIterator[Event]) -> Response:
    """OpenAI's completion. Raises StudioError when the model fails."""
    texts: list[str] = []
    entries: list[Any] = []
    async for event in events:
        if event.error:
            raise event.error
        texts.append(event.text)
        entries += event.entries
        if event.last:
            break
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "".join(texts), "refusal": None},
        "logprobs": _logprobs(asked, entries),
        "finish_reason": event.finish,
    }
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice], **_figures(prompt, event)})


async def streamed(
    asked: ChatRequest, head: dict[str, Any], prompt: int, events: AsyncGenerator[Event]
) -> AsyncGenerator[str]:
    """OpenAI's chunks as server-sent events, `[DONE]` at the end; a failure is an event with `error`. A comment while nothing
    is said."""
    head = {**head, "object": "chat.completion.chunk"}
    count = asked.stream_options.include_usage
    if count:
        head["usage"] = None

    def chunk(delta: dict[str, Any], finish: str | None = None, entries: tuple[Any, ...] = ()) -> str:
        logprobs = _logprobs(asked, list(entries)) if entries else None
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return web.event({**head, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    async for event in events:
        if event.name == "idle":
            yield ": waiting\n\n"
        elif event.error:
            yield web.event(errors.fault(event.error)[1])
        elif event.name == "text":
            yield chunk({"content": event.text}, entries=event.entries)
        elif event.name == "end":
            yield chunk({}, event.finish)
            if count:
                yield web.event({**head, "choices": [], **_figures(prompt, event)})
            yield "data: [DONE]\n\n"


def _figures(prompt: int, end: Event) -> dict[str, Any]:
    """`usage` as OpenAI counts; `timings`, which OpenAI has not: see `backend.serve.engine_process.timings`."""
    usage = {"prompt_tokens": prompt, "completion_tokens": end.tokens, "total_tokens": prompt + end.tokens}
    return {"usage": usage, "timings": end.timings}


def _logprobs(asked: ChatRequest, entries: list[Any]) -> dict[str, Any] | None:
    return {"content": entries, "refusal": None} if asked.logprobs else None
