"""How much two texts have in common, by their words. No library, so that pages can ask row by row."""

from __future__ import annotations

import re
from collections import Counter

_WORD = re.compile(r"\w+", re.UNICODE)


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def token_f1(expected: str, answer: str) -> float:
    """Harmonic mean of precision and recall over words, counted with repetition; two empty texts are equal."""
    gold, given = words(expected), words(answer)
    if not gold or not given:
        return float(gold == given)
    shared = sum((Counter(gold) & Counter(given)).values())
    return 2 * shared / (len(gold) + len(given))
