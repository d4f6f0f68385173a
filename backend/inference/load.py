"""How a server bears many clients: each sends its next request as soon as the last one is answered, streamed, over HTTP.

Knows OpenAI's chat completions only, so it measures what a caller sees: queueing, HTTP and decoding together.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import fmean
from time import perf_counter
from typing import Any

import httpx
from pydantic import BaseModel

from backend.data.dataset import Message
from backend.inference.benchmark import quantile
from backend.inference.protocol import Tick

_REASON = 160
REPORT = "load_test"
"""The word for a load test in the facts of reports."""


class Target(BaseModel):
    """Where requests go (`url` up to `/v1`) and what each asks for."""

    url: str
    key: str
    model: str
    max_new_tokens: int


class Asked(BaseModel):
    """One request as its client saw it: milliseconds to the first text and to the end, tokens by the server's count; `error`:
    why there was no whole answer."""

    ttft_ms: float = 0.0
    latency_ms: float = 0.0
    prompt_tokens: int = 0
    tokens: int = 0
    error: str = ""


class LoadLevel(BaseModel):
    """What so many clients at a time got. Times are of the requests that were answered, 0 where none was; tokens and requests
    a second are of all clients together; `reasons`: why requests failed, and how many for each."""

    clients: int
    requests: int
    errors: int
    reasons: dict[str, int]
    seconds: float
    ttft_ms_p50: float
    ttft_ms_p95: float
    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    tokens_per_s: float
    requests_per_s: float
    prompt_tokens: float
    answer_tokens: float


def measure_level(
    target: Target, prompts: Sequence[list[Message]], clients: int, requests: int, seconds: float, tick: Tick
) -> tuple[LoadLevel, list[Asked]]:
    """Send `requests` from `clients` at a time, prompts in turn. After `seconds` none is begun any more, and none is waited for
    longer than that. `tick` is called after each and may raise."""
    begun = perf_counter()
    found = asyncio.run(_ask_all(target, prompts, clients, requests, seconds, tick))
    return level_of(clients, found, perf_counter() - begun), found


def ask_once(target: Target, messages: list[Message], seconds: float) -> Asked:
    """One request."""
    return asyncio.run(_ask_all(target, [messages], 1, 1, seconds, lambda: None))[0]


def level_of(clients: int, found: Sequence[Asked], seconds: float) -> LoadLevel:
    """The figures of requests that took `seconds` together."""
    good = [each for each in found if not each.error]
    first = [each.ttft_ms for each in good] or [0.0]
    whole = [each.latency_ms for each in good] or [0.0]
    return LoadLevel(
        clients=clients,
        requests=len(found),
        errors=len(found) - len(good),
        reasons=dict(Counter(each.error for each in found if each.error)),
        seconds=seconds,
        ttft_ms_p50=quantile(first, 0.5),
        ttft_ms_p95=quantile(first, 0.95),
        latency_ms_p50=quantile(whole, 0.5),
        latency_ms_p95=quantile(whole, 0.95),
        latency_ms_p99=quantile(whole, 0.99),
        tokens_per_s=sum(each.tokens for each in good) / seconds,
        requests_per_s=len(good) / seconds,
        prompt_tokens=fmean(each.prompt_tokens for each in good) if good else 0.0,
        answer_tokens=fmean(each.tokens for each in good) if good else 0.0,
    )


async def _ask_all(
    target: Target, prompts: Sequence[list[Message]], clients: int, requests: int, seconds: float, tick: Tick
) -> list[Asked]:
    found: list[Asked] = []
    waiting = iter(range(requests))
    end = perf_counter() + seconds
    headers = {"authorization": f"Bearer {target.key}"}
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(headers=headers, limits=limits, timeout=seconds, trust_env=False) as http:

        async def client(numbers: Iterator[int]) -> None:
            for at in numbers:
                if perf_counter() >= end:
                    return
                found.append(await _ask(http, target, prompts[at % len(prompts)], seconds))
                tick()

        await asyncio.gather(*(client(waiting) for _ in range(clients)))
    return found


async def _ask(http: httpx.AsyncClient, target: Target, messages: list[Message], seconds: float) -> Asked:
    body = {
        "model": target.model,
        "messages": messages,
        "temperature": 0,
        "max_tokens": target.max_new_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    try:
        async with asyncio.timeout(seconds):
            return await _timed(http, f"{target.url}/chat/completions", body)
    except TimeoutError:
        return Asked(error="timeout")
    except httpx.HTTPError as error:
        return Asked(error=type(error).__name__)


async def _timed(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> Asked:
    begun = perf_counter()
    first, usage = 0.0, None
    async with http.stream("POST", url, json=body) as answer:
        if not answer.is_success:
            await answer.aread()
            return Asked(error=f"HTTP {answer.status_code}: {_why(answer)}"[:_REASON])
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            said = json.loads(line.removeprefix("data: "))
            if "error" in said:
                return Asked(error=str(said["error"].get("message", ""))[:_REASON] or "error")
            if not first and any(choice["delta"].get("content") for choice in said["choices"]):
                first = perf_counter() - begun
            usage = said.get("usage") or usage
    whole = perf_counter() - begun
    if usage is None:
        return Asked(error="the answer stopped before its end")
    return Asked(
        ttft_ms=1000 * (first or whole),
        latency_ms=1000 * whole,
        prompt_tokens=usage["prompt_tokens"],
        tokens=usage["completion_tokens"],
    )


def _why(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
