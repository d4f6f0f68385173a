"""What all engines with weights of their own share: text from token ids as they come, and when to stop. No torch."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from math import exp
from pathlib import Path
from typing import Any

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import Message
from backend.inference.protocol import Sampling
from backend.stats.logprobs import answer_logprobs

_REPLACEMENT = "\ufffd"


class TextEngine(ABC):
    """Text in and out around token ids; an engine adds `stream_ids`, the ids of an answer as they come, and `answer_logits`
    (see `backend.inference.protocol.LocalEngine`)."""

    def __init__(self, view: ArtifactView) -> None:
        self.name = view.name
        self.encoder = Encoder(view.path)
        self.stops = stop_ids(view.path, self.encoder)

    @abstractmethod
    def stream_ids(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]: ...

    @abstractmethod
    def answer_logits(self, prompt: Sequence[int], answer: Sequence[int]) -> Any: ...

    def loss(self, prompt: Sequence[int], answer: Sequence[int]) -> float:
        """Sum of -ln p over the ids of `answer` after `prompt`."""
        return -float(answer_logprobs(self.answer_logits(prompt, answer), answer).sum())

    def encode(self, messages: list[Message]) -> list[int]:
        return self.encoder.ids(self.encoder.render(messages))

    def stream(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[str]:
        yield from pieces(self.encoder, self.stream_ids(prompt, sampling))

    def answer(self, prompt: Sequence[int], sampling: Sampling) -> str:
        return self.encoder.text(list(self.stream_ids(prompt, sampling)))

    def rated(self, ids: Sequence[int], chances: Sequence[float]) -> tuple[str, float, bool]:
        """Text, confidence and whether it was cut off, of the ids of an answer and ln p of these and its end of turn."""
        return self.encoder.text(list(ids)), confidence(chances), len(chances) == len(ids)


def stop_ids(folder: Path, encoder: Encoder) -> frozenset[int]:
    """Token ids that end an answer: the tokenizer's end of turn and those of generation_config / genai_config."""
    found: set[int] = set()
    end = encoder.tokenizer.token_to_id(encoder.special("eos"))
    if end is not None:
        found.add(end)
    for name in ("generation_config.json", "genai_config.json"):
        file = folder / name
        if file.is_file():
            config: dict[str, Any] = json.loads(file.read_text("utf-8"))
            value = config.get("model", config).get("eos_token_id")
            found.update(value if isinstance(value, list) else [] if value is None else [value])
    return frozenset(found)


class Pieces:
    """The text of an answer while its token ids come in, one by one."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._seen: list[int] = []
        self._start = self._shown = 0

    def push(self, token: int) -> str:
        """What `token` adds. Bytes of an unfinished character wait for the rest."""
        self._seen.append(token)
        before = self._encoder.text(self._seen[self._start : self._shown])
        now = self._encoder.text(self._seen[self._start :])
        if len(now) <= len(before) or now.endswith(_REPLACEMENT):
            return ""
        self._start, self._shown = self._shown, len(self._seen)
        return now[len(before) :]

    def rest(self) -> str:
        """What still waits when no more tokens come."""
        shown = self._encoder.text(self._seen[self._start : self._shown])
        return self._encoder.text(self._seen[self._start :])[len(shown) :]


def pieces(encoder: Encoder, ids: Iterable[int]) -> Iterator[str]:
    """Text as token ids come in."""
    text = Pieces(encoder)
    for token in ids:
        if piece := text.push(token):
            yield piece
    if rest := text.rest():
        yield rest


def confidence(chances: Sequence[float]) -> float:
    """exp of the mean of `chances` (ln p of the tokens of an answer): the geometric mean of their probabilities."""
    return exp(sum(chances) / len(chances)) if chances else 0.0


def common_prefix(prompts: Sequence[Sequence[int]]) -> int:
    """How many first ids all prompts share, leaving at least one of its own to each."""
    if not prompts:
        return 0
    first, last = min(map(list, prompts)), max(map(list, prompts))
    room = min(len(prompt) for prompt in prompts) - 1
    for position in range(min(room, len(first), len(last))):
        if first[position] != last[position]:
            return position
    return max(0, room)
