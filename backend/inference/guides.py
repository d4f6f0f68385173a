"""Which tokens may come next so that an answer keeps to its constraint: llguidance knows the tokens of a model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.inference.constraint import Constraint, began, matcher, reason_of

if TYPE_CHECKING:
    from llguidance import LLMatcher

_KEPT = 32
"""Compiled grammars that an engine keeps."""


class Guide:
    """How far one answer has come in its grammar."""

    def __init__(self, matcher: LLMatcher) -> None:
        self._at = matcher

    def allowed(self, vocabulary: int) -> Any:
        """Ids of the tokens that may come next, the end of turn where the answer may end. Raises StudioError when none may:
        a part of the form can't be met."""
        bits = np.frombuffer(self._at.compute_bitmask(), np.uint8)
        found = np.flatnonzero(np.unpackbits(bits, bitorder="little")[:vocabulary])
        if self._at.is_error() or not len(found):
            raise StudioError("constraint.dead_end", reason=reason_of(self._at.get_error()))
        return found

    def take(self, token: int) -> None:
        self._at.consume_token(token)


class Guides:
    """The grammars of one model: its tokens are read once, each grammar is compiled once. Raises StudioError when llguidance
    can't read the tokenizer."""

    def __init__(self, encoder: Encoder, model: str) -> None:
        from llguidance import LLTokenizer

        try:
            self._tokenizer = LLTokenizer(encoder.tokenizer.to_str(), eos_token=sorted(encoder.stops))
        except Exception as error:  # the library raises whatever its parser met
            raise StudioError("constraint.tokenizer", model=model, reason=reason_of(str(error))) from error
        self._compiled = lru_cache(_KEPT)(lambda constraint: began(matcher(self._tokenizer, constraint)))

    def guide(self, constraint: Constraint) -> Guide:
        """For one answer. Raises StudioError when none can have this form."""
        return Guide(self._compiled(constraint).deep_copy())
