"""The HTTP side of `slmops serve`: OpenAI's `/v1/chat/completions` and `/v1/models`, `/health` and Prometheus' `/metrics`."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psutil
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.serve import web
from backend.serve.openai_api import errors
from backend.serve.openai_api.engine_client import Answerer, Event
from backend.serve.openai_api.metrics import CONTENT_TYPE, Metrics
from backend.serve.openai_api.middleware import Gate, json_body
from backend.serve.openai_api.protocol import Asked, parse


@dataclass
class Service:
    """What the routes share. `views`: the model, then the adapters that are attached to it; `room`: requests that may be
    open at a time; `limit`: bytes of a body."""

    views: list[ArtifactView]
    answerer: Answerer
    room: int
    limit: int
    created: int = field(default_factory=lambda: int(time.time()))
    metrics: Metrics = field(default_factory=Metrics)
    open: int = 0
    stopping: bool = False

    def find(self, name: str) -> ArtifactView:
        """What an id or a name asks for. Raises StudioError when it is not served."""
        for view in self.views:
            if name in (view.id, view.name):
                return view
        served = ", ".join(view.name for view in self.views)
        raise StudioError("api.model", model=name[:100], served=served, field="model")

    def memory(self) -> dict[str, int]:
        own = int(psutil.Process(os.getpid()).memory_info().rss)
        return {"server": own, "model": self.answerer.line.memory_bytes}

    async def events(self, asked: Asked) -> AsyncGenerator[Event]:
        """What happens to a request, counted and timed. Raises StudioError when it can't be taken now, or asks for another
        model."""
        order = asked.order() | {"view": self.find(asked.model).id}
        if self.stopping:
            raise StudioError("api.stopping")
        if self.open >= self.room:
            raise StudioError("api.full", count=self.open)
        meter = _Meter(self.metrics)
        self.open += 1
        try:
            async with aclosing(self.answerer.line.events(order)) as events:
                async for event in events:
                    meter.see(event)
                    yield event
        except StudioError:
            meter.ended = True
            raise
        finally:
            self.open -= 1
            meter.close()


class _Meter:
    """Follows one request for the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._begun = time.perf_counter()
        self._tokens = 0
        self.ended = self._running = False
        metrics.waiting += 1

    def see(self, event: Event) -> None:
        metrics, now = self._metrics, time.perf_counter() - self._begun
        if event.name == "taken":
            metrics.prompt_tokens += event.tokens
        elif event.name in ("say", "end"):
            metrics.completion_tokens += event.tokens - self._tokens
            self._tokens = event.tokens
            if not self._running:
                metrics.first_token.add(now)
                self._running = True
                metrics.waiting -= 1
                metrics.running += 1
        if event.last:
            self.ended = True
        if event.name == "end":
            metrics.whole.add(now)

    def close(self) -> None:
        self._metrics.left += not self.ended
        self._metrics.running -= self._running
        self._metrics.waiting -= not self._running


class Completions:
    """`POST /v1/chat/completions`, streamed or whole."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientDisconnect):
            await self._complete(scope, receive, send)

    async def _complete(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse(await json_body(scope, receive, self._service.limit))
        async with aclosing(self._service.events(asked)) as events:
            response = await web.unless_gone(receive, self._answer(asked, events))
            if response is not None:
                await response(scope, receive, send)

    async def _answer(self, asked: Asked, events: AsyncGenerator[Event]) -> Response:
        """Waits until the model has taken the request, so that a refusal has its own status."""
        taken = await anext(events)
        while taken.name == "silent":
            taken = await anext(events)
        if taken.error:
            raise taken.error
        head = {"id": f"chatcmpl-{uuid4().hex}", "created": int(time.time()), "model": asked.model}
        if not asked.stream:
            return await whole(asked, head, taken.tokens, events)
        chunks = streamed(asked, head, taken.tokens, events)
        return StreamingResponse(chunks, media_type="text/event-stream", headers={"cache-control": "no-cache"})


async def whole(asked: Asked, head: dict[str, Any], prompt: int, events: AsyncIterator[Event]) -> Response:
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
    usage = _usage(prompt, event.tokens)
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


async def streamed(
    asked: Asked, head: dict[str, Any], prompt: int, events: AsyncGenerator[Event]
) -> AsyncGenerator[str]:
    """OpenAI's chunks as server-sent events, `[DONE]` at the end; a failure is an event with `error`."""
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
        if event.name == "silent":
            yield ": waiting\n\n"
        elif event.error:
            yield web.event(errors.fault(event.error)[1])
        elif event.name == "say":
            yield chunk({"content": event.text}, entries=event.entries)
        elif event.name == "end":
            yield chunk({}, event.finish)
            if count:
                yield web.event({**head, "choices": [], "usage": _usage(prompt, event.tokens)})
            yield "data: [DONE]\n\n"


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _logprobs(asked: Asked, entries: list[Any]) -> dict[str, Any] | None:
    return {"content": entries, "refusal": None} if asked.logprobs else None


def application(service: Service, key: str | None, local: bool) -> ASGIApp:
    def card(view: ArtifactView) -> dict[str, Any]:
        return {"id": view.name, "object": "model", "created": service.created, "owned_by": "slmops"}

    async def health(_request: Request) -> JSONResponse:
        ready = service.answerer.ready and not service.stopping
        return JSONResponse({"status": "ok" if ready else "unavailable"}, 200 if ready else 503)

    async def models(_request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [card(view) for view in service.views]})

    async def model(request: Request) -> JSONResponse:
        return JSONResponse(card(service.find(request.path_params["name"])))

    async def metrics(_request: Request) -> Response:
        text = service.metrics.text(service.answerer.restarts, service.answerer.ready, service.memory())
        return PlainTextResponse(text, headers={"content-type": CONTENT_TYPE})

    async def lost(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path[:100]
        if error.status_code == 405:
            return errors.response(StudioError("api.method", path=path, method=request.method))
        return errors.response(StudioError("api.path", path=path))

    async def refuse(_request: Request, error: Exception) -> Response:
        assert isinstance(error, StudioError)
        return errors.response(error)

    async def broken(_request: Request, error: Exception) -> Response:
        """The gate logs it."""
        return errors.response(StudioError("core.unexpected", reason=type(error).__name__))

    routes = [
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", model),
        Route("/v1/chat/completions", Completions(service), methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {HTTPException: lost, StudioError: refuse, Exception: broken}
    app = Starlette(routes=routes, exception_handlers=handlers)
    return Gate(app, key, local, lambda status: service.metrics.answers.update([status]))


def counters(service: Service) -> dict[str, Any]:
    """What the studio shows of a server while it runs."""
    metrics = service.metrics
    return {
        "waiting": metrics.waiting,
        "running": metrics.running,
        "answered": sum(metrics.whole.counts),
        "refused": sum(count for status, count in metrics.answers.items() if status >= 400),
        "prompt_tokens": metrics.prompt_tokens,
        "completion_tokens": metrics.completion_tokens,
        "memory_bytes": sum(service.memory().values()),
        "restarts": service.answerer.restarts,
        "ready": service.answerer.ready,
    }
