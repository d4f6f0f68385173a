"""How an endpoint fails: what may pass, what is final, what was perhaps charged, and its own words.

Shapes of errors, as services document or send them: OpenAI `{"error": {"message", "type", "param", "code"}}`, Azure the same
with `innererror`, Anthropic `{"type": "error", "error": {...}}`, older vLLM `{"object": "error", "message"}`, Ollama's own
`{"error": "text"}`, FastAPI `{"detail": text or list}`, gateways `{"statusCode", "message"}`, and pages of proxies.
"""

from __future__ import annotations

import json
import re
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx

RETRY_STATUS_CODES = (408, 409, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529)
MAX_REASON_CHARS = 200
"""Characters of an endpoint's own words that an error repeats."""
MAX_RAW_CHARS = 80
"""The same for what is no error of any known shape: it may be anything that listens at that address."""
_QUOTA = re.compile(
    r"insufficient.(?:quota|balance|credit|funds)|exceeded your current quota|billing.(?:hard.)?limit|billing_not_active"
    r"|credit balance is too low|out of credits|enforced_spend_limit_reached|spend(?:ing)? limit|payment required",
    re.IGNORECASE,
)
_SURELY_QUOTA = re.compile(r"insufficient.(?:quota|balance)|enforced_spend_limit_reached", re.IGNORECASE)
_FILTERED = re.compile(
    r"content_filter|ResponsibleAIPolicyViolation|content management policy|content_policy_violation|data_inspection_failed"
    r"|content exists risk|safety system",
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:retry|try again|wait)(?: after| in|:)? "
    r"(?P<wait>(?:\d+(?:\.\d+)?\s*(?:ms|millisec\w*|hours?|h|min\w*|m|sec\w*|s)(?![a-z])\s*)+)",
    re.IGNORECASE,
)
_PIECE = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|h|m|s)", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "milli": 0.001, "h": 3600.0, "m": 60.0, "s": 1.0}


class RetryableError(Exception):
    """A try that failed in a way that may pass: the error to give when all tries are used up, and a pause that was asked."""

    def __init__(self, code: str, pause: float | None = None, **args: Any) -> None:
        super().__init__(code)
        self.code, self.pause, self.args_ = code, pause, args


class FinalError(Exception):
    """A try that failed in a way that trying again does not help."""

    def __init__(self, code: str, **args: Any) -> None:
        super().__init__(code)
        self.code, self.args_ = code, args


def may_be_charged(error: BaseException) -> bool:
    """Whether the request had reached the endpoint when it broke off."""
    never = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)
    return isinstance(error, httpx.HTTPError) and not isinstance(error, never)


