"""Answers from an endpoint (OpenAI's chat completions, Azure's, or Anthropic's messages), plain or streamed.

The key is given, or read from an environment variable when the engine is made; it goes into one header and nowhere else. What
can be tried again (429, 5xx, time-outs, broken connections, garbage) is, with growing pauses or those that the endpoint asks
for; the rest ends at once: a refused key, an empty account, a redirect, a pause that is too long. Every request respects the
rate limit (`rate_limit`) and has its cost reserved before it is sent (`budget`).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict

from backend.core.endpoints import ApiProtocol
from backend.core.errors import Cancelled, StudioError
from backend.data.dataset import Message, called_names
from backend.inference.protocol import Prompt, Sampling, Tick
from backend.providers import addresses, errors
from backend.providers.bodies import ACCEPT_ENCODING
from backend.providers.budget import Budget, OverBudget, Prices, Reservation, estimate_usage, format_usd, max_usage
from backend.providers.concurrency import ConcurrentRequests
from backend.providers.extras import resolved
from backend.providers.keys import masker
from backend.providers.network import open_client, proxy_for
from backend.providers.protocols import PROTOCOLS, EndpointReply
from backend.providers.quirks import Quirks
from backend.providers.rate_limit import RateLimit
from backend.providers.reply_text import clean
from backend.providers.variables import secret
from backend.providers.wire import OpenStream, Tell, Wire

MAX_BACKOFF_SECONDS = 60.0
MAX_PAUSE_SECONDS = 900.0
"""The longest pause that an endpoint may ask for; a job that would wait longer ends and names the time."""
_TOLD_PAUSE_SECONDS = 10.0
T = TypeVar("T")


class Endpoint(BaseModel):
    """Where and how to ask. `timeout` and pauses in seconds; `key_env` names an environment variable, "" means no key;
    `requests_per_minute` and `tokens_per_minute` 0: as often as it answers; `name`: under which it is saved, if it is;
    `headers` and `body` are added to each request (`extras`); `quirks`: the file that keeps what it does not take."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    url: str
    model: str
    key_env: str = ""
    concurrency: int = 4
    retries: int = 5
    timeout: float = 60.0
    initial_backoff: float = 0.5
    longest_pause: float = MAX_PAUSE_SECONDS
    protocol: ApiProtocol = "openai"
    api_version: str = ""
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    prices: Prices = Prices()
    quirks: Path | None = None

    @property
    def address(self) -> str:
        return PROTOCOLS[self.protocol].address(self.url, self.api_version)


