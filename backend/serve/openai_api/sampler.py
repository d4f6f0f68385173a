"""From logits to the next token of an answer, and to the probabilities that a client may ask for. numpy only."""

from __future__ import annotations

from typing import Any

import numpy as np

_LIKELY = 512
"""Top-p looks among so many tokens first; ranking a whole vocabulary takes milliseconds."""


class Draw:
    """Draws the tokens of one answer with random numbers of its own. `temperature` 0: always the likeliest."""

    def __init__(self, temperature: float, top_p: float, seed: int) -> None:
        self._temperature = temperature
        self._top_p = top_p
        self._random = np.random.default_rng(seed)

    def __call__(self, logits: Any) -> int:
        """`logits`: [vocabulary]."""
        if self._temperature <= 0:
            return int(logits.argmax())
        scaled = (logits.astype(np.float64) - float(logits.max())) / self._temperature
        masses = np.exp(scaled)
        if self._top_p >= 1:
            return _at(masses, self._random)
        kept = nucleus(masses, self._top_p)
        return int(kept[_at(masses[kept], self._random)])


def nucleus(masses: Any, top_p: float) -> Any:
    """Indices of the likeliest tokens, the likeliest first, that together have `top_p` of all mass or just more."""
    wanted = top_p * masses.sum()
    for count in (_LIKELY, len(masses)):
        some = np.argpartition(masses, -count)[-count:] if count < len(masses) else np.arange(len(masses))
        ranked = some[np.argsort(-masses[some], kind="stable")]
        sums = masses[ranked].cumsum()
        if sums[-1] >= wanted:
            break
    return ranked[: int(np.searchsorted(sums, wanted)) + 1]


def chances(logits: Any, token: int, most: int) -> tuple[float, list[tuple[int, float]]]:
    """ln p of `token` at temperature 1, and (token, ln p) of the `most` likeliest, the likeliest first."""
    shifted = logits.astype(np.float64) - float(logits.max())
    logs = shifted - np.log(np.exp(shifted).sum())
    count = min(most, len(logs))
    top = np.argpartition(logs, -count)[-count:] if count else np.array([], dtype=int)
    ranked = top[np.argsort(-logs[top], kind="stable")]
    return float(logs[token]), [(int(one), float(logs[one])) for one in ranked]


def _at(masses: Any, random: np.random.Generator) -> int:
    sums = masses.cumsum()
    found = int(np.searchsorted(sums, random.random() * sums[-1], side="right"))
    return min(found, len(masses) - 1)
