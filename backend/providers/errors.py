"""How an endpoint fails: what may pass, what was perhaps charged, and its own words."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

RETRY_STATUS_CODES = (408, 409, 425, 429, 500, 502, 503, 504, 529)


class RetryableError(Exception):
    """A try that failed in a way that may pass: the error to give when all tries are used up, and a pause that was asked."""

    def __init__(self, code: str, pause: float | None = None, **args: Any) -> None:
        super().__init__(code)
        self.code, self.pause, self.args_ = code, pause, args


def may_be_charged(error: BaseException) -> bool:
    """Whether the request had reached the endpoint when it broke off."""
    never = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    return isinstance(error, httpx.HTTPError) and not isinstance(error, never)


def transport_error(error: httpx.HTTPError) -> RetryableError:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return RetryableError("chat.endpoint_unreachable", reason=str(error) or type(error).__name__)
    if isinstance(error, httpx.TimeoutException):
        return RetryableError("chat.endpoint_silent")
    if isinstance(error, httpx.DecodingError):
        return RetryableError("chat.endpoint_garbage", status=200, reason="unreadable bytes")
    return RetryableError("chat.endpoint_broken", reason=str(error) or type(error).__name__)


def invalid_response(reply: httpx.Response) -> RetryableError:
    """A reply of good status that holds no answer: an error in its body, or something that is not of the protocol."""
    try:
        content = reply.json()
    except ValueError:
        content = None
    told = isinstance(content, dict) and bool(content.get("error"))
    code = "answers.endpoint_error" if told else "chat.endpoint_garbage"
    return RetryableError(code, status=reply.status_code, reason=error_text(reply))


def retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After` header: a number or a date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def error_text(reply: httpx.Response) -> str:
    """The endpoint's own words, or what it sent."""
    try:
        said = reply.json()["error"]
        words = said["message"] if isinstance(said, dict) else said
    except (ValueError, KeyError, TypeError):
        words = reply.text
    return " ".join(str(words).split()) or "an empty reply"
