"""Answers from an OpenAI-compatible endpoint (`POST <url>/chat/completions`), plain or streamed.

The key is read from an environment variable when the engine is made; it goes into one header and nowhere else. What can
be tried again (429, 5xx, time-outs, broken connections, garbage) is, with growing pauses; the rest ends at once.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from backend.chat.engine import Prompt, Sampling, Tick
from backend.data.rows import Message
from backend.errors import Cancelled, Problem, StudioError

RETRIED = (408, 409, 425, 429, 500, 502, 503, 504, 529)
LONGEST_PAUSE = 60.0
LONGEST_REASON = 80
"""Characters of a failure's own words that an error repeats."""
T = TypeVar("T")


class Endpoint(BaseModel):
    """Where and how to ask. `timeout` and pauses in seconds; `key_env` names an environment variable, "" means no key."""

    model_config = ConfigDict(frozen=True)

    url: str
    model: str
    key_env: str = ""
    concurrency: int = 4
    retries: int = 5
    timeout: float = 60.0
    first_pause: float = 0.5

    @property
    def address(self) -> str:
        base = self.url.rstrip("/")
        return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


def check_endpoint(url: str, model: str) -> list[Problem]:
    """What is wrong with an address and a model name, without asking the endpoint."""
    problems = []
    try:
        parts = httpx.URL(url)
        sound = parts.scheme in ("http", "https") and bool(parts.host) and not parts.userinfo and not parts.query
    except httpx.InvalidURL:
        sound = False
    if not sound:
        shown = url.split("?")[0].rsplit("@", 1)[-1]
        problems.append(Problem(code="chat.endpoint_url", args={"url": shown}, field="endpoint_url"))
    if not model.strip():
        problems.append(Problem(code="chat.endpoint_model_missing", field="endpoint_model"))
    return problems


def check_key_name(name: str) -> list[Problem]:
    """Only variables that are meant for this are sent to an address of the user's: their names end in API_KEY."""
    if not name or name.upper().endswith("API_KEY"):
        return []
    return [Problem(code="chat.endpoint_key_name", args={"name": name}, field="endpoint_key_env")]


class _Retry(Exception):
    """A try that failed in a way that may pass: the error to give when all tries are used up, and a pause that was asked."""

    def __init__(self, code: str, pause: float | None = None, **args: Any) -> None:
        super().__init__(code)
        self.code, self.pause, self.args_ = code, pause, args