def transport_error(error: httpx.HTTPError) -> RetryableError | FinalError:
    """What a connection that failed means."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ProxyError):
        return FinalError("network.proxy_refused", reason=words)
    if isinstance(error, httpx.ConnectError) and isinstance(_cause(error, ssl.SSLError), ssl.SSLError):
        unknown = "CERTIFICATE_VERIFY_FAILED" in words
        return FinalError("network.certificate" if unknown else "network.not_tls", reason=words)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return RetryableError("chat.endpoint_unreachable", reason=words)
    if isinstance(error, httpx.TimeoutException):
        return RetryableError("chat.endpoint_silent")
    if isinstance(error, httpx.DecodingError):
        return RetryableError("chat.endpoint_garbage", status=200, reason="unreadable bytes")
    return RetryableError("chat.endpoint_broken", reason=words)


def check_status(reply: httpx.Response) -> None:
    """Nothing for a good status; raises RetryableError or FinalError. An error of 401 or 403 has the code `key`: who asks
    knows where the key came from."""
    status = _status(reply)
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise FinalError("wire.redirect", status=status, target=_target(reply))
    about = {"status": status, "reason": error_text(reply)}
    pause = asked_pause(reply)
    body = reply.text[:4000]
    if status == 402 or _SURELY_QUOTA.search(body) or (_QUOTA.search(body) and status < 500 and pause is None):
        raise FinalError("wire.quota", **about)
    if status in (400, 403, 422, 451) and _FILTERED.search(body):
        raise FinalError("wire.filtered", **about)
    if status in RETRY_STATUS_CODES:
        code = "chat.endpoint_busy" if status == 429 else "chat.endpoint_failed"
        raise RetryableError(code, pause=pause, **about)
    codes = {401: "key", 403: "key", 404: "chat.endpoint_not_found", 405: "chat.endpoint_not_found"}
    codes[407] = "network.proxy_refused"
    raise FinalError(codes.get(status, "chat.endpoint_refused"), **about)


def invalid_response(reply: httpx.Response) -> RetryableError:
    """A reply of good status that holds no answer: an error in its body, or something that is not of the protocol."""
    code = "answers.endpoint_error" if holds_error(_json(reply)) else "chat.endpoint_garbage"
    return RetryableError(code, status=reply.status_code, reason=error_text(reply))


def holds_error(content: Any) -> bool:
    """Whether the content of a good reply, or of an event of a stream, is an error."""
    if not isinstance(content, dict):
        return False
    choices = content.get("choices")
    inside = isinstance(choices, list) and choices and isinstance(choices[0], dict) and choices[0].get("error")
    return bool(content.get("error") or content.get("object") == "error" or inside)


def asked_pause(reply: httpx.Response) -> float | None:
    """Seconds that a refusal asks to wait: `retry-after-ms`, `Retry-After`, or its words (“try again in 20s”)."""
    try:
        return max(0.0, float(reply.headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    asked = retry_after(reply.headers.get("Retry-After"))
    found = _WAIT.search(error_text(reply)) if asked is None else None
    if found is None:
        return asked
    return sum(float(amount) * _SECONDS[unit.lower()] for amount, unit in _PIECE.findall(found["wait"]))


def retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After` header: a number or a date."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def error_text(reply: httpx.Response) -> str:
    """The endpoint's own words in one line, or the beginning of what it sent; not masked yet."""
    if said := told_error(_json(reply)):
        return said
    text = re.sub(r"<(head|script|style).*?</\1>|<[^>]*>", " ", reply.text[:20_000], flags=re.DOTALL | re.IGNORECASE)
    words = " ".join(text.split())
    return Raw(words) if words else "an empty reply"


class Raw(str):
    """Words that are of no known shape: fewer of them are repeated."""


def shorten(words: str, longest: int) -> str:
    """The beginning of a reason, with a mark where it was cut and without its last period: a sentence goes on after it."""
    words = words.rstrip(". ")
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"


def told_error(content: Any) -> str:
    """The words of an error in the content of a reply or event, "" where there is none."""
    if not isinstance(content, dict):
        return ""
    choices = content.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        return _words(choices[0].get("error"))
    return next(
        (words for name in ("error", "message", "detail", "errors") if (words := _words(content.get(name)))), ""
    )


def _words(said: Any) -> str:
    """From a text, an object with a message, or FastAPI's list of what is wrong with which field."""
    if isinstance(said, str):
        return " ".join(said.split())
    if isinstance(said, list):
        return "; ".join(filter(None, map(_words, said[:3])))
    if not isinstance(said, dict):
        return ""
    words = next((found for name in ("message", "detail", "msg") if (found := _words(said.get(name)))), "")
    where = said.get("loc")
    if words and isinstance(where, list):
        return f"{'.'.join(map(str, where))}: {words}"
    return words or _words(said.get("type") or said.get("code"))


def _json(reply: httpx.Response) -> Any:
    try:
        return json.loads(reply.content)
    except (ValueError, RecursionError):
        return None


def _status(reply: httpx.Response) -> int:
    """Azure Machine Learning answers 424 for its container, whose own status stands in a header."""
    inner = reply.headers.get("ms-azureml-model-error-statuscode", "") if reply.status_code == 424 else ""
    return int(inner) if inner.isdigit() and 300 <= int(inner) < 600 else reply.status_code


def _target(reply: httpx.Response) -> str:
    """Where a redirect leads, without what could be a secret in it."""
    try:
        parts = urlsplit(str(reply.request.url.join(reply.headers.get("Location", ""))))
    except (ValueError, httpx.InvalidURL):
        return "another address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error
