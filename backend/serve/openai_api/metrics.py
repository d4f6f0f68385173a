"""What a server counts, in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds of the histograms."""


class Histogram:
    """How often a time fell between two bounds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def lines(self, name: str) -> Iterator[str]:
        bounds = [*(f"{bound:g}" for bound in SECONDS), "+Inf"]
        for bound, count in zip(bounds, accumulate(self.counts), strict=True):
            yield f'{name}_bucket{{le="{bound}"}} {count}'
        yield f"{name}_sum {self.total:.6f}"
        yield f"{name}_count {sum(self.counts)}"


@dataclass
class Metrics:
    """`answers`: responses by status. `waiting` and `running`: requests whose answer has not begun, or is being given."""

    answers: Counter[int] = field(default_factory=Counter)
    waiting: int = 0
    running: int = 0
    left: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token: Histogram = field(default_factory=Histogram)
    whole: Histogram = field(default_factory=Histogram)
    begun: float = field(default_factory=time.monotonic)

    def text(self, restarts: int, ready: bool, memory: dict[str, int]) -> str:
        """`memory`: resident bytes by process."""
        plain = {
            "slmops_requests_waiting": ("gauge", "Requests that wait for their first token.", self.waiting),
            "slmops_requests_running": ("gauge", "Requests whose answer is being given.", self.running),
            "slmops_clients_left_total": ("counter", "Answers whose client left before their end.", self.left),
            "slmops_prompt_tokens_total": ("counter", "Tokens of prompts.", self.prompt_tokens),
            "slmops_completion_tokens_total": ("counter", "Tokens of answers.", self.completion_tokens),
            "slmops_model_restarts_total": ("counter", "How often the model's process was started again.", restarts),
            "slmops_model_ready": ("gauge", "1 while the model can answer.", int(ready)),
        }
        lines = _head("slmops_responses_total", "counter", "Responses by HTTP status.")
        lines += [f'slmops_responses_total{{status="{code}"}} {n}' for code, n in sorted(self.answers.items())]
        for name, (kind, words, value) in plain.items():
            lines += [*_head(name, kind, words), f"{name} {value}"]
        lines += _head("slmops_memory_bytes", "gauge", "Resident memory of a process.")
        lines += [f'slmops_memory_bytes{{process="{name}"}} {value}' for name, value in memory.items()]
        timed = {
            "slmops_time_to_first_token_seconds": ("From the request to its first text.", self.first_token),
            "slmops_request_seconds": ("From the request to the end of its answer.", self.whole),
        }
        for name, (words, histogram) in timed.items():
            lines += [*_head(name, "histogram", words), *histogram.lines(name)]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, words: str) -> list[str]:
    return [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
