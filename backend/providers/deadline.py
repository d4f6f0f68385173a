"""A whole reply within a time: the limit of an HTTP client counts from one piece to the next, so that an endpoint that drips
its reply would be waited for without end."""

from __future__ import annotations

import time
from typing import Any

import httpx

_TRANSPORT_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


def post_with_deadline(client: httpx.Client, address: str, body: dict[str, Any], seconds: float) -> httpx.Response:
    """The reply with its body read and unpacked. Raises httpx.ReadTimeout when it still comes in pieces after `seconds`, and
    what else httpx raises."""
    end = time.monotonic() + seconds
    parts: list[bytes] = []
    with client.stream("POST", address, json=body) as reply:
        for part in reply.iter_bytes():
            if parts and time.monotonic() > end:  # what comes late in one piece is welcome
                raise httpx.ReadTimeout("the reply came too slowly", request=reply.request)
            parts.append(part)
    headers = [(name, value) for name, value in reply.headers.items() if name.lower() not in _TRANSPORT_HEADERS]
    return httpx.Response(reply.status_code, headers=headers, content=b"".join(parts), request=reply.request)
