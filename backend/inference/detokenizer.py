"""The text of one answer as its tokens come: whole characters, nothing of a stop string, log-probabilities beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backend.data.chat_template import Encoder
from backend.inference.sampler import logprobs

Entry = dict[str, Any]
"""What OpenAI tells of one token: token, logprob, bytes, top_logprobs."""
_REPLACEMENT = "\ufffd"


class Detokenizer:
    """`stop`: strings that end the answer; `top`: how many likeliest tokens to tell of each, None for no log-probabilities,
    which need `vocabulary`."""

    def __init__(
        self,
        encoder: Encoder,
        stop: Sequence[str] = (),
        top: int | None = None,
        vocabulary: TokenBytes | None = None,
    ) -> None:
        self.stopped = False
        self._encoder = encoder
        self._stop = stop
        self._top = top
        self._vocabulary = vocabulary or TokenBytes(encoder)
        self._tokens: list[int] = []
        self._start = self._shown = 0
        self._held = ""
        self._sent = self._length = 0
        self._entries: list[_Placed] = []

    def push(self, token: int, logits: Any = None) -> None:
        """One more token, picked from `logits`. `stopped` tells whether a stop string is there now."""
        begin = self._length
        self._add(self._decoded(token))
        if self._top is not None:
            own, likeliest = logprobs(logits, token, self._top)
            self._entries.append(_Placed(begin, self._vocabulary.entry(token, own, likeliest)))

    def take(self) -> tuple[str, list[Entry]]:
        """What can be shown now and was not yet: text that may begin a stop string is held back."""
        return self._release(len(self._held) - _beginning(self._held, self._stop))

    def finish(self) -> tuple[str, list[Entry]]:
        """All that is left when no more tokens come."""
        if not self.stopped:
            shown = self._encoder.text(self._tokens[self._start : self._shown])
            self._add(self._encoder.text(self._tokens[self._start :])[len(shown) :])
        text, entries = self._release(len(self._held))
        if not self.stopped:
            entries += [placed.entry for placed in self._entries]
        return text, entries

    def _decoded(self, token: int) -> str:
        """What `token` adds. Bytes of an unfinished character wait for the rest."""
        self._tokens.append(token)
        before = self._encoder.text(self._tokens[self._start : self._shown])
        now = self._encoder.text(self._tokens[self._start :])
        if len(now) <= len(before) or now.endswith(_REPLACEMENT):
            return ""
        self._start, self._shown = self._shown, len(self._tokens)
        return now[len(before) :]

    def _add(self, text: str) -> None:
        self._held += text
        self._length += len(text)
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self._held = self._held[: min(found)]
            self.stopped = True

    def _release(self, count: int) -> tuple[str, list[Entry]]:
        text, self._held = self._held[:count], self._held[count:]
        self._sent += count
        ready = [placed.entry for placed in self._entries if placed.begin < self._sent]
        self._entries = self._entries[len(ready) :]
        return text, ready


def stream_text(encoder: Encoder, tokens: Iterable[int]) -> Iterator[str]:
    """Text as token ids come in."""
    text = Detokenizer(encoder)
    for token in tokens:
        text.push(token)
        if piece := text.take()[0]:
            yield piece
    if rest := text.finish()[0]:
        yield rest


@dataclass(frozen=True)
class _Placed:
    """`begin`: where in the answer the text of the token begins."""

    begin: int
    entry: Entry


def _beginning(text: str, stops: Sequence[str]) -> int:
    """How many last characters of `text` begin a stop string."""
    lengths = (
        size for stop in stops for size in range(min(len(stop) - 1, len(text)), 0, -1) if text[-size:] == stop[:size]
    )
    return max(lengths, default=0)


class TokenBytes:
    """The bytes that tokens stand for."""

    def __init__(self, encoder: Encoder) -> None:
        self._tokenizer = encoder.tokenizer

    @cached_property
    def _alphabet(self) -> dict[str, int]:
        """Characters that stand for a byte in byte-level vocabularies: printable ones for themselves, the others from 256
        on (the table of GPT-2); empty for other vocabularies."""
        decoder = self._tokenizer.decoder
        if decoder is None or b"ByteLevel" not in bytes(decoder.__getstate__()):
            return {}
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in plain]
        return {chr(byte): byte for byte in plain} | {chr(256 + at): byte for at, byte in enumerate(others)}

    def raw(self, token: int) -> bytes:
        name: str = self._tokenizer.id_to_token(token) or ""
        if self._alphabet and all(char in self._alphabet for char in name):
            return bytes(self._alphabet[char] for char in name)
        if found := re.fullmatch(r"<0x([0-9A-F]{2})>", name):
            return bytes.fromhex(found[1])
        return name.replace("\u2581", " ").encode()

    def entry(self, token: int, logprob: float, likeliest: list[tuple[int, float]]) -> Entry:
        return {**self._one(token, logprob), "top_logprobs": [self._one(*each) for each in likeliest]}

    def _one(self, token: int, logprob: float) -> Entry:
        raw = self.raw(token)
        return {"token": raw.decode(errors="replace"), "logprob": logprob, "bytes": list(raw)}
