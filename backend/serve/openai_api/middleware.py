"""What every request passes first: counted, from an expected host, with the key, in OpenAI's error form when it fails."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.core.errors import StudioError
from backend.serve.openai_api import errors

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
STALLED = 60.0
"""Seconds after which a client that takes nothing is left."""
BODY_SECONDS = 30.0
_DRAINED = 64_000_000
log = logging.getLogger(__name__)


class AccessMiddleware:
    """`key`: what `Authorization: Bearer` must bring, None for no key; `local`: only requests to a name of the loopback, so
    that no web page can reach the server through a DNS name of its own; `count` is told the status of each response."""

    def __init__(self, app: ASGIApp, key: str | None, local: bool, count: Callable[[int], object]) -> None:
        self._app = app
        self._key = f"Bearer {key}".encode() if key else None
        self._local = local
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
            async with asyncio.timeout(STALLED):
                await send(message)

        try:
            self._check(scope)
            await self._app(scope, receive, counted)
        except StudioError as error:
            await errors.response(error)(scope, receive, counted)
        except (TimeoutError, OSError):
            pass  # nobody reads
        except Exception:  # the application has answered
            log.exception("a request failed")

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if self._local and _name(headers.get("host", "")) not in LOOPBACK:
            raise StudioError("api.host")
        if self._key and scope["path"] != "/health":
            given = headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, self._key):
                raise StudioError("api.key")


async def json_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The body of a request. Raises StudioError when it isn't JSON, is larger than `limit` bytes, or does not come."""
    headers = Headers(scope=scope)
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise StudioError("api.not_json")
    parts: list[bytes] = []
    size = 0
    until = time.monotonic() + BODY_SECONDS
    with suppress(TimeoutError):
        while size <= _DRAINED:  # what is too large is read all the same: a client listens after it has sent all
            async with asyncio.timeout(until - time.monotonic()):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            size += len(message.get("body", b""))
            if size <= limit:
                parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                break
        if size <= limit:
            return b"".join(parts)
    raise StudioError("api.slow") if size <= limit else StudioError("api.large", limit=f"{limit / 1e6:g} MB")


def _name(host: str) -> str:
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return name.strip("[]").lower()
