"""The process that keeps models loaded for the pages: `python -m backend.serve.host`.

It loads no weights itself: each model has a process of its own, and answers pass through here. It listens on a free
loopback port and writes that with the token of its start to `run/serve.json` in SLMOPS_HOME.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.core.validation import value_problems
from backend.process.guards import EXIT_REFUSED, LockBusy, file_lock
from backend.serve import web
from backend.serve.engine_client import Event
from backend.serve.openai_api import errors
from backend.serve.openai_api.completions import Completions
from backend.serve.openai_api.middleware import AccessMiddleware
from backend.serve.openai_api.protocol import ChatRequest
from backend.serve.pool import Pool
from backend.serve.schemas import Address, Choice, ServeOptions, address_file
from backend.serve.servers import Servers

IDLE_SECONDS = 0.4
"""Seconds after which a silent answer says that it is still there."""


class PoolBackend:
    """Loads the model that a request names and asks its process."""

    limit = 64_000_000

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def events(self, asked: ChatRequest) -> AsyncGenerator[Event]:
        async with self._pool.use(asked.model) as model:
            async with aclosing(model.events(asked.order() | {"view": model.view.id}, IDLE_SECONDS)) as events:
                async for event in events:
                    yield event


def server_routes(servers: Servers) -> list[Route]:
    async def listed(_request: Request) -> JSONResponse:
        return JSONResponse({"servers": [server.model_dump(mode="json") for server in servers.views()]})

    async def start(request: Request) -> JSONResponse:
        try:
            options = ServeOptions.model_validate_json(await request.body())
        except ValidationError as error:
            raise StudioError.of(value_problems(error)) from error
        return JSONResponse((await servers.start(options)).model_dump(mode="json"), 202)

    async def stop(request: Request) -> Response:
        servers.stop(request.path_params["artifact_id"])
        return Response(status_code=204)

    return [
        Route("/servers", listed),
        Route("/servers", start, methods=["POST"]),
        Route("/servers/{artifact_id}", stop, methods=["DELETE"]),
    ]


def application(pool: Pool, servers: Servers, token: str) -> ASGIApp:
    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "pid": os.getpid()})

    async def models(_request: Request) -> JSONResponse:
        return JSONResponse({"models": [model.model_dump(mode="json") for model in pool.models()]})

    async def load(request: Request) -> JSONResponse:
        body = await request.body()
        force = bool(json.loads(body).get("force")) if body else False
        model = await pool.load(request.path_params["artifact_id"], force)
        return JSONResponse(model.served().model_dump(mode="json"), 202)

    async def unload(request: Request) -> Response:
        await pool.unload(request.path_params["artifact_id"])
        return Response(status_code=204)

    async def choose(request: Request) -> Response:
        try:
            choice = Choice.model_validate_json(await request.body())
        except ValidationError as error:
            raise StudioError.of(value_problems(error)) from error
        pool.pins.set(request.path_params["page"], choice.models)
        return Response(status_code=204)

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        house = asyncio.create_task(pool.keep_house())
        yield
        house.cancel()

    routes = [
        Route("/health", health),
        Route("/models", models),
        Route("/models/{artifact_id}", load, methods=["POST"]),
        Route("/models/{artifact_id}", unload, methods=["DELETE"]),
        Route("/choices/{page}", choose, methods=["PUT"]),
        Route("/v1/chat/completions", Completions(PoolBackend(pool)), methods=["POST"]),
        *server_routes(servers),
    ]
    app = Starlette(routes=routes, exception_handlers=errors.HANDLERS, lifespan=life)
    return AccessMiddleware(app, token, True, lambda _status: None)


@contextmanager
def announced(file: Path, address: Address) -> Iterator[None]:
    """`file` tells `address` for the length of the block, to its owner only."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(address.model_dump_json())
    partial.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM. Raises StudioError when another host lives in this home."""
    file = address_file(settings)
    try:
        with file_lock(file.with_suffix(".lock"), wait=1.0):
            bound = web.listen()
            address = Address(port=bound.getsockname()[1], token=secrets.token_urlsafe(24), pid=os.getpid())
            with announced(file, address):
                pool, servers = Pool(settings), Servers(settings)

                async def close() -> None:
                    servers.close()
                    await pool.close()

                web.run(application(pool, servers, address.token), bound, close)
    except LockBusy as error:
        raise StudioError("serve.second_host", home=settings.home) from error


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.raiseExceptions = False  # a full disk under the log must not stop the work
    # uvicorn stops gracefully, then raises the signal again: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(Settings().prepare())
    except StudioError as error:
        sys.stderr.write(f"{error.text()}\n")
        return EXIT_REFUSED
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
