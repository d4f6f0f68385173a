"""Log-probabilities from logits, whichever engine gave them, and how far those of two models are apart. Log-probabilities are
logits too, those of the same distribution.

Divergence of a position is KL(p, q) = sum of p (ln p - ln q) over the whole vocabulary, p of the original, q of the model that
is compared with it, in nats, at temperature 1. Works in float64 and imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_AT_ONCE = 64
"""Positions whose probabilities are held in float64 at once."""


def log_softmax(logits: Any) -> Any:
    """ln p of every token, over the last axis: as `logits`, in float64."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return wide


def answer_logprobs(logits: Any, answer: Sequence[int]) -> Any:
    """ln p of each id of `answer`, (ids), by the logits of the positions that foretell them, (ids, vocabulary)."""
    return log_softmax(logits)[np.arange(len(answer)), np.asarray(answer, dtype=np.int64)]


def kl_divergences(original: Any, other: Any) -> Any:
    """KL of each position, (positions), of two arrays of logits, (positions, vocabulary). Rows of padding that one vocabulary
    has beyond the other are left out."""
    size = min(original.shape[1], other.shape[1])
    found = np.empty(len(original))
    for start in range(0, len(original), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        log_p, log_q = log_softmax(original[part, :size]), log_softmax(other[part, :size])
        found[part] = (np.exp(log_p) * (log_p - log_q)).sum(axis=1)
    return found