class HttpEngine:
    """`kept` counts answers that survive a failure; the errors name it. Raises StudioError when the key is not set."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.name = endpoint.model
        self.kept = 0
        self._stop = threading.Event()
        self._key = os.environ.get(endpoint.key_env, "").strip() if endpoint.key_env else ""
        headers = {}
        if endpoint.key_env:
            if not self._key:
                raise StudioError("chat.endpoint_key_missing", key_env=endpoint.key_env, url=endpoint.address)
            headers["Authorization"] = f"Bearer {self._key}"
        limits = httpx.Limits(max_connections=endpoint.concurrency + 1)
        self._client = httpx.Client(headers=headers, timeout=endpoint.timeout, limits=limits)

    def encode(self, messages: list[Message]) -> Prompt:
        return messages

    def answer(self, prompt: Prompt, sampling: Sampling) -> str:
        """The stripped answer; may be empty. Raises StudioError when the endpoint fails for good."""
        return self._tried(lambda: self._ask(prompt, sampling))

    def answers(
        self, prompts: Sequence[Prompt], sampling: Sampling, tick: Tick = lambda: None, batch: int = 0
    ) -> Iterator[tuple[int, str]]:
        """`concurrency` requests at a time. The first failure for good ends it; what is in flight then is given up."""
        pool = ThreadPoolExecutor(self.endpoint.concurrency)
        waiting: dict[Future[str], int] = {}
        left = iter(range(len(prompts)))
        try:
            while True:
                while len(waiting) < self.endpoint.concurrency and (index := next(left, None)) is not None:
                    waiting[pool.submit(self.answer, prompts[index], sampling)] = index
                if not waiting:
                    return
                done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                good = [future for future in done if future.exception() is None]
                for future in [*good, *(done - set(good))]:
                    text = future.result()
                    self.kept += 1
                    yield waiting.pop(future), text
                tick()
        finally:
            if waiting:
                self.close()
            pool.shutdown(wait=False, cancel_futures=True)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Pieces of text by server-sent events. Asked again only while nothing has come yet."""
        opened = self._tried(lambda: self._open(prompt, sampling))
        with closing(opened):
            try:
                yield from _events(opened)
            except _Retry as failed:
                raise self._final(failed, 1) from None
            except httpx.HTTPError as error:
                raise self._final(_transport(error), 1) from None

    def close(self) -> None:
        """Ends requests in flight and pauses too."""
        self._stop.set()
        self._client.close()

    def _tried(self, ask: Callable[[], T]) -> T:
        tries = self.endpoint.retries + 1
        for attempt in range(tries):
            try:
                return ask()
            except _Retry as failed:
                last = failed
            except httpx.HTTPError as error:
                last = _transport(error)
            if attempt + 1 < tries:
                pause = self.endpoint.first_pause * 2**attempt * random.uniform(0.75, 1.25)
                if self._stop.wait(min(LONGEST_PAUSE, max(pause, last.pause or 0.0))):
                    raise Cancelled
        raise self._final(last, tries)

    def _ask(self, prompt: Prompt, sampling: Sampling) -> str:
        reply = self._client.post(self.endpoint.address, json=self._body(prompt, sampling))
        self._judge(reply)
        try:
            text = reply.json()["choices"][0]["message"].get("content")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise _Retry("chat.endpoint_garbage", status=reply.status_code, reason=_glimpse(reply)) from None
        return text.strip() if isinstance(text, str) else ""

    def _open(self, prompt: Prompt, sampling: Sampling) -> httpx.Response:
        body = {**self._body(prompt, sampling), "stream": True}
        reply = self._client.send(self._client.build_request("POST", self.endpoint.address, json=body), stream=True)
        if reply.status_code >= 300:
            reply.read()
        self._judge(reply)
        return reply

    def _body(self, prompt: Prompt, sampling: Sampling) -> dict[str, Any]:
        body = {
            "model": self.endpoint.model,
            "messages": list(prompt),
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
        }
        return body | ({"top_p": sampling.top_p, "seed": sampling.seed} if sampling.temperature > 0 else {})

    def _judge(self, reply: httpx.Response) -> None:
        """Nothing for a good status; raises _Retry or, when trying again can't help, StudioError."""
        status = reply.status_code
        if status == 200:
            return
        if status in RETRIED:
            code = "chat.endpoint_busy" if status == 429 else "chat.endpoint_failed"
            raise _Retry(code, pause=_retry_after(reply.headers.get("Retry-After")), status=status)
        codes = {404: "chat.endpoint_not_found"}
        if status in (401, 403):
            codes[status] = "chat.endpoint_key" if self.endpoint.key_env else "chat.endpoint_no_key"
        code = codes.get(status, "chat.endpoint_refused")
        raise self._error(code, status=status, reason=_glimpse(reply))

    def _final(self, failed: _Retry, tries: int) -> StudioError:
        return self._error(failed.code, tries=tries, **failed.args_)

    def _error(self, code: str, **args: Any) -> StudioError:
        """The only place where errors are made: no argument holds the key, whoever repeated it."""
        about = {"model": self.name, "key_env": self.endpoint.key_env, "timeout": f"{self.endpoint.timeout:g}"}
        args |= {"url": self.endpoint.address, "kept": self.kept, **about}
        safe = {name: self._without_key(value) if isinstance(value, str) else value for name, value in args.items()}
        if "reason" in safe:  # cut after masking: half a key is not found any more
            safe["reason"] = safe["reason"][:LONGEST_REASON]
        return StudioError(code, **safe)

    def _without_key(self, text: str) -> str:
        """Also as a quoted text (JSON, Python) shows it."""
        key = self._key
        forms = {key, json.dumps(key)[1:-1], repr(key)[1:-1], repr(key.encode())[2:-1]} if key else set()
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "…")
        return text


def _events(reply: httpx.Response) -> Iterator[str]:
    for line in reply.iter_lines():
        if not line.startswith("data:"):
            continue
        data = line[5:].strip()
        if data == "[DONE]":
            return
        try:
            choices = json.loads(data)["choices"]
            text = choices[0]["delta"].get("content") if choices else None
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise _Retry("chat.endpoint_garbage", status=reply.status_code, reason=data) from None
        if text:
            yield text
    raise _Retry("chat.endpoint_broken", reason="the stream ended early")


def _transport(error: httpx.HTTPError) -> _Retry:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return _Retry("chat.endpoint_unreachable", reason=str(error) or type(error).__name__)
    if isinstance(error, httpx.TimeoutException):
        return _Retry("chat.endpoint_silent")
    if isinstance(error, httpx.DecodingError):
        return _Retry("chat.endpoint_garbage", status=200, reason="unreadable bytes")
    return _Retry("chat.endpoint_broken", reason=str(error) or type(error).__name__)


def _retry_after(value: str | None) -> float | None:
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


def _glimpse(reply: httpx.Response) -> str:
    """The endpoint's own words, or what it sent."""
    try:
        said = reply.json()["error"]
        words = said["message"] if isinstance(said, dict) else said
    except (ValueError, KeyError, TypeError):
        words = reply.text
    return " ".join(str(words).split()) or "an empty reply"
