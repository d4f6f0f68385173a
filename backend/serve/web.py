"""What the host and the servers share: sockets, server-sent events, clients that leave, a graceful end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp, Receive

_T = TypeVar("_T")


def event(content: dict[str, Any]) -> str:
    """One server-sent event."""
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n"


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, _T]) -> _T | None:
    """The result of `work`, or None when the client goes first: then `work` is cancelled. The request's body must have
    been read."""
    task = asyncio.create_task(work)
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await task if task.done() else None
    finally:
        gone.cancel()
        task.cancel()
        await asyncio.gather(gone, task, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket; port 0 is any free one. Raises OSError. asyncio sets TCP_NODELAY only where the protocol is
    named."""
    family, kind, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    bound.listen(1024)
    return bound


class _Server(uvicorn.Server):
    """Does `last` before it waits for the requests that are still open."""

    last: Callable[[], Awaitable[object]] | None = None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.last:
            await self.last()
        await super().shutdown(sockets)


def run(app: ASGIApp, bound: socket.socket, last: Callable[[], Awaitable[object]] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `last` is done before waiting for the requests that are still open."""
    server(app, last).run(sockets=[bound])


def server(app: ASGIApp, last: Callable[[], Awaitable[object]] | None = None, grace: int = 1) -> uvicorn.Server:
    """`grace`: seconds that open requests have to end once a stop is asked for."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=grace,
        timeout_keep_alive=60,  # clients drop an idle connection before we do
    )
    made = _Server(config)
    made.last = last
    return made
