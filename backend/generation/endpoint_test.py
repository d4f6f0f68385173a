"""One short question to an endpoint: does it answer, how fast, with log-probabilities, and how much does it read?"""

from __future__ import annotations

import time
from typing import Any

import httpx

from backend.core.endpoints import EndpointTestResult, SavedEndpoint
from backend.core.errors import StudioError
from backend.generation.answerer import endpoint_from_saved
from backend.inference.protocol import Sampling
from backend.providers.client import Endpoint, HttpEngine
from backend.providers.protocols import PROTOCOLS, EndpointReply

QUESTION = [{"role": "user", "content": "Count from one to ten in words, separated by commas."}]
SAMPLING = Sampling(max_new_tokens=64)
TIMEOUT = 30.0
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What vLLM and others call the length that they read, in the list of models."""


def try_endpoint(saved: SavedEndpoint, key: str = "") -> EndpointTestResult:
    """Ask it once, with log-probabilities where the protocol has them; a service that refuses those is asked without.
    `key`: that was typed; empty for the one in the environment. Raises StudioError when it can't be asked or gives no
    answer."""
    endpoint = endpoint_from_saved(saved, concurrency=1, retries=1, timeout=TIMEOUT)
    engine = HttpEngine(endpoint, key=key)
    try:
        begun = time.perf_counter()
        extra = PROTOCOLS[endpoint.protocol].logprobs_params()
        try:
            reply = engine.reply(QUESTION, SAMPLING, extra)
        except StudioError as error:
            if error.code != "chat.endpoint_refused" or not extra:
                raise
            begun = time.perf_counter()
            reply = engine.reply(QUESTION, SAMPLING)
        seconds = time.perf_counter() - begun
        context = _context(endpoint, engine.headers)
    finally:
        engine.close()
    if not reply.text:
        raise StudioError("chat.teacher_empty", count=1, teacher=saved.name)
    return EndpointTestResult(
        seconds=seconds,
        tokens_per_s=_rate(reply, seconds),
        logprobs=reply.logprobs,
        context=context,
        answer=reply.text[:200],
    )


def _rate(reply: EndpointReply, seconds: float) -> float | None:
    return reply.usage.completion / seconds if reply.usage and seconds > 0 else None


def _context(endpoint: Endpoint, headers: dict[str, str]) -> int | None:
    """From `GET <base>/models`, where the service has such a list and says it there."""
    base = endpoint.url.rstrip("/").removesuffix(PROTOCOLS[endpoint.protocol].path)
    try:
        listed: Any = httpx.get(f"{base}/models", headers=headers, timeout=TIMEOUT).json()["data"]
        mine = next(each for each in listed if each.get("id") == endpoint.model)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
    return next((int(mine[name]) for name in _CONTEXT_KEYS if isinstance(mine.get(name), int)), None)
