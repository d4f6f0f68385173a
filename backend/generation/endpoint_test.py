"""A short question to an endpoint: does it answer, how fast, does it stream, what does it take, and how much does it read?"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx

from backend.core.endpoints import EndpointTestResult, SavedEndpoint
from backend.core.errors import StudioError
from backend.generation.answerer import endpoint_from_saved
from backend.inference.protocol import Sampling
from backend.providers import bodies
from backend.providers.client import HttpEngine
from backend.providers.errors import FinalError, RetryableError
from backend.providers.protocols import EndpointReply
from backend.providers.quirks import NEVER_STREAMS

QUESTION = [{"role": "user", "content": "Count from one to ten in words, separated by commas."}]
SAMPLING = Sampling(max_new_tokens=64, temperature=0.1, seed=1)
"""Drawn, so that a seed and top-p are sent and a service that takes none can say so."""
REASONING_TOKENS = 2048
"""For a model that spent the first answer on its reasoning."""
TIMEOUT, LONGEST_PAUSE = 30.0, 5.0
_CONTEXT_KEYS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""What vLLM and others call the length that they read, in the list of models."""


def try_endpoint(saved: SavedEndpoint, key: str = "", quirks: Path | None = None) -> EndpointTestResult:
    """Ask it twice, whole and as a stream, with log-probabilities where the protocol has them; a service that refuses
    parameters is asked without. `key`: that was typed; empty for the one in the environment; `quirks`: the file that keeps
    what it does not take, learned afresh. Raises StudioError when it can't be asked or gives no answer."""
    how = {"concurrency": 1, "retries": 1, "timeout": TIMEOUT, "longest_pause": LONGEST_PAUSE, "quirks": quirks}
    engine = HttpEngine(endpoint_from_saved(saved, **how), key=key)
    try:
        engine.wire.quirks.forget()
        begun = time.perf_counter()
        reply = _ask(engine, SAMPLING)
        if not reply.text and (reply.reasoning or reply.finish_reason == "length"):
            begun = time.perf_counter()
            reply = _ask(engine, SAMPLING.model_copy(update={"max_new_tokens": REASONING_TOKENS}))
        seconds = time.perf_counter() - begun
        if not reply.text:
            raise StudioError("chat.teacher_empty", count=1, teacher=saved.name)
        streams, context = _streams(engine), _context(engine)
        left_out = engine.wire.quirks.names
    finally:
        engine.close()
    return EndpointTestResult(
        seconds=seconds,
        tokens_per_s=reply.usage.completion / seconds if reply.usage and seconds > 0 else None,
        logprobs=reply.logprobs,
        context=context,
        answer=reply.text[:200],
        streams=streams,
        seed="seed" in engine.wire.body(QUESTION, SAMPLING),
        left_out=sorted(left_out & {"seed", "top_p", "temperature", "logprobs"}),
        reasoning=bool(reply.reasoning),
    )


def _ask(engine: HttpEngine, sampling: Sampling) -> EndpointReply:
    """With log-probabilities, or without where the refusal does not say what it is about."""
    extra = engine.protocol.logprobs_params()
    try:
        return engine.reply(QUESTION, sampling, extra)
    except StudioError as error:
        if error.code != "chat.endpoint_refused" or not extra:
            raise
    return engine.reply(QUESTION, sampling)


def _streams(engine: HttpEngine) -> bool:
    try:
        for _ in engine.stream(QUESTION, SAMPLING):
            break
    except StudioError:
        return False
    return NEVER_STREAMS not in engine.wire.quirks.names


def _context(engine: HttpEngine) -> int | None:
    """From `GET <base>/models`, where the service has such a list and says it there."""
    base = engine.endpoint.url.rstrip("/").removesuffix(engine.protocol.path)
    try:
        with engine.http.stream("GET", f"{base}/models") as opened:
            listed: Any = json.loads(bodies.whole(opened, TIMEOUT).content)["data"]
        mine = next(each for each in listed if each.get("id") == engine.endpoint.model)
    except (httpx.HTTPError, FinalError, RetryableError, RecursionError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
    return next((int(mine[name]) for name in _CONTEXT_KEYS if isinstance(mine.get(name), int)), None)
