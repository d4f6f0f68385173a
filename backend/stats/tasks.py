"""Which task answers in free text belong to: extraction, maths, QA or generation. The task decides what is measured and which
figure comes first.

The rules, on the answers that people gave. All of them must agree; mixed answers are QA, which measures plain text:

- extraction: every answer is one JSON object;
- maths: every answer is one number, with a sign, currency or unit at most (`backend.stats.quantities`);
- generation (summaries, translations): half of the answers have at least 20 words. The reference summaries of XSum have 23 on
  average (Narayan et al. 2018, EMNLP), the answers of SQuAD 1.1 about 3 (Rajpurkar et al. 2016, EMNLP).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

from backend.stats.fields import json_object
from backend.stats.quantities import is_quantity
from backend.stats.token_f1 import words

Task = Literal["label", "extraction", "maths", "generation", "qa", "text"]
"""`text`: no task is known, or conversations and calls of tools."""
LONG_WORDS = 20

FAMILY: dict[Task, frozenset[Task]] = {
    "label": frozenset({"label"}),
    "extraction": frozenset({"extraction", "text"}),
    "maths": frozenset({"maths", "text"}),
    "generation": frozenset({"generation", "text"}),
    "qa": frozenset({"qa", "text"}),
    "text": frozenset({"text"}),
}
"""Task -> the tasks whose metrics are measured: those of text are for all free text."""


def recognized(answers: Sequence[str]) -> Task:
    """`text` where there are none."""
    told = [text for text in answers if text.strip()]
    if not told:
        return "text"
    if all(json_object(text) is not None for text in told):
        return "extraction"
    if all(is_quantity(text) for text in told):
        return "maths"
    return "generation" if median(len(words(text)) for text in told) >= LONG_WORDS else "qa"
