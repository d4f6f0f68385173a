"""Which answers are at work and which wait: a prompt is read in parts between the steps of all answers that have begun."""

from __future__ import annotations

import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from backend.serve.openai_api.detokenizer import Writing
from backend.serve.openai_api.sampler import Draw

Tell = Callable[[list[Any]], None]
"""Takes an event: `["say", id, text, entries, tokens]`, `["end", id, finish, tokens]` or `["fail", id, exception]`."""


class Reading(Protocol):
    """A prompt while it is read."""

    def step(self) -> Any:
        """Logits [vocabulary] after the whole prompt; None while there is more to read."""


class Rows(Protocol):
    """Answers that go on together. `lengths`: tokens of each row so far."""

    lengths: list[int]

    def bytes_for(self, lengths: Sequence[int]) -> int: ...

    def read(self, ids: Sequence[int]) -> Any: ...

    def join(self, reading: Any) -> None: ...

    def step(self, tokens: Sequence[int]) -> Any: ...

    def drop(self, at: int) -> None: ...


@dataclass
class Turn:
    """One answer. `most`: how many tokens it may have; `said`: those that it has."""

    id: int
    prompt: list[int]
    most: int
    draw: Draw
    writing: Writing
    said: list[int] = field(default_factory=list)


class Turns:
    """`most` answers at a time, in at most `budget` bytes of keys and values; `stops`: token ids that end an answer; `beside`:
    (answers, bytes) of other models that share these bounds. Belongs to one thread."""

    def __init__(
        self,
        rows: Rows,
        stops: frozenset[int],
        most: int,
        budget: int,
        tell: Tell,
        beside: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self._rows = rows
        self._stops = stops
        self._most = most
        self._budget = budget
        self._tell = tell
        self._beside = beside
        self._waiting: deque[Turn] = deque()
        self._active: list[Turn] = []
        self._read: tuple[Turn, Reading] | None = None

    @property
    def idle(self) -> bool:
        return not (self._waiting or self._active or self._read)

    @property
    def held(self) -> tuple[int, int]:
        """Answers that have begun, and the bytes of their keys and values."""
        return len(self._active), self._rows.bytes_for(self._rows.lengths) if self._active else 0

    def add(self, turn: Turn) -> None:
        self._waiting.append(turn)

    def stop(self, id: int) -> None:
        """Its client left. Nothing happens when it has ended."""
        self._waiting = deque(turn for turn in self._waiting if turn.id != id)
        if self._read and self._read[0].id == id:
            self._read = None
        for at, turn in enumerate(self._active):
            if turn.id == id:
                return self._drop(at)

    def round(self) -> None:
        """Read a part of the next prompt, then give a token to every answer that has begun."""
        if self._read is None:
            self._begin()
        if self._read is not None:
            self._go_on(*self._read)
        if self._active:
            self._make_room()
            self._step()

    def _begin(self) -> None:
        """Begin to read the first that waits, when there is room for it beside the others."""
        answers, held = self._beside()
        if not self._waiting or len(self._active) + answers >= self._most:
            return
        turn = self._waiting[0]
        ids = [*turn.prompt, *turn.said]
        if (self._active or answers) and self._rows.bytes_for(
            [*self._rows.lengths, len(ids) + 1]
        ) + held > self._budget:
            return
        self._waiting.popleft()
        self._read = turn, self._rows.read(ids)

    def _go_on(self, turn: Turn, reading: Reading) -> None:
        try:
            logits = reading.step()
            if logits is None:
                return
            self._rows.join(reading)
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            self._read = None
            self._tell(["fail", turn.id, error])
            return
        self._read = None
        self._active.append(turn)
        self._take(len(self._active) - 1, logits)

    def _make_room(self) -> None:
        """The youngest answers wait again when the next step would need too much memory; later they are read anew, with
        what they have said."""
        held = self._beside()[1]
        while len(self._active) > 1:
            if self._rows.bytes_for([length + 1 for length in self._rows.lengths]) + held <= self._budget:
                return
            youngest = max(range(len(self._active)), key=lambda at: self._active[at].id)
            self._waiting.appendleft(self._active[youngest])
            self._drop(youngest)

    def _step(self) -> None:
        logits = self._rows.step([turn.said[-1] for turn in self._active])
        for at in range(
            len(self._active) - 1, -1, -1
        ):  # a row that ends is replaced by the last, which is done already
            self._take(at, logits[at])

    def _take(self, at: int, logits: Any) -> None:
        """The next token of an answer."""
        turn = self._active[at]
        token = turn.draw(logits)
        if token in self._stops:
            return self._end(at, "stop")
        turn.said.append(token)
        turn.writing.push(token, logits)
        if turn.writing.stopped:
            return self._end(at, "stop")
        if len(turn.said) >= turn.most:
            return self._end(at, "length")
        text, entries = turn.writing.take()
        if text:
            self._tell(["say", turn.id, text, entries, len(turn.said)])

    def _end(self, at: int, finish: str) -> None:
        turn = self._active[at]
        text, entries = turn.writing.finish()
        if text or entries:
            self._tell(["say", turn.id, text, entries, len(turn.said)])
        self._tell(["end", turn.id, finish, len(turn.said)])
        self._drop(at)

    def _drop(self, at: int) -> None:
        """The last row takes its place."""
        self._rows.drop(at)
        self._active[at] = self._active[-1]
        self._active.pop()
