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
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.core.validation import value_problems
from backend.process.guards import EXIT_REFUSED, LockBusy, file_lock
from backend.serve import web
from backend.serve.pool import Pool
from backend.serve.process import ModelProcess
from backend.serve.schemas import Address, ServeOptions, address_file, problems_json
from backend.serve.servers import Servers

_PATIENCE = 2.0


class Completions:
    """`POST /v1/chat/completions`: loads the model that the body names, asks its process, passes its words on."""

    def __init__(self, pool: Pool, http: httpx.AsyncClient) -> None:
        self._pool = pool
        self._http = http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        async with AsyncExitStack() as stack:
            response = await web.unless_gone(receive, self._open(stack, model_of(body), body))
            if response is not None:
                await response(scope, receive, send)

    async def _open(self, stack: AsyncExitStack, name: str, body: bytes) -> Response:
        model = await stack.enter_async_context(self._pool.use(name))
        headers = {"authorization": f"Bearer {model.token}", "content-type": "application/json"}
        url = f"http://127.0.0.1:{model.port}/v1/chat/completions"
        try:
            upstream = await stack.enter_async_context(self._http.stream("POST", url, content=body, headers=headers))
        except httpx.TransportError as error:
            await model.ended(_PATIENCE)
            raise model.failure() from error
        kind = {"content-type": upstream.headers["content-type"]}
        return StreamingResponse(relay(model, upstream), upstream.status_code, kind)


async def relay(model: ModelProcess, upstream: httpx.Response) -> AsyncIterator[bytes]:
    """The bytes of a model's answer; when its process dies, the reason is the last event."""
    try:
        async for part in upstream.aiter_raw():
            yield part
            await asyncio.sleep(0)  # many parts may have come at once; a client that left must be noticed between them
    except httpx.TransportError:
        await model.ended(_PATIENCE)
        yield web.event(problems_json(model.failure())).encode()


def model_of(body: bytes) -> str:
    """The artifact that a chat request names. Raises StudioError."""
    try:
        content = json.loads(body)
    except ValueError as error:
        raise StudioError("value.keys") from error
    name = content.get("model") if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise StudioError("value.missing", field="model")
    return name


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
    http = httpx.AsyncClient(trust_env=False, timeout=None, limits=httpx.Limits())

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

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        house = asyncio.create_task(pool.keep_house())
        yield
        house.cancel()
        await http.aclose()

    routes = [
        Route("/health", health),
        Route("/models", models),
        Route("/models/{artifact_id}", load, methods=["POST"]),
        Route("/models/{artifact_id}", unload, methods=["DELETE"]),
        Route("/v1/chat/completions", Completions(pool, http), methods=["POST"]),
        *server_routes(servers),
    ]
    handlers: dict[Any, Any] = {StudioError: web.refuse}
    return web.TokenOnly(Starlette(routes=routes, exception_handlers=handlers, lifespan=life), token)


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
