"""Times and memory, measured on an engine of known pace."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from backend.inference.benchmark import measure_cost, quantile, reset_peak
from backend.inference.protocol import Sampling
from backend.process.memory import peak_memory


class Clockwork:
    """20 ms to the first token, 5 ms for each further one."""

    name = "clockwork"

    def encode(self, messages: list[dict[str, str]]) -> list[int]:
        return [1]

    def stream_ids(self, prompt: list[int], sampling: Sampling) -> Iterator[int]:
        time.sleep(0.02)
        for token in range(sampling.max_new_tokens if sampling.full_length else 3):
            yield token
            time.sleep(0.005)

    stream = stream_ids


def test_times_of_a_known_pace() -> None:
    prompts = [[{"role": "user", "content": str(n)}] for n in range(5)]
    cost = measure_cost(Clockwork(), prompts, Sampling(max_new_tokens=3), lambda: None)  # type: ignore[arg-type]
    # A busy machine only makes it slower.
    assert 20 <= cost.ttft_ms <= cost.latency_ms_p50 and 35 <= cost.latency_ms_p50 <= cost.latency_ms_p95
    assert 0 < cost.decode_tokens_per_s <= 200


def test_quantiles_are_those_of_numpy() -> None:
    values = [5.0, 1.0, 9.0, 2.0]
    assert quantile(values, 0.95) == pytest.approx(np.quantile(values, 0.95))
    assert quantile([3.0], 0.95) == 3.0


def test_the_peak_sees_what_was_freed_again() -> None:
    reset_peak()
    before = peak_memory()
    block = np.ones(80_000_000, dtype=np.uint8)
    del block
    assert peak_memory() - before > 60_000_000
