"""Which sequences are decoded and which wait: a prompt is read in parts between the steps of all sequences that have begun."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from backend.core.errors import StudioError
from backend.inference.detokenizer import Detokenizer
from backend.inference.protocol import Decoder, Prefill
from backend.inference.sampler import Sampler, logprobs


@dataclass(eq=False)
class Sequence:
    """A prompt and its answer. `max_tokens`: how many the answer may have; `stops`: token ids that end it; `detokenizer`: for
    who wants text, which may end it too; `rated`: keep ln p of each token, the end of turn too, in `logprobs`.

    `finish`: stop, length or error (then `error` says which), "" while it goes on. `begun`, `first`, `last`: when its prompt
    was begun and its first and its last token came, by time.perf_counter().
    """

    prompt: list[int]
    max_tokens: int
    sampler: Sampler
    stops: frozenset[int]
    detokenizer: Detokenizer | None = None
    rated: bool = False
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = ""
    error: Exception | None = None
    begun: float = 0.0
    first: float = 0.0
    last: float = 0.0
    arrival: int = field(default_factory=count().__next__)

    def take(self, logits: Any) -> None:
        """Its next token."""
        token = self.sampler(logits)
        self.last = time.perf_counter()
        self.first = self.first or self.last
        if self.rated:
            self.logprobs.append(logprobs(logits, token)[0])
        if token in self.stops:
            self.finish = "stop"
            return
        self.tokens.append(token)
        if len(self.tokens) >= self.max_tokens:
            self.finish = "length"
        if self.detokenizer:
            self.detokenizer.push(token, logits)
            if self.detokenizer.stopped:
                self.finish = "stop"

    def fail(self, error: Exception) -> None:
        self.finish, self.error = "error", error


class Scheduler:
    """`slots`: sequences that are decoded at a time, in at most `cache_bytes` of KV cache; `others`: (sequences, bytes) of
    other models that share these bounds. Belongs to one thread."""

    def __init__(
        self, decoder: Decoder, slots: int, cache_bytes: int, others: Callable[[], tuple[int, int]] = lambda: (0, 0)
    ) -> None:
        self._decoder = decoder
        self._slots = slots
        self._cache_bytes = cache_bytes
        self._others = others
        self._waiting: deque[Sequence] = deque()
        self._in_prefill: tuple[Sequence, Prefill] | None = None
        self._running: list[Sequence] = []  # in the order of the decoder's rows

    @property
    def idle(self) -> bool:
        return not (self._waiting or self._in_prefill or self._running)

    @property
    def held(self) -> tuple[int, int]:
        """Sequences that are decoded, and the bytes of their KV cache."""
        return len(self._running), self._decoder.bytes_for(self._decoder.lengths) if self._running else 0

    def add(self, sequence: Sequence) -> None:
        self._waiting.append(sequence)

    def drop(self, sequence: Sequence) -> None:
        """Nobody waits for its answer. Nothing happens when it has ended."""
        if sequence in self._waiting:
            self._waiting.remove(sequence)
        elif sequence in self._running:
            self._free(self._running.index(sequence))
        elif self._in_prefill and self._in_prefill[0] is sequence:
            self._in_prefill = None

    def step(self) -> list[Sequence]:
        """Give a token to every sequence that has begun, then read a part of the next prompt: the sequences that got a token
        or ended. A failure ends the sequences that it met."""
        changed = self._decode() if self._running else []
        if self._in_prefill or self._may_begin():
            changed += self._read()
        return changed

    def _decode(self) -> list[Sequence]:
        self._preempt()
        running = list(self._running)
        try:
            logits = self._decoder.step([sequence.tokens[-1] for sequence in running])
        except Exception as error:
            for at in reversed(range(len(running))):
                running[at].fail(error)
                self._free(at)
            return running
        for at in reversed(range(len(running))):  # a freed row is taken by the last, which is done already
            self._take(at, logits[at])
        return running

    def _read(self) -> list[Sequence]:
        """A part of a prompt: its sequence when that was the last."""
        sequence = self._in_prefill[0] if self._in_prefill else self._waiting.popleft()
        try:
            self._in_prefill = self._in_prefill or (sequence, self._prefilled(sequence))
            prefill = self._in_prefill[1]
            logits = prefill.step()
            if logits is None:
                return []
            self._decoder.join(prefill)
        except Exception as error:
            self._in_prefill = None
            sequence.fail(error)
            return [sequence]
        self._in_prefill = None
        self._running.append(sequence)
        self._take(len(self._running) - 1, logits)
        return [sequence]

    def _prefilled(self, sequence: Sequence) -> Prefill:
        sequence.begun = sequence.begun or time.perf_counter()
        return self._decoder.prefill([*sequence.prompt, *sequence.tokens], len(sequence.prompt) + sequence.max_tokens)

    def _may_begin(self) -> bool:
        """Whether there is a slot and memory for the first that waits, beside the others."""
        others, held = self._others()
        if not self._waiting or len(self._running) + others >= self._slots:
            return False
        if not (self._running or others):
            return True
        first = self._waiting[0]
        length = len(first.prompt) + len(first.tokens) + 1
        return self._decoder.bytes_for([*self._decoder.lengths, length]) + held <= self._cache_bytes

    def _preempt(self) -> None:
        """The youngest wait again when the next step would need too much memory; later they are read anew, with what they
        have said."""
        held = self._others()[1]
        while len(self._running) > 1:
            if self._decoder.bytes_for([length + 1 for length in self._decoder.lengths]) + held <= self._cache_bytes:
                return
            youngest = max(self._running, key=lambda sequence: sequence.arrival)
            self._waiting.appendleft(youngest)
            self._free(self._running.index(youngest))

    def _take(self, at: int, logits: Any) -> None:
        sequence = self._running[at]
        try:
            sequence.take(logits)
        except StudioError as error:  # its constraint met a dead end: no concern of the others
            sequence.fail(error)
        if sequence.finish:
            self._free(at)

    def _free(self, at: int) -> None:
        """The last row takes its place."""
        self._decoder.drop(at)
        self._running[at] = self._running[-1]
        self._running.pop()
