"""Answers from an endpoint (OpenAI's chat completions, Azure's, or Anthropic's messages), plain or streamed.

The key is given, or read from an environment variable when the engine is made; it goes into one header and nowhere else. What
can be tried again (429, 5xx, time-outs, broken connections, garbage) is, with growing pauses; the rest ends at once. Every
request respects the rate limit (`rate_limit`) and has its cost reserved before it is sent (`budget`).
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from backend.core.endpoints import ApiProtocol
from backend.core.errors import Cancelled, Problem, StudioError
from backend.data.dataset import Message, called_names
from backend.inference.protocol import Prompt, Sampling, Tick
from backend.providers import errors
from backend.providers.budget import Budget, OverBudget, Prices, Reservation, estimate_usage, format_usd, max_usage
from backend.providers.concurrency import ConcurrentRequests
from backend.providers.deadline import post_with_deadline
from backend.providers.keys import masker
from backend.providers.protocols import PROTOCOLS, EndpointReply, OpenAI, stream_text, unsupported_parameter
from backend.providers.rate_limit import RateLimit

MAX_BACKOFF_SECONDS = 60.0
MAX_REASON_CHARS = 80
"""Characters of a failure's own words that an error repeats."""
T = TypeVar("T")


class Endpoint(BaseModel):
    """Where and how to ask. `timeout` and pauses in seconds; `key_env` names an environment variable, "" means no key;
    `requests_per_minute` 0: as often as it answers; `name`: under which it is saved, if it is."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    url: str
    model: str
    key_env: str = ""
    concurrency: int = 4
    retries: int = 5
    timeout: float = 60.0
    initial_backoff: float = 0.5
    protocol: ApiProtocol = "openai"
    api_version: str = ""
    requests_per_minute: int = 0
    prices: Prices = Prices()

    @property
    def address(self) -> str:
        return PROTOCOLS[self.protocol].address(self.url, self.api_version)


def check_endpoint(url: str, model: str, fields: tuple[str, str] = ("endpoint_url", "endpoint_model")) -> list[Problem]:
    """What is wrong with an address and a model name, without asking the endpoint; `fields` are their names in the form."""
    problems = []
    try:
        parts = httpx.URL(url)
        sound = parts.scheme in ("http", "https") and bool(parts.host) and not parts.userinfo and not parts.query
    except httpx.InvalidURL:
        sound = False
    if not sound:
        shown = url.split("?")[0].rsplit("@", 1)[-1]
        problems.append(Problem(code="chat.endpoint_url", args={"url": shown}, field=fields[0]))
    if not model.strip():
        problems.append(Problem(code="chat.endpoint_model_missing", field=fields[1]))
    return problems


def check_key_name(name: str, field: str) -> list[Problem]:
    """Only variables that are meant for this are sent to an address of the user's: their names end in API_KEY."""
    if not name or name.upper().endswith("API_KEY"):
        return []
    return [Problem(code="chat.endpoint_key_name", args={"name": name}, field=field)]


