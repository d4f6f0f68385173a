"""What an answer costs: times at batch 1 after a warm-up, medians over real prompts; a new mark for the memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.data.dataset import Message
from backend.inference.protocol import ChatEngine, Prompt, Sampling, Tick

DECODE_TOKENS = 32
DECODE_PROMPTS = 5
_CLEAR = Path("/proc/self/clear_refs")


class Cost(BaseModel):
    """`ttft_ms`: from the messages to the first token; `latency_*`: to the end of the answer; both at batch 1."""

    ttft_ms: float
    latency_ms_p50: float
    latency_ms_p95: float
    decode_tokens_per_s: float


def measure_cost(engine: ChatEngine, prompts: Sequence[list[Message]], sampling: Sampling, tick: Tick) -> Cost:
    """Answer `prompts` one by one. The first is asked once before, unmeasured."""
    _time_answer(engine, prompts[0], sampling, tick)
    times = [_time_answer(engine, prompt, sampling, tick) for prompt in prompts]
    totals = [total for _, total in times]
    rates = [_decode_rate(engine, prompt, tick) for prompt in prompts[:DECODE_PROMPTS]]
    return Cost(
        ttft_ms=1000 * statistics.median(first for first, _ in times),
        latency_ms_p50=1000 * statistics.median(totals),
        latency_ms_p95=1000 * quantile(totals, 0.95),
        decode_tokens_per_s=statistics.median(rates),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest values, as numpy does it."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def reset_peak() -> None:
    """Start a new high-water mark of memory where the system has such a thing (Linux)."""
    if _CLEAR.exists():
        try:
            _CLEAR.write_text("5")
        except PermissionError:
            return


def _time_answer(engine: ChatEngine, messages: list[Message], sampling: Sampling, tick: Tick) -> tuple[float, float]:
    """Seconds to the first token and to the end. An answer without tokens ends where its first one would have been."""
    begun = time.perf_counter()
    first = 0.0
    for _ in _tokens(engine, engine.encode(messages), sampling):
        first = first or time.perf_counter() - begun
    total = time.perf_counter() - begun
    tick()
    return first or total, total


def _decode_rate(engine: ChatEngine, messages: list[Message], tick: Tick) -> float:
    """Tokens a second after the first, over a decode of fixed length. For an endpoint: pieces of its stream."""
    sampling = Sampling(max_new_tokens=DECODE_TOKENS, full_length=True)
    moments = [time.perf_counter() for _ in _tokens(engine, engine.encode(messages), sampling)]
    tick()
    return (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0


def _tokens(engine: ChatEngine, prompt: Prompt, sampling: Sampling) -> Iterator[Any]:
    stream = getattr(engine, "stream_ids", engine.stream)
    yield from stream(prompt, sampling)
