"""The text of one answer as a client may see it: whole characters, nothing of a stop string, probabilities beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backend.data.chat_template import Encoder
from backend.inference.text_engine import Pieces
from backend.serve.openai_api.sampler import chances

Entry = dict[str, Any]
"""What OpenAI tells of one token: token, logprob, bytes, top_logprobs."""


class Writing:
    """`stops`: strings that end the answer; `top`: how many likeliest tokens to tell of each, None for no probabilities."""

    def __init__(self, encoder: Encoder, names: Names, stops: list[str], top: int | None) -> None:
        self.stopped = False
        self._pieces = Pieces(encoder)
        self._names = names
        self._stops = stops
        self._top = top
        self._held = ""
        self._sent = self._length = 0
        self._entries: list[_Told] = []

    def push(self, token: int, logits: Any) -> None:
        """One more token, drawn from `logits`. `stopped` tells whether a stop string is there now."""
        begun = self._length
        self._add(self._pieces.push(token))
        if self._top is not None:
            self._entries.append(_Told(begun, self._names.entry(logits, token, self._top)))

    def take(self) -> tuple[str, list[Entry]]:
        """What can be shown now and was not yet: text that may begin a stop string is held back."""
        return self._cut(len(self._held) - _beginning(self._held, self._stops))

    def finish(self) -> tuple[str, list[Entry]]:
        """All that is left when no more tokens come."""
        if not self.stopped:
            self._add(self._pieces.rest())
        text, entries = self._cut(len(self._held))
        if not self.stopped:
            entries += [told.entry for told in self._entries]
        return text, entries

    def _add(self, text: str) -> None:
        self._held += text
        self._length += len(text)
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self._held = self._held[: min(found)]
            self.stopped = True

    def _cut(self, count: int) -> tuple[str, list[Entry]]:
        text, self._held = self._held[:count], self._held[count:]
        self._sent += count
        ready = [told.entry for told in self._entries if told.begun < self._sent]
        self._entries = self._entries[len(ready) :]
        return text, ready


@dataclass(frozen=True)
class _Told:
    """`begun`: where in the answer the text of the token begins."""

    begun: int
    entry: Entry


def _beginning(text: str, stops: list[str]) -> int:
    """How many last characters of `text` begin a stop string."""
    lengths = (
        size for stop in stops for size in range(min(len(stop) - 1, len(text)), 0, -1) if text[-size:] == stop[:size]
    )
    return max(lengths, default=0)


class Names:
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

    def entry(self, logits: Any, token: int, top: int) -> Entry:
        own, likeliest = chances(logits, token, top)
        return {**self._one(token, own), "top_logprobs": [self._one(*each) for each in likeliest]}

    def _one(self, token: int, log: float) -> Entry:
        raw = self.raw(token)
        return {"token": raw.decode(errors="replace"), "logprob": log, "bytes": list(raw)}
