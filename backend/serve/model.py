"""One loaded model in a process of its own: `python -m backend.serve.model <artifact id>`.

Reads its order (`shapes.Order`) as the first line of stdin and leaves when stdin ends, that is with its host. Loads the
engine, says `{"port": ...}` or `{"problems": [...]}` on what was stdout, then answers in OpenAI's form. Here is where torch
or ONNX Runtime live.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.core.errors import StudioError
from backend.core.validation import value_problems
from backend.inference.protocol import LocalEngine, Sampling
from backend.ml.inference.open import open_engine
from backend.process.guards import EXIT_ORPHAN, die_with_parent
from backend.serve import web
from backend.serve.schemas import ChatRequest, Order, problems_json
from backend.serve.streaming import End, Event, Speaker, told

WAITING = ": waiting\n\n"
"""A comment in the stream while the model reads its prompt or waits for its turn."""


class Completions:
    """`POST /v1/chat/completions`, streamed or whole."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = parse(await Request(scope, receive).body())
        prompt, sampling = await asyncio.to_thread(self._speaker.prepare, asked)
        async with aclosing(self._speaker.events(prompt, sampling)) as events:
            if asked.stream:
                body = streamed(asked.model, events)
                response: Any = StreamingResponse(body, media_type="text/event-stream")
            else:
                response = await web.unless_gone(receive, whole(asked.model, events))
            if response is not None:
                await response(scope, receive, send)


def parse(body: bytes) -> ChatRequest:
    """Raises StudioError with a problem for each wrong value."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        raise StudioError.of(value_problems(error, "messages")) from error


async def streamed(model: str, events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """OpenAI's chunks; the last one carries usage and timings."""
    head = {"id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion.chunk", "created": int(time.time())}
    role = {"role": "assistant"}
    async for one in events:
        if one is None:
            yield WAITING
        elif isinstance(one, StudioError):
            yield web.event(problems_json(one))
        elif isinstance(one, End):
            choice = {"index": 0, "delta": role, "finish_reason": one.finish}
            yield web.event({**head, "model": model, "choices": [choice], **one.figures})
            yield "data: [DONE]\n\n"
        else:
            choice = {"index": 0, "delta": {**role, "content": one}, "finish_reason": None}
            yield web.event({**head, "model": model, "choices": [choice]})
            role = {}


async def whole(model: str, events: AsyncIterator[Event]) -> JSONResponse:
    """OpenAI's completion. Raises StudioError when the engine fails."""
    parts: list[str] = []
    async for one in events:
        if isinstance(one, StudioError):
            raise one
        if isinstance(one, str):
            parts.append(one)
        elif one is not None:
            message = {"role": "assistant", "content": "".join(parts)}
            choice = {"index": 0, "message": message, "finish_reason": one.finish}
            head = {"id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion", "created": int(time.time())}
            return JSONResponse({**head, "model": model, "choices": [choice], **one.figures})
    raise RuntimeError("the answer has no end")


def application(speaker: Speaker, token: str) -> ASGIApp:
    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "answering": speaker.answering})

    routes = [
        Route("/health", health),
        Route("/v1/chat/completions", Completions(speaker), methods=["POST"]),
    ]
    return web.TokenOnly(Starlette(routes=routes, exception_handlers={StudioError: web.refuse}), token)


def main() -> None:
    """The command line. Never returns."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(EXIT_ORPHAN)
    order = Order.model_validate_json(line)
    die_with_parent(order.host)
    threading.Thread(target=_leave_with_host, daemon=True).start()
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print goes to the log
    view = order.views[sys.argv[1]]
    try:
        engine = open_engine(view, order.views.__getitem__)
        _warm_up(engine)
    except Exception as error:
        print(json.dumps(problems_json(told(error))), file=report, flush=True)
        if isinstance(error, StudioError):
            os._exit(1)
        raise
    bound = web.listen()
    print(json.dumps({"port": bound.getsockname()[1]}), file=report, flush=True)
    web.run(application(Speaker(engine, int(view.facts["context"]), view.name), order.token), bound)
    os._exit(0)  # leaves out the teardown of native libraries


def _warm_up(engine: LocalEngine) -> None:
    """The first token of a process takes several times as long as those after it."""
    for _token in engine.stream_ids(engine.encoder.ids("Hello"), Sampling(max_new_tokens=2)):
        continue


def _leave_with_host() -> None:
    while os.read(0, 4096):
        continue
    os._exit(EXIT_ORPHAN)


if __name__ == "__main__":
    main()