class HttpEngine:
    """`kept` counts answers that survive a failure; the errors name it. `budget` counts tokens and money and holds the
    budget. `key`: one that was typed; else the variable counts. `tell` hears what the endpoint does not take and for how long
    it asks to wait. Raises StudioError when the key is not set, or the address, a proxy or a certificate can't be used."""

    def __init__(
        self, endpoint: Endpoint, budget: Budget | None = None, key: str = "", tell: Tell = lambda words: None
    ) -> None:
        self.endpoint = endpoint
        self.name = endpoint.model
        self.kept = 0
        self.budget = budget or Budget()
        self._stop = threading.Event()
        self._rate_limit = RateLimit(endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.protocol = PROTOCOLS[endpoint.protocol]
        self._typed, self._tell = bool(key), tell
        self._key = key or secret(endpoint.key_env)
        if endpoint.key_env and not self._key:
            raise StudioError("chat.endpoint_key_missing", key_env=endpoint.key_env, url=endpoint.address)
        added, secrets, missing = resolved(endpoint.headers, self._key)
        if missing:
            raise StudioError("wire.header_missing", name=missing, url=endpoint.address)
        self._proxy = proxy_for(endpoint.url)
        self._mask = masker([self._key, *secrets, urlsplit(self._proxy.url).password or "" if self._proxy else ""])
        self._check_host()
        self.headers = {"Accept-Encoding": ACCEPT_ENCODING} | self.protocol.headers(self._key) | added
        #: For other requests to the same service (its list of models, its batches): same route, key and headers.
        self.http = open_client(endpoint.url, self.headers, endpoint.timeout, endpoint.concurrency + 1)
        quirks = Quirks(endpoint.address, endpoint.model, endpoint.quirks)
        about = (endpoint.address, endpoint.model, endpoint.body, endpoint.timeout)
        self.wire = Wire(self.http, self.protocol, *about, quirks, tell)

    def encode(self, messages: list[Message]) -> Prompt:
        """Raises StudioError for tools that the protocol is not sent."""
        if called_names(messages) and not self.protocol.sends_tools:
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
        return self._with_retries(lambda: self._ask(prompt, sampling, extra), prompt, sampling)

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
        opened: OpenStream | None = None
        text = ""
        reserved = self._reserve_or_raise(prompt, sampling)
        try:
            opened = self._with_retries(lambda: self.wire.open(prompt, sampling), prompt, sampling)
            with closing(opened):
                for piece in opened.pieces():
                    text += piece
                    yield piece
        except (errors.RetryableError, errors.FinalError) as failed:
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
        self.http.close()

    def _reply(self, prompt: Prompt, sampling: Sampling) -> EndpointReply:
        return self._with_retries(lambda: self._ask(prompt, sampling), prompt, sampling)

    def _with_retries(self, ask: Callable[[], T], prompt: Prompt, sampling: Sampling) -> T:
        tries = self.endpoint.retries + 1
        tokens = estimate_usage(prompt, "").prompt + sampling.max_new_tokens if self.endpoint.tokens_per_minute else 0
        for attempt in range(tries):
            if not self._rate_limit.wait(self._stop, tokens):
                raise Cancelled
            try:
                return ask()
            except errors.RetryableError as failed:
                last: errors.RetryableError | errors.FinalError = failed
            except errors.FinalError as failed:
                raise self._final_error(failed, attempt + 1) from None
            except httpx.HTTPError as error:
                last = errors.transport_error(error)
            if isinstance(last, errors.FinalError):
                raise self._final_error(last, attempt + 1)
            if attempt + 1 < tries:
                self._wait(last, self.endpoint.initial_backoff * 2**attempt * random.uniform(0.75, 1.25))
        raise self._final_error(last, tries)

    def _wait(self, failed: errors.RetryableError, backoff: float) -> None:
        """Before the next try; as long as the endpoint asks, or not at all when that is too long."""
        asked = failed.pause or 0.0
        if asked > self.endpoint.longest_pause:
            raise self._error("wire.wait_too_long", until=_clock(asked), **failed.args_)
        if asked and self._rate_limit.pause(asked) and asked >= _TOLD_PAUSE_SECONDS:
            self._tell(f"{self.endpoint.address} asks to wait {asked:.0f} s: paused until {_clock(asked)}.")
        if self._stop.wait(max(min(MAX_BACKOFF_SECONDS, backoff), asked)):
            raise Cancelled

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
            reply = self.wire.send(prompt, sampling, extra)
            answered = True
            said = self.wire.read(reply)
        except BaseException as error:
            (self.budget.charge_reserved if answered or errors.may_be_charged(error) else self.budget.release)(reserved)
            raise
        usage = said.usage or estimate_usage(prompt, said.text)
        self.budget.settle(reserved, usage, self.endpoint.prices, guessed=said.usage is None)
        return said

    def _over_budget(self) -> StudioError:
        return self._error(
            "endpoints.budget_reached", budget=format_usd(self.budget.budget), spent=format_usd(self.budget.usd)
        )

    def _check_host(self) -> None:
        """Raises StudioError for an address that may not be asked; a proxy looks names up itself."""
        host = urlsplit(self.endpoint.url).hostname or ""
        code = addresses.forbidden(host)
        if not code and self._proxy is None and addresses.resolves_to_metadata(host):
            code = "wire.metadata_host"
        if code:
            raise StudioError(code, host=host, variable=addresses.HOSTS_VARIABLE)

    def failure(self, failed: errors.RetryableError | errors.FinalError, tries: int) -> StudioError:
        """The error for a request to the same service that failed so, after `tries`; no argument holds a secret."""
        return self._final_error(failed, tries)

    def _final_error(self, failed: errors.RetryableError | errors.FinalError, tries: int) -> StudioError:
        code = self._refused_key() if failed.code == "key" else failed.code
        if code == "chat.endpoint_unreachable" and self._proxy:
            code = "network.proxy_unreachable"
        if code == "network.proxy_refused" and not self._proxy:
            code = "chat.endpoint_refused"
        return self._error(code, tries=tries, **failed.args_)

    def _error(self, code: str, **args: Any) -> StudioError:
        """The only place where errors are made: no argument holds a secret, whoever repeated it."""
        about = {"model": self.name, "key_env": self.endpoint.key_env, "timeout": f"{self.endpoint.timeout:g}"}
        args |= {"url": self.endpoint.address, "kept": self.kept, "name": self.endpoint.name, **about}
        args |= {"proxy": self._proxy.shown, "variable": self._proxy.variable} if self._proxy else {}
        longest = errors.MAX_RAW_CHARS if isinstance(args.get("reason"), errors.Raw) else errors.MAX_REASON_CHARS
        safe = {name: clean(self._mask(value)) if isinstance(value, str) else value for name, value in args.items()}
        if "reason" in safe:  # cut after masking: half a key is not found any more
            safe["reason"] = errors.shorten(safe["reason"], longest)
        return StudioError(code, **safe)

    def _refused_key(self) -> str:
        if self._typed:
            return "keys.refused"
        if self.endpoint.key_env:
            return "chat.endpoint_key"
        return "keys.wanted" if self.endpoint.name else "chat.endpoint_no_key"


def _clock(seconds: float) -> str:
    """The time in `seconds` from now on this machine's clock, with its date when that is another day."""
    now = datetime.now().astimezone()
    then = now + timedelta(seconds=seconds)
    return then.strftime("%H:%M:%S" if then.date() == now.date() else "%Y-%m-%d %H:%M")
