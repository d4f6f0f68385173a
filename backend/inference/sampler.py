"""From logits to the next token of a sequence, and to the log-probabilities that a client may ask for. numpy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.inference.guides import Guide

_BLOCK = 256
"""Tokens that are summed together first: a running sum over a whole vocabulary takes ten times as long as the rest."""
_LIKELY = 1e-3, 1e-5, 0.0
"""Top-p ranks the tokens that are so likely next to the likeliest first: ranking a whole vocabulary takes milliseconds."""
_STEEPEST = 1e30
"""1 / temperature at most: float32 holds no more."""


class Sampler:
    """Picks the tokens of one sequence with random numbers of its own. `temperature` 0: always the likeliest; `top_p`: of the
    likeliest tokens that have this probability together; `guide`: of the tokens that it allows. The same seed and logits
    give the same tokens in every process."""

    def __init__(
        self, temperature: float, top_p: float = 1.0, seed: int | Sequence[int] = 0, guide: Guide | None = None
    ) -> None:
        self.greedy = temperature <= 0
        self.guide = guide
        self._steepness = 0.0 if self.greedy else np.float32(min(1 / temperature, _STEEPEST))
        self._top_p = top_p
        self._random = np.random.default_rng(seed % 2**64 if isinstance(seed, int) else seed)

    def __call__(self, logits: Any) -> int:
        """`logits`: [vocabulary]. Raises StudioError when the guide allows no token."""
        if self.guide is None:
            return self._pick(logits)
        allowed = self.guide.allowed(len(logits))
        token = int(allowed[self._pick(logits[allowed])])
        self.guide.take(token)
        return token

    def _pick(self, logits: Any) -> int:
        if self.greedy:
            return int(logits.argmax())
        wide = logits.astype(np.float32, copy=False)
        masses = np.exp((wide - wide.max()) * self._steepness)
        if self._top_p >= 1:
            return _sampled(masses, self._random)
        kept = nucleus(masses, self._top_p)
        return int(kept[_sampled(masses[kept], self._random)])


def nucleus(masses: Any, top_p: float) -> Any:
    """Indices of the likeliest tokens, the likeliest first, that together have `top_p` of all mass or just more. `masses`:
    probabilities in any unit, [vocabulary]."""
    wanted = top_p * masses.sum(dtype=np.float64)
    for least in _LIKELY:
        some = np.flatnonzero(masses >= least * masses.max())
        ranked = some[np.argsort(-masses[some], kind="stable")]
        sums = masses[ranked].cumsum(dtype=np.float64)
        if sums[-1] >= wanted:
            break
    return ranked[: int(np.searchsorted(sums, wanted)) + 1]


def logprobs(logits: Any, token: int, count: int = 0) -> tuple[float, list[tuple[int, float]]]:
    """ln p of `token` at temperature 1, and (token, ln p) of the `count` likeliest, the likeliest first."""
    logits = logits.astype(np.float32, copy=False) - logits.max()
    total = np.log(np.exp(logits).sum(dtype=np.float64))
    count = min(count, len(logits))
    top = np.argpartition(logits, -count)[-count:] if count else np.array([], dtype=int)
    ranked = top[np.argsort(-logits[top], kind="stable")]
    return float(logits[token] - total), [(int(one), float(logits[one] - total)) for one in ranked]


def _sampled(masses: Any, random: np.random.Generator) -> int:
    """An index, each as often as its mass says."""
    blocks = np.add.reduceat(masses, np.arange(0, len(masses), _BLOCK), dtype=np.float64).cumsum()
    point = random.random() * blocks[-1]
    block = min(int(np.searchsorted(blocks, point, side="right")), len(blocks) - 1)
    begin = block * _BLOCK
    sums = masses[begin : begin + _BLOCK].cumsum(dtype=np.float64) + (blocks[block - 1] if block else 0.0)
    return begin + min(int(np.searchsorted(sums, point, side="right")), len(sums) - 1)
