"""Bodies of replies within a time and a size. The limit of an HTTP client counts from one piece to the next, so that an
endpoint that drips its reply would be waited for without end; and a few kilobytes of gzip can hold gigabytes."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from typing import Any

import httpx

from backend.providers.errors import FinalError, RetryableError

MAX_REPLY_BYTES = 32_000_000
"""Of an unpacked body. The longest answer that can be asked for, with five log-probabilities a token, has about 6 MB."""
ACCEPT_ENCODING = "gzip, deflate"
"""What `bounded` unpacks; other encodings are answers that nobody asked for."""
_PIECE_BYTES = 1_000_000
_TRANSPORT_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


def post(client: httpx.Client, address: str, body: dict[str, Any], seconds: float) -> httpx.Response:
    """The reply with its body read and unpacked. Raises httpx.ReadTimeout when it still comes in pieces after `seconds`,
    FinalError when it is larger than MAX_REPLY_BYTES, and what else httpx raises."""
    with client.stream("POST", address, json=body) as reply:
        return whole(reply, seconds)


def whole(reply: httpx.Response, seconds: float) -> httpx.Response:
    """An open reply, read to its end; raises as `post` does."""
    end = time.monotonic() + seconds
    parts: list[bytes] = []
    for part in bounded(reply):
        if parts and time.monotonic() > end:  # what comes late in one piece is welcome
            raise httpx.ReadTimeout("the reply came too slowly", request=reply.request)
        parts.append(part)
    headers = [(name, value) for name, value in reply.headers.items() if name.lower() not in _TRANSPORT_HEADERS]
    return httpx.Response(reply.status_code, headers=headers, content=b"".join(parts), request=reply.request)


def bounded(reply: httpx.Response) -> Iterator[bytes]:
    """The unpacked parts of an open reply. Raises FinalError beyond MAX_REPLY_BYTES, before more is unpacked."""
    unpack, size = _unpacker(reply), 0
    for raw in reply.iter_raw():
        for part in unpack(raw):
            size += len(part)
            if size > MAX_REPLY_BYTES:
                raise FinalError("wire.too_large", limit=f"{MAX_REPLY_BYTES // 1_000_000} MB")
            yield part


def _unpacker(reply: httpx.Response) -> Any:
    encoding = reply.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return lambda raw: [raw]
    if encoding not in ("gzip", "x-gzip", "deflate"):
        reason = f"unknown encoding {encoding[:20]}"
        raise RetryableError("chat.endpoint_garbage", status=reply.status_code, reason=reason)
    stream = zlib.decompressobj(wbits=47)

    def unpack(raw: bytes) -> Iterator[bytes]:
        try:
            while raw:
                yield stream.decompress(raw, _PIECE_BYTES)
                raw = stream.unconsumed_tail
        except zlib.error:
            raise RetryableError("chat.endpoint_garbage", status=reply.status_code, reason="unreadable bytes") from None

    return unpack
