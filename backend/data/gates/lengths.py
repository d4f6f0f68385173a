"""Rows that say nothing, rows that are far shorter or longer than the rest, and rows that a token limit truncates."""

from __future__ import annotations

import math
import re
from array import array
from typing import Any

import numpy as np

from backend.data.dataset import Row
from backend.data.gates.base import ByRow, Found, Gate, Hits, Options

_NOTHING = re.compile(
    r"(?:n/?a|null|none|nan|nil|undefined|nada|ninguno|sin datos|vac[ií]o|empty|unknown|#n/a|#ref!|-+|\.+|\?+|_+)?",
    re.IGNORECASE,
)
_SAYS = re.compile(r"\w")
OUTLIER_DEVIATIONS = 6.0
"""A row is an outlier when the logarithm of its length lies so many robust deviations from the median."""
_LEAST_DEVIATION = 0.25
"""Of the logarithm: rows of nearly one length don't make each other outliers."""
_LEAST_ROWS = 20


class Empty(ByRow):
    """Inputs or answers without a letter or digit, or with a word for nothing. A label such as `none` is an answer."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.labels = gate, options.template.answer == "label"
        self.hits, self.seen = Hits(), 0

    def see(self, split: str, row: Row) -> None:
        self.seen += 1
        if _is_nothing(row.input):
            self.hits.add(split, row.id, row.input, detail="input")
        elif row.output is not None and not row.tool_calls and self._is_no_answer(row.output):
            self.hits.add(split, row.id, row.input, detail="answer")

    def _is_no_answer(self, answer: str) -> bool:
        return not answer.strip() or (not self.labels and _is_nothing(answer))

    def found(self) -> Found | None:
        return self.gate.finding("gates.empty", self.hits, self.seen)


def _is_nothing(text: str) -> bool:
    if len(text) > 12:
        return not _SAYS.search(text)
    return (not _SAYS.search(text) and not re.search(r"[^\W\s]|[\U0001f300-\U0001faff\u2600-\u27bf]", text)) or (
        _NOTHING.fullmatch(text.strip()) is not None
    )


class Lengths(ByRow):
    """Inputs and answers far from the lengths of the rest: median and MAD of the logarithms (Iglewicz & Hoaglin 1993)."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._sizes = {"input": array("d"), "answer": array("d")}

    def see(self, split: str, row: Row) -> None:
        self._sizes["input"].append(math.log1p(len(row.input)) if row.input.strip() else math.nan)
        answer = None if self.labels or row.output is None else math.log1p(len(row.output))
        self._sizes["answer"].append(math.nan if answer is None else answer)

    def found(self) -> Found | None:
        hits, kinds = Hits(), {"long": 0, "short": 0}
        for name, sizes in self._sizes.items():
            for number, deviations in _outliers(np.frombuffer(sizes) if sizes else np.empty(0)):
                kind = "long" if deviations > 0 else "short"
                kinds[kind] += 1
                split, row = self.options.look(number)
                text = row.input if name == "input" else row.output or ""
                hits.add(split, row.id, text, detail=f"{name}: {len(text):,}")
        return self.gate.finding("gates.lengths", hits, len(self._sizes["input"]), kinds)


def _outliers(sizes: np.ndarray[Any, np.dtype[np.float64]]) -> list[tuple[int, float]]:
    """(row, deviations from the median), both directions."""
    known = sizes[~np.isnan(sizes)]
    if len(known) < _LEAST_ROWS:
        return []
    middle = float(np.median(known))
    spread = max(_LEAST_DEVIATION, 1.4826 * float(np.median(np.abs(known - middle))))
    far = (sizes - middle) / spread
    with np.errstate(invalid="ignore"):
        return [(int(at), float(far[at])) for at in np.flatnonzero(np.abs(far) > OUTLIER_DEVIATIONS)]


class TokenLengths(ByRow):
    """Prompts with answers that are longer, in tokens of the given model, than the maximum or the model's context."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.hits, self.lengths = Hits(), array("I")
        limits = [limit for limit in (options.max_length, options.context) if limit]
        self.limit = min(limits) if limits else 0

    def see(self, split: str, row: Row) -> None:
        encoder, template = self.options.encoder, self.options.template
        assert encoder is not None
        prompt = len(encoder.prompt_ids(template, row))
        size = prompt + (len(encoder.answer_ids(row.output)) if row.output is not None else 0)
        self.lengths.append(size)
        if self.limit and size > self.limit:
            self.hits.add(split, row.id, row.input, detail=f"{size} tokens")

    def found(self) -> Found | None:
        sizes = np.frombuffer(self.lengths, dtype=np.uint32) if self.lengths else np.zeros(1)
        args = {"limit": self.limit, "longest": int(sizes.max()), "p95": int(np.percentile(sizes, 95))}
        return self.gate.finding("gates.tokens", self.hits, len(self.lengths), args)
