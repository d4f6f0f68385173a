"""A model with weights of its own that answers: text and token ids around a decoder, a scheduler and a sampler. No torch."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import cached_property
from math import exp
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import Message
from backend.inference import scheduler
from backend.inference.detokenizer import Detokenizer, stream_text
from backend.inference.guides import Guides
from backend.inference.protocol import Decoder, Sampling, Tick
from backend.inference.sampler import Sampler
from backend.stats.logprobs import answer_logprobs

UNLIMITED = 2**62
"""Bytes of KV cache where the context alone is the limit; tokens where there is no limit."""


def no_tick() -> None:
    return None


class Engine:
    """One engine for Playground, evaluation, checks and server. Alone it answers one prompt after another; a server adds
    sequences to `scheduler` instead (`slots`, `cache_bytes`, `others`: see there). `stops`: token ids that end an answer;
    `context`: tokens that prompt and answer may have together, by the model's facts and its decoder, whatever would go on
    beyond."""

    def __init__(
        self,
        view: ArtifactView,
        decoder: Decoder,
        slots: int = 1,
        cache_bytes: int = UNLIMITED,
        others: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self.name = view.name
        self.encoder = Encoder(view.path)
        self.stops = self.encoder.stops
        self.decoder = decoder
        self.context = min(int(view.facts.get("context") or UNLIMITED), decoder.context or UNLIMITED)
        self.scheduler = scheduler.Scheduler(decoder, slots, cache_bytes, others)

    def encode(self, messages: list[Message]) -> list[int]:
        return self.encoder.chat_ids(messages)

    def limit(self, prompt: Sequence[int], sampling: Sampling) -> int:
        """Tokens that an answer may have. Raises StudioError when the prompt leaves none of the context."""
        left = self.context - len(prompt)
        if left < 1:
            raise StudioError("serve.prompt_long", tokens=len(prompt), context=self.context, field="messages")
        return min(sampling.max_new_tokens, left)

    @cached_property
    def guides(self) -> Guides:
        return Guides(self.encoder, self.name)

    def sampler(self, sampling: Sampling) -> Sampler:
        """For one answer. Raises StudioError when none can have the form that is asked for."""
        guide = self.guides.guide(sampling.constraint) if sampling.constraint else None
        return Sampler(sampling.temperature, sampling.top_p, sampling.seed, guide)

    def sequence(
        self, prompt: Sequence[int], sampling: Sampling, detokenizer: Detokenizer | None = None, rated: bool = False
    ) -> scheduler.Sequence:
        """What the scheduler takes: the same prompt, sampling and seed wherever it is decoded. Raises as `limit`
        and `sampler`."""
        stops = frozenset[int]() if sampling.full_length else self.stops
        limit = self.limit(prompt, sampling)
        return scheduler.Sequence(list(prompt), limit, self.sampler(sampling), stops, detokenizer, rated)

    def run(self, sequence: scheduler.Sequence) -> Generator[int]:
        """Decode a sequence: its token ids as they come, without the end of turn. Raises what the decoder raises; closing it
        ends the sequence."""
        self.scheduler.add(sequence)
        told = 0
        try:
            while not sequence.finish:
                self.scheduler.step()
                yield from sequence.tokens[told:]
                told = len(sequence.tokens)
        finally:
            self.scheduler.drop(sequence)
        if sequence.error:
            raise sequence.error

    def stream_ids(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]:
        return self.run(self.sequence(prompt, sampling))

    def stream(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[str]:
        return stream_text(self.encoder, self.stream_ids(prompt, sampling))

    def answer(self, prompt: Sequence[int], sampling: Sampling) -> str:
        return self.encoder.text(list(self.stream_ids(prompt, sampling)))

    def answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = no_tick, batch: int = 1
    ) -> Iterator[tuple[int, str]]:
        """(index of the prompt, its answer). One by one: kernels of low precision round differently for other numbers of
        tokens at once, so that a prompt asked beside others can end in another answer than the same prompt asked alone."""
        for index, prompt in enumerate(prompts):
            yield index, self.encoder.text(self._ticking(self.sequence(prompt, sampling), tick).tokens)

    def rated_answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = no_tick, batch: int = 1
    ) -> Iterator[tuple[int, str, float, bool]]:
        """As `answers`, with the confidence of each (exp of the mean ln p of its tokens and its end of turn, as the model
        gives them at temperature 1) and whether it was cut off: no end of turn came within `max_new_tokens`."""
        for index, prompt in enumerate(prompts):
            sequence = self._ticking(self.sequence(prompt, sampling, rated=True), tick)
            yield index, *self.rated(sequence.tokens, sequence.logprobs)

    def loss(self, prompt: Sequence[int], answer: Sequence[int]) -> float:
        """Sum of -ln p over the ids of `answer` after `prompt`."""
        return -float(answer_logprobs(self.answer_logits(prompt, answer), answer).sum())

    def answer_logits(self, prompt: Sequence[int], answer: Sequence[int]) -> Any:
        """Of the positions that foretell `answer` after `prompt`: a float array, (len(answer), vocabulary)."""
        return self.decoder.logits([*prompt, *answer], len(answer) + 1)[:-1]

    def logits(self, ids: Sequence[int]) -> Any:
        """Of every position: a float array, (len(ids), vocabulary)."""
        return self.decoder.logits(ids)

    def close(self) -> None:
        """Give the model's memory back."""
        self.decoder = self.scheduler = None  # type: ignore[assignment]

    def rated(self, ids: Sequence[int], logprobs: Sequence[float]) -> tuple[str, float, bool]:
        """Text, confidence and whether it was cut off, of the ids of an answer and ln p of these and its end of turn."""
        return self.encoder.text(list(ids)), confidence(logprobs), len(logprobs) == len(ids)

    def _ticking(self, sequence: scheduler.Sequence, tick: Tick) -> scheduler.Sequence:
        """Decoded to its end."""
        tick()
        with closing(self.run(sequence)) as tokens:
            for _ in tokens:
                tick()
        return sequence


def confidence(logprobs: Sequence[float]) -> float:
    """exp of the mean of `logprobs`: the geometric mean of the probabilities of an answer's tokens."""
    return exp(sum(logprobs) / len(logprobs)) if logprobs else 0.0


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """How many first ids all prompts share, leaving at least one of its own to each."""
    if not prompts:
        return 0
    first, last = min(map(list, prompts)), max(map(list, prompts))
    most = min(len(prompt) for prompt in prompts) - 1
    for position in range(min(most, len(first), len(last))):
        if first[position] != last[position]:
            return position
    return max(0, most)
