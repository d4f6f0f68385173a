"""The HTTP side of `slmops serve`: OpenAI's `/v1/chat/completions` and `/v1/models`, `/health` and Prometheus' `/metrics`."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import psutil
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.serve.engine_client import EngineSupervisor, Event
from backend.serve.openai_api import errors
from backend.serve.openai_api.completions import Completions
from backend.serve.openai_api.metrics import CONTENT_TYPE, Metrics
from backend.serve.openai_api.middleware import AccessMiddleware
from backend.serve.openai_api.protocol import ChatRequest

IDLE_SECONDS = 5.0
"""Seconds after which a silent answer says that it is still there."""


@dataclass
class Service:
    """What the routes share. `views`: the model, then the adapters that are attached to it; `max_open`: requests
    that may be open at a time; `limit`: bytes of a body."""

    views: list[ArtifactView]
    engine: EngineSupervisor
    max_open: int
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
        return {"server": own, "model": self.engine.client.memory_bytes}

    async def events(self, asked: ChatRequest) -> AsyncGenerator[Event]:
        """What happens to a request, counted and timed. Raises StudioError when it can't be taken now, or asks for another
        model."""
        order = asked.order() | {"view": self.find(asked.model).id}
        if self.stopping:
            raise StudioError("api.stopping")
        if self.open >= self.max_open:
            raise StudioError("api.full", count=self.open)
        if not self.engine.ready:
            raise StudioError("api.restarting")
        recorder = _RequestRecorder(self.metrics)
        self.open += 1
        try:
            async with aclosing(self.engine.client.events(order, IDLE_SECONDS)) as events:
                async for event in events:
                    recorder.see(event)
                    # Why the process ended is for the log.
                    yield Event("fail", error=StudioError("api.broken")) if event.name == "lost" else event
        finally:
            self.open -= 1
            recorder.close()


class _RequestRecorder:
    """Follows one request for the metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._begun = time.perf_counter()
        self._tokens = 0
        self.ended = self._running = False
        metrics.waiting += 1

    def see(self, event: Event) -> None:
        metrics, now = self._metrics, time.perf_counter() - self._begun
        if event.name == "accepted":
            metrics.prompt_tokens += event.tokens
        elif event.name in ("text", "end"):
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


def application(service: Service, key: str | None, local: bool) -> ASGIApp:
    def card(view: ArtifactView) -> dict[str, Any]:
        return {"id": view.name, "object": "model", "created": service.created, "owned_by": "slmops"}

    async def health(_request: Request) -> JSONResponse:
        ready = service.engine.ready and not service.stopping
        return JSONResponse({"status": "ok" if ready else "unavailable"}, 200 if ready else 503)

    async def models(_request: Request) -> JSONResponse:
        return JSONResponse({"object": "list", "data": [card(view) for view in service.views]})

    async def model(request: Request) -> JSONResponse:
        return JSONResponse(card(service.find(request.path_params["name"])))

    async def metrics(_request: Request) -> Response:
        text = service.metrics.text(service.engine.restarts, service.engine.ready, service.memory())
        return PlainTextResponse(text, headers={"content-type": CONTENT_TYPE})

    routes = [
        Route("/health", health),
        Route("/metrics", metrics),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", model),
        Route("/v1/chat/completions", Completions(service), methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers=errors.HANDLERS)
    return AccessMiddleware(app, key, local, lambda status: service.metrics.answers.update([status]))


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
        "restarts": service.engine.restarts,
        "ready": service.engine.ready,
    }
