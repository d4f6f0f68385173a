"""Tokens and money of one job, and the budget that it never passes.

Before a request is sent, the most that it can cost is reserved; its reply's own count replaces that. A file in the job's
folder keeps both over a crash, so that a second attempt goes on counting: a reservation whose end is not in it was sent and
may be charged, so it counts as spent. Its lines are `{"reserve": id, "usd": x}` before a request and `{"id": id, ...}` with
what it took, or nothing, after it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Cancelled
from backend.data.dataset import Message, message_text
from backend.models import costs

BUDGET_FILE = "spend.jsonl"
_MESSAGE_OVERHEAD = 16
"""Tokens of a message around its text, at most: role, beginning and end of turn."""
_REPORT_SECONDS = 3.0
_WAIT_SECONDS = 0.2
Report = Callable[[str, float, float], None]


class Usage(NamedTuple):
    """Tokens of one exchange."""

    prompt: int
    completion: int


class Prices(BaseModel):
    """USD per million tokens."""

    model_config = ConfigDict(frozen=True)

    input: float = 0.0
    output: float = 0.0

    def cost(self, prompt: float, completion: float) -> float:
        """USD."""
        return (prompt * self.input + completion * self.output) / 1e6


class Reservation(NamedTuple):
    """USD set aside for one request; `id` in the file, 0 for one that can't cost anything."""

    usd: float
    id: int = 0


class OverBudget(Exception):
    """The next request could pass the budget, and none is under way that could free some of it."""


class Budget:
    """Shared by all threads and engines of a job. `budget` in USD, 0: none; `file` keeps the count; `report` gets metrics
    (name, value, number of the request)."""

    def __init__(self, budget: float = 0.0, file: Path | None = None, report: Report | None = None) -> None:
        self.budget = budget
        self.prompt_tokens = self.completion_tokens = self.requests = self.guessed = 0
        self.usd = 0.0
        self._reserved = 0.0
        self._file, self._report, self._last = file, report, 0.0
        self._changed = threading.Condition()
        self._ids = 0
        self._load()

    def reserve(self, usd: float, stopped: Callable[[], bool]) -> Reservation:
        """Set `usd` aside. Waits for requests under way when it doesn't fit beside them; raises OverBudget when it does not
        fit at all, and Cancelled when `stopped` turns true."""
        with self._changed:
            while self.budget and self.usd + self._reserved + usd > self.budget:
                if stopped():
                    raise Cancelled
                if self.usd + usd > self.budget and self._reserved <= 0:
                    raise OverBudget
                self._changed.wait(_WAIT_SECONDS)
            if not usd:
                return Reservation(0.0)
            self._ids += 1
            self._write({"reserve": self._ids, "usd": usd})
            self._reserved += usd
            return Reservation(usd, self._ids)

    def settle(self, reserved: Reservation, usage: Usage, prices: Prices, guessed: bool = False) -> None:
        """The request that `reserved` was for has ended and took this. `guessed`: the endpoint did not count, so that under
        a budget it costs all that was reserved."""
        cost = reserved.usd if guessed and self.budget else prices.cost(*usage)
        self._end(reserved, prompt=usage.prompt, completion=usage.completion, usd=cost, guessed=int(guessed))

    def charge_reserved(self, reserved: Reservation) -> None:
        """It broke off after it was sent: it may be charged in full, so it counts in full."""
        self._end(reserved, usd=reserved.usd)

    def release(self, reserved: Reservation) -> None:
        """It was refused and costs nothing."""
        with self._changed:
            self._free(reserved)
            if reserved.id:
                self._write({"id": reserved.id})

    def report_metrics(self, now: bool = False) -> None:
        """Report the counters, every three seconds at most unless `now`."""
        if self._report and self.requests and (now or time.monotonic() - self._last >= _REPORT_SECONDS):
            self._last = time.monotonic()
            for name, value in self.metrics().items():
                self._report(name, value, self.requests)

    def metrics(self) -> dict[str, float]:
        """The counters by their names; {} when nobody was asked."""
        if not self.requests:
            return {}
        counts = {"prompt_tokens": float(self.prompt_tokens), "completion_tokens": float(self.completion_tokens)}
        return {"spent_usd": self.usd} | counts

    def _end(
        self, reserved: Reservation, prompt: int = 0, completion: int = 0, usd: float = 0.0, guessed: int = 0
    ) -> None:
        line: dict[str, float] = {"prompt": prompt, "completion": completion, "usd": usd, "guessed": guessed}
        with self._changed:
            self._free(reserved)
            self._add(**line)
            self._write(({"id": reserved.id} if reserved.id else {}) | line)

    def _free(self, reserved: Reservation) -> None:
        self._reserved = max(0.0, self._reserved - reserved.usd)
        self._reserved = 0.0 if self._reserved < 1e-12 else self._reserved  # what sums of floats leave over
        self._changed.notify_all()

    def _load(self) -> None:
        """What earlier attempts spent."""
        under_way: dict[float, float] = {}
        for line in _lines(self._file):
            if "reserve" in line:
                under_way[line["reserve"]] = line["usd"]
                self._ids = max(self._ids, int(line["reserve"]))
                continue
            under_way.pop(line.pop("id", 0), None)
            if line:
                self._add(**line)
        for usd in under_way.values():
            self._add(0, 0, usd, 0)

    def _write(self, line: dict[str, float]) -> None:
        """On a line of its own, also after one that a crash cut off."""
        if self._file is None:
            return
        with self._file.open("ab+") as stream:
            if stream.seek(0, os.SEEK_END):
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    stream.write(b"\n")
            stream.write(json.dumps(line).encode() + b"\n")

    def _add(self, prompt: float, completion: float, usd: float, guessed: float) -> None:
        self.prompt_tokens += int(prompt)
        self.completion_tokens += int(completion)
        self.usd += usd
        self.guessed += int(guessed)
        self.requests += 1


def max_usage(messages: Sequence[Message], max_new_tokens: int) -> Usage:
    """The most tokens that a request can take: a token is one byte of text or more."""
    prompt = sum(len(_sent(message).encode("utf-8", "replace")) + _MESSAGE_OVERHEAD for message in messages)
    return Usage(prompt, max_new_tokens)


def estimate_usage(messages: Sequence[Message], answer: str) -> Usage:
    """The usual tokens of an exchange that the endpoint doesn't count."""
    chars = sum(len(_sent(message)) for message in messages)
    return Usage(round(costs.prompt_tokens(chars)), round(costs.answer_tokens({"answer_chars": len(answer)})))


def _sent(message: Message) -> str:
    tools = message.get("tools")
    return message_text(message) + (json.dumps(tools) if tools else "")


def format_usd(usd: float) -> str:
    """`0.00123`, `0.25`, `12.40`: two digits, more for small sums."""
    return f"{usd:.2f}" if usd >= 0.1 or usd == 0 else f"{usd:.5f}"


def _lines(file: Path | None) -> list[dict[str, float]]:
    """The lines of a file, without those that a crash broke."""
    if file is None or not file.is_file():
        return []
    found = []
    for line in file.read_text("utf-8", errors="replace").splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if isinstance(content, dict):
            found.append(content)
    return found
