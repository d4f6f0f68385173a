"""Answers by a batch API: the missing prompts go out in batches, which are waited for.

What is open is written down before it is paid for, in the job's checkpoints. A job that goes on after a crash or a restart of
the worker waits for the same batch; where the reply to the creation never came, the batch is looked for at the service before
another is made. A batch is cancelled with its job, and what it had answered by then is read when the job is run again.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from backend.core.errors import Cancelled, StudioError
from backend.core.progress import Progress
from backend.core.stage import CANCEL_FILE, Context
from backend.core.units import duration_text
from backend.data.dataset import Message
from backend.generation.answerer import Answerer, sampling_identity
from backend.generation.batch import Reply, of_endpoint
from backend.generation.cache import content_key, prompt_key
from backend.inference.protocol import Sampling
from backend.providers.batches import BATCHES, Line, OpenAIBatches, Status, Unsure, whole_results
from backend.providers.budget import Prices, Reservation, Usage, estimate_usage, format_usd, max_usage
from backend.providers.client import HttpEngine
from backend.providers.quirks import quirk_of

PRICE_SHARE = 0.5
"""What a request costs in a batch, of its price alone: at OpenAI and Anthropic alike."""
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 5.0, 60.0
LOOK_SECONDS = 5.0
"""Before a batch that may have been made is looked for: lists lag behind."""
MAX_EMPTY_ROUNDS = 3
"""Batches one after another that answer nothing, after which the job ends."""
_TICK_SECONDS = 0.2
_SAID_SECONDS = 900.0


class OpenBatch(BaseModel):
    """A batch that is being made (`id` "") or waited for. `keys`: of its prompts, in order; a request's id is the tag and its
    number. `since`: seconds of the epoch; `settled`: its cost is counted; `others`: looked at and not ours."""

    tag: str
    keys: list[str]
    since: float
    file: str = ""
    id: str = ""
    cancelled: bool = False
    settled: bool = False
    others: list[str] = []


class BatchSource:
    """Replies to prompts by batches: called as `backend.generation.batch.Source`."""

    def __init__(self, answerer: Answerer, sampling: Sampling, ctx: Context, progress: Progress) -> None:
        assert isinstance(answerer.engine, HttpEngine)
        self.engine, self.budget = answerer.engine, answerer.budget
        self.sampling, self.ctx, self.progress = sampling, ctx, progress
        self.api: OpenAIBatches = BATCHES[self.engine.endpoint.protocol](self.engine, self._wait)
        prices = self.engine.endpoint.prices
        self.prices = Prices(input=prices.input * PRICE_SHARE, output=prices.output * PRICE_SHARE)
        mark = content_key({**answerer.identity, **sampling_identity(sampling)})[:16]
        self.file: Path = ctx.checkpoints / f"batch-{mark}.json"

    def __call__(self, prompts: Sequence[list[Message]]) -> Iterator[tuple[int, Reply]]:
        """(number of the prompt, its reply). Raises StudioError when a batch fails as a whole or the budget is reached, and
        Cancelled after the batch has been cancelled too."""
        left = {prompt_key(prompt): (at, self.engine.encode(prompt)) for at, prompt in enumerate(prompts)}
        state, rounds = self._load(), 0
        while left:
            if state is None:
                state = self._prepare({key: prompt for key, (_, prompt) in left.items()})
            lines = self._lines_of(state, {key: prompt for key, (_, prompt) in left.items()})
            before = len(left)
            for line in lines or ():
                key = state.keys[int(line.id.rpartition("-")[2])]
                if line.reply is not None and key in left:
                    yield left.pop(key)[0], of_endpoint(line.reply)
            self.file.unlink(missing_ok=True)
            rounds = 0 if len(left) < before or state.cancelled else rounds + 1
            if left and lines is not None:
                self.ctx.log(f"Batch {state.id} left {len(left)} requests unanswered; they go into another batch.")
            if rounds == MAX_EMPTY_ROUNDS:
                why = next((line.words for line in lines or () if line.words), "")
                raise StudioError("teacher.batch_empty", count=len(left), id=state.id, reason=why[:200])
            state = None

    def _lines_of(self, state: OpenBatch, prompts: dict[str, Any]) -> list[Line] | None:
        """The results of an open batch once it has ended; None where it turns out never to have been made."""
        try:
            if not state.id and not self._create(state, prompts):
                return None
            status = self._waited(state)
        except Cancelled:
            self._cancelled(state)
            raise
        if status.reason:
            self.file.unlink(missing_ok=True)
            raise StudioError("teacher.batch_failed", id=state.id, reason=status.reason[:200])
        lines = whole_results(self.api, state.id, status, len(state.keys), self._wait)
        if foreign := next((line.id for line in lines if not line.id.startswith(f"{state.tag}-")), None):
            self.ctx.log(f"Batch {state.id} is another's ({foreign}): ours is looked for.")
            state.others, state.id = [*state.others, state.id], ""
            self._save(state)
            return self._lines_of(state, prompts)
        self._settle(state, lines, prompts)
        self._learn(lines, state, prompts)
        return lines

    def _prepare(self, prompts: dict[str, Any]) -> OpenBatch:
        """As many prompts as a batch holds and the budget pays for at most. Raises StudioError when it pays for none."""
        keys: list[str] = []
        size, usd = 0, 0.0
        for key, prompt in prompts.items():
            usd += self._most(prompt)
            size += len(self._line("x" * 16, prompt))
            over = bool(self.budget.budget) and self.budget.usd + usd > self.budget.budget
            if over or size > self.api.max_bytes or len(keys) == self.api.max_requests:
                break
            keys.append(key)
        if not keys:
            about = {"budget": format_usd(self.budget.budget), "spent": format_usd(self.budget.usd)}
            raise StudioError("endpoints.budget_reached", kept=self.engine.kept, **about)
        state = OpenBatch(tag=secrets.token_hex(6), keys=keys, since=time.time())
        state.file = self.api.upload(self._body_lines(state, prompts), state.tag)
        return state

    def _create(self, state: OpenBatch, prompts: dict[str, Any]) -> bool:
        """Make the batch of a state, or find the one that was made of it. False when it can't be made of these prompts any
        more and was never made."""
        if self.file.is_file():  # of an attempt that ended in between
            self._wait(LOOK_SECONDS)
            if self._found(state):
                return True
        if not all(key in prompts for key in state.keys):
            return False
        self._save(state)
        try:
            state.id = self.api.create(state.file, self._body_lines(state, prompts), state.tag)
        except Unsure:
            self._wait(LOOK_SECONDS)
            if not self._found(state):
                raise StudioError("teacher.batch_unsure", url=self.engine.endpoint.address) from None
            return True
        self._save(state)
        count, most = len(state.keys), format_usd(sum(self._most(prompts[key]) for key in state.keys))
        cost = f", at most {most} USD" if self.engine.endpoint.prices != Prices() else ""
        self.ctx.log(f"Batch {state.id} submitted: {count} requests{cost}. The service answers within 24 hours.")
        return True

    def _found(self, state: OpenBatch) -> bool:
        """Whether the service has the batch whose creation was never confirmed."""
        held = self.api.find(state.tag, len(state.keys), state.since)
        mine = next((id_ for id_ in held if id_ not in state.others), None)
        if mine is None:
            return False
        state.id = mine
        self._save(state)
        self.ctx.log(f"Batch {mine} was there already.")
        return True

    def _waited(self, state: OpenBatch) -> Status:
        """Its status once it has ended."""
        pause, said = FIRST_POLL_SECONDS, 0.0
        while True:
            status = self.api.status(state.id)
            waited = time.time() - state.since
            done = self.progress.done + status.done
            self.ctx.progress(min(done, self.progress.total), self.progress.total, "waiting for the batch")
            self.ctx.metric("batch_done", status.done, round(waited / 60, 2))
            if waited - said >= _SAID_SECONDS or status.ended:
                said = waited
                told = f"{status.done} of {len(state.keys)} requests done after {duration_text(waited)}"
                self.ctx.log(f"Batch {state.id}: {status.word}, {told}.")
            if status.ended:
                return status
            self._wait(pause)
            pause = min(LONGEST_POLL_SECONDS, pause * 1.5)

    def _cancelled(self, state: OpenBatch) -> None:
        """The job ends: with a cancel the batch does too, with a stop of the worker it goes on."""
        if state.id and not state.cancelled and (self.ctx.dir / CANCEL_FILE).exists():
            state.cancelled = True
            self._save(state)
            self.api.cancel(state.id)
            self.ctx.log(f"Batch {state.id} is cancelled. Answers it had by then are charged.")

    def _settle(self, state: OpenBatch, lines: Sequence[Line], prompts: dict[str, Any]) -> None:
        """Count what the batch took, once."""
        if state.settled:
            return
        answered = [line for line in lines if line.status == 200 and line.reply is not None]
        usage, most, guessed = Usage(0, 0), 0.0, False
        for line in answered:
            prompt = prompts.get(state.keys[int(line.id.rpartition("-")[2])])
            assert line.reply is not None
            took = line.reply.usage or estimate_usage(prompt or [], line.reply.text)
            guessed |= line.reply.usage is None
            usage = Usage(usage.prompt + took.prompt, usage.completion + took.completion)
            most += self._most(prompt) if prompt else 0.0
        if answered:
            self.budget.settle(Reservation(most), usage, self.prices, guessed=guessed)
            self.budget.report_metrics(now=True)
        state.settled = True
        self._save(state)

    def _learn(self, lines: list[Line], state: OpenBatch, prompts: dict[str, Any]) -> None:
        """Where every request was refused for a parameter that can be left out, it is from now on: they are asked again."""
        first = next(iter(lines), None)
        if first is None or any(line.status == 200 for line in lines):
            return
        prompt = prompts.get(state.keys[int(first.id.rpartition("-")[2])])
        sent = self.engine.wire.body(prompt, self.sampling) if prompt else {}
        name = quirk_of(first.status, first.words, sent, self.engine.wire.quirks.names)
        if name and self.engine.wire.quirks.add([name]):
            self.ctx.log(f"{self.engine.name} does not take `{name}`: the batch is sent again without it.")
            lines[:] = [line._replace(reply=None) for line in lines]

    def _most(self, prompt: Any) -> float:
        """USD that a request can cost at most."""
        return self.prices.cost(*max_usage(prompt, self.sampling.max_new_tokens))

    def _body_lines(self, state: OpenBatch, prompts: dict[str, Any]) -> list[bytes]:
        return [self._line(f"{state.tag}-{at}", prompts[key]) for at, key in enumerate(state.keys)]

    def _line(self, id_: str, prompt: Any) -> bytes:
        line = self.api.line(id_, self.engine.wire.body(prompt, self.sampling))
        return json.dumps(line, ensure_ascii=False).encode()

    def _wait(self, seconds: float) -> None:
        """Raises Cancelled."""
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            self.ctx.raise_if_cancelled()
            time.sleep(min(_TICK_SECONDS, rest))
        self.ctx.raise_if_cancelled()

    def _load(self) -> OpenBatch | None:
        return OpenBatch.model_validate_json(self.file.read_text("utf-8")) if self.file.is_file() else None

    def _save(self, state: OpenBatch) -> None:
        part = self.file.with_suffix(".part")
        with part.open("w", encoding="utf-8") as stream:
            stream.write(state.model_dump_json())
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.file)