class HttpEngine:
    """`kept` counts answers that survive a failure; the errors name it. `budget` counts tokens and money and holds the
    budget. `key`: one that was typed; else the variable counts. Raises StudioError when that is not set."""

    def __init__(self, endpoint: Endpoint, budget: Budget | None = None, key: str = "") -> None:
        self.endpoint = endpoint
        self.name = endpoint.model
        self.kept = 0
        self.budget = budget or Budget()
        self._stop = threading.Event()
        self._rate_limit = RateLimit(endpoint.requests_per_minute)
        self._unsupported: set[str] = set()
        self._protocol: OpenAI = PROTOCOLS[endpoint.protocol]
        self._typed = bool(key)
        self._key = key or (os.environ.get(endpoint.key_env, "").strip() if endpoint.key_env else "")
        self._mask = masker([self._key])
        if endpoint.key_env and not self._key:
            raise StudioError("chat.endpoint_key_missing", key_env=endpoint.key_env, url=endpoint.address)
        limits = httpx.Limits(max_connections=endpoint.concurrency + 1)
        self.headers = self._protocol.headers(self._key)
        self._client = httpx.Client(headers=self.headers, timeout=endpoint.timeout, limits=limits)

    def encode(self, messages: list[Message]) -> Prompt:
        """Raises StudioError for tools that the protocol is not sent."""
        if called_names(messages) and not self._protocol.sends_tools:
            raise StudioError("tools.protocol", url=self.endpoint.address)
        return messages

    def answer(self, prompt: Prompt, sampling: Sampling) -> str:
        """The stripped answer; may be empty. Raises StudioError when the endpoint fails for good or the budget is reached."""
        try:
            return self._reply(prompt, sampling).text
        except OverBudget:
            raise self._over_budget() from None

    def reply(self, prompt: Prompt, sampling: Sampling, extra: dict[str, Any] | None = None) -> EndpointReply:
        """The whole reply to one request with `extra` in its body; raises as `answer` does."""
        return self._with_retries(lambda: self._ask(prompt, sampling, extra))

    def answers(
        self, prompts: Sequence[Prompt], sampling: Sampling, tick: Tick = lambda: None, batch: int = 0
    ) -> Iterator[tuple[int, str]]:
        """As `replies`, the texts alone."""
        with closing(self.replies(prompts, sampling, tick)) as replies:
            for index, reply in replies:
                yield index, reply.text

    def replies(
        self, prompts: Sequence[Prompt], sampling: Sampling, tick: Tick = lambda: None
    ) -> Generator[tuple[int, EndpointReply]]:
        """`concurrency` requests at a time. A prompt that alone is refused has an empty reply. The first failure for good, or
        the budget, ends it after what is in flight has come (`ConcurrentRequests`); the engine sends nothing after that."""

        def beat() -> None:
            self.budget.report_metrics()
            tick()

        pending = ConcurrentRequests(
            lambda index: self._reply(prompts[index], sampling), self.endpoint.concurrency, self.kept, self._stop
        )
        try:
            for index, reply in pending.replies(len(prompts), beat):
                self.kept += bool(reply.text)
                yield index, reply
        except OverBudget:
            raise self._over_budget() from None
        except StudioError as error:
            about = error.problems[0].args
            if "kept" not in about:  # not of this engine
                raise
            about = {**about, "kept": self.kept}  # more may have come since it was made
            raise StudioError(error.code, **about) from None
        finally:
            self.budget.report_metrics(now=True)
            if pending.busy:
                self.close()

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Pieces of text by server-sent events. Asked again only while nothing has come yet. Its tokens are estimated:
        streams carry no count that all services give."""
        opened, text = None, ""
        reserved = self._reserve_or_raise(prompt, sampling)
        try:
            opened = self._with_retries(lambda: self._open(prompt, sampling))
            with closing(opened):
                for piece in stream_text(opened, self._protocol):
                    text += piece
                    yield piece
        except errors.RetryableError as failed:
            raise self._final_error(failed, 1) from None
        except httpx.HTTPError as error:
            raise self._final_error(errors.transport_error(error), 1) from None
        finally:
            if opened is None:
                self.budget.release(reserved)
            else:
                self.budget.settle(reserved, estimate_usage(prompt, text), self.endpoint.prices, guessed=True)

    def close(self) -> None:
        """Ends requests in flight and pauses too."""
        self._stop.set()
        self._client.close()

    def _reply(self, prompt: Prompt, sampling: Sampling) -> EndpointReply:
        return self._with_retries(lambda: self._ask(prompt, sampling))

    def _with_retries(self, ask: Callable[[], T]) -> T:
        tries = self.endpoint.retries + 1
        for attempt in range(tries):
            if not self._rate_limit.wait(self._stop):
                raise Cancelled
            try:
                return ask()
            except errors.RetryableError as failed:
                last = failed
            except httpx.HTTPError as error:
                last = errors.transport_error(error)
            if attempt + 1 < tries:
                if last.pause:
                    self._rate_limit.pause(min(MAX_BACKOFF_SECONDS, last.pause))
                pause = self.endpoint.initial_backoff * 2**attempt * random.uniform(0.75, 1.25)
                if self._stop.wait(min(MAX_BACKOFF_SECONDS, max(pause, last.pause or 0.0))):
                    raise Cancelled
        raise self._final_error(last, tries)

    def _reserve(self, prompt: Prompt, sampling: Sampling) -> Reservation:
        usd = self.endpoint.prices.cost(*max_usage(prompt, sampling.max_new_tokens))
        return self.budget.reserve(usd, self._stop.is_set)

    def _reserve_or_raise(self, prompt: Prompt, sampling: Sampling) -> Reservation:
        try:
            return self._reserve(prompt, sampling)
        except OverBudget:
            raise self._over_budget() from None

    def _ask(self, prompt: Prompt, sampling: Sampling, extra: dict[str, Any] | None = None) -> EndpointReply:
        reserved = self._reserve(prompt, sampling)
        answered = False
        try:
            reply = self._send(prompt, sampling, extra or {})
            self._check_status(reply)
            answered = True
            try:
                said = self._protocol.read(reply.json())
            except (ValueError, KeyError, IndexError, TypeError, AttributeError):
                raise errors.invalid_response(reply) from None
        except BaseException as error:
            (self.budget.charge_reserved if answered or errors.may_be_charged(error) else self.budget.release)(reserved)
            raise
        usage = said.usage or estimate_usage(prompt, said.text)
        self.budget.settle(reserved, usage, self.endpoint.prices, guessed=said.usage is None)
        return said

    def _send(self, prompt: Prompt, sampling: Sampling, extra: dict[str, Any]) -> httpx.Response:
        """Sent again when it is refused for a parameter that can be named otherwise or left out."""
        while True:
            refused = set(self._unsupported)
            body = self._body(prompt, sampling, refused) | extra
            reply = post_with_deadline(self._client, self.endpoint.address, body, self.endpoint.timeout)
            name = unsupported_parameter(reply.text, refused) if reply.status_code == 400 else None
            if name is None:
                return reply
            self._unsupported.add(name)

    def _open(self, prompt: Prompt, sampling: Sampling) -> httpx.Response:
        refused = set(self._unsupported)
        body = {**self._body(prompt, sampling, refused), "stream": True}
        reply = self._client.send(self._client.build_request("POST", self.endpoint.address, json=body), stream=True)
        if reply.status_code >= 300:
            reply.read()
            if reply.status_code == 400 and (name := unsupported_parameter(reply.text, refused)):
                self._unsupported.add(name)
                return self._open(prompt, sampling)
        self._check_status(reply)
        return reply

    def _body(self, prompt: Prompt, sampling: Sampling, refused: set[str]) -> dict[str, Any]:
        return self._protocol.body(self.endpoint.model, prompt, sampling, refused)

    def _over_budget(self) -> StudioError:
        return self._error(
            "endpoints.budget_reached", budget=format_usd(self.budget.budget), spent=format_usd(self.budget.usd)
        )

    def _check_status(self, reply: httpx.Response) -> None:
        """Nothing for a good status; raises Retry or, when trying again can't help, StudioError."""
        status = reply.status_code
        if status == 200:
            return
        if status in errors.RETRY_STATUS_CODES:
            code = "chat.endpoint_busy" if status == 429 else "chat.endpoint_failed"
            raise errors.RetryableError(code, pause=errors.retry_after(reply.headers.get("Retry-After")), status=status)
        codes = {404: "chat.endpoint_not_found"}
        if status in (401, 403):
            codes[status] = self._refused_key()
        code = codes.get(status, "chat.endpoint_refused")
        raise self._error(code, status=status, reason=errors.error_text(reply))

    def _final_error(self, failed: errors.RetryableError, tries: int) -> StudioError:
        return self._error(failed.code, tries=tries, **failed.args_)

    def _error(self, code: str, **args: Any) -> StudioError:
        """The only place where errors are made: no argument holds the key, whoever repeated it."""
        about = {"model": self.name, "key_env": self.endpoint.key_env, "timeout": f"{self.endpoint.timeout:g}"}
        args |= {"url": self.endpoint.address, "kept": self.kept, "name": self.endpoint.name, **about}
        safe = {name: self._mask(value) if isinstance(value, str) else value for name, value in args.items()}
        if "reason" in safe:  # cut after masking: half a key is not found any more
            safe["reason"] = safe["reason"][:MAX_REASON_CHARS]
        return StudioError(code, **safe)

    def _refused_key(self) -> str:
        if self._typed:
            return "keys.refused"
        if self.endpoint.key_env:
            return "chat.endpoint_key"
        return "keys.wanted" if self.endpoint.name else "chat.endpoint_no_key"
