"""How good answers are. Everything is a share between 0 and 1; texts are compared stripped, upper and lower case kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from backend.stats.intervals import wilson_interval
from backend.stats.numbers import same_numbers
from backend.stats.token_f1 import token_f1, words

NO_LABEL = "(no label)"
_LEAST_NUMBERS = 10
"""Answers with numbers below which their share says too little."""


class Answers(NamedTuple):
    """Expected and given answers, row by row. `labels`: the only answers that count, none for free text; `usual`: the
    commonest label of the training rows."""

    expected: Sequence[str]
    given: Sequence[str]
    labels: Sequence[str] = ()
    usual: str = ""

    @classmethod
    def of(cls, expected: Sequence[str], given: Sequence[str], labels: Sequence[str], known: Sequence[str]) -> Answers:
        """`known`: the answers of the training rows, or of the rows themselves where there are none."""
        seen = Counter(known or expected)
        return cls(expected, given, labels, seen.most_common(1)[0][0] if seen else "")

    @property
    def right(self) -> int:
        return sum(want.strip() == got.strip() for want, got in zip(self.expected, self.given, strict=True))


def accuracy(answers: Answers) -> dict[str, float]:
    """With its 95 % interval (Wilson), the share of answers that are no label, and the accuracy of always giving the commonest
    one."""
    expected, given = [text.strip() for text in answers.expected], _labelled(answers)
    right, n = sum(map(str.__eq__, expected, given)), len(expected)
    low, high = wilson_interval(right, n)
    usual = expected.count(answers.usual.strip()) / n
    share = {"accuracy": right / n, "accuracy_low": low, "accuracy_high": high}
    return share | {"invalid_rate": given.count(NO_LABEL) / n, "majority_baseline": usual}


def macro_f1(answers: Answers) -> float:
    """The mean of F1 over the labels that occur."""
    from sklearn.metrics import f1_score

    expected, given = [text.strip() for text in answers.expected], _labelled(answers)
    occur = sorted({*expected, *given} - {NO_LABEL})
    return float(f1_score(expected, given, labels=occur, average="macro", zero_division=0))


def exact_match(answers: Answers) -> float | dict[str, float]:
    """The share of equal texts; of free text with its 95 % interval (Wilson)."""
    share = answers.right / len(answers.expected)
    if answers.labels:
        return share
    low, high = wilson_interval(answers.right, len(answers.expected))
    return {"exact_match": share, "exact_match_low": low, "exact_match_high": high}


def numbers_right(answers: Answers) -> dict[str, float]:
    """Of the answers in which a number is expected, the share with all of its numbers and no other, and their count; nothing
    where they are few. A score of words in common hides wrong facts."""
    told = [
        same for pair in zip(answers.expected, answers.given, strict=True) if (same := same_numbers(*pair)) is not None
    ]
    if len(told) < _LEAST_NUMBERS:
        return {}
    return {"numbers_right": sum(told) / len(told), "number_rows": float(len(told))}


def mean_token_f1(answers: Answers) -> float:
    pairs = list(zip(answers.expected, answers.given, strict=True))
    return sum(token_f1(*pair) for pair in pairs) / len(pairs)


def rouge_l(answers: Answers) -> float:
    """The mean F-measure of the longest common subsequence of words (Lin 2004)."""
    from rouge_score.rouge_scorer import RougeScorer

    rouge: Any = RougeScorer(["rougeL"], tokenizer=_Words())
    pairs = list(zip(answers.expected, answers.given, strict=True))
    return float(sum(rouge.score(*pair)["rougeL"].fmeasure for pair in pairs) / len(pairs))


def confusion(expected: Sequence[str], answers: Sequence[str], labels: Sequence[str]) -> dict[str, list[Any]]:
    """`counts[i][j]`: rows of label i that were answered with j; the last column counts answers that are no label."""
    names = [*labels, NO_LABEL]
    place = {name: at for at, name in enumerate(names)}
    counts = [[0] * len(names) for _ in names]
    for gold, answer in zip(expected, answers, strict=True):
        row = place.get(gold.strip(), place[NO_LABEL])
        counts[row][place.get(answer.strip(), place[NO_LABEL])] += 1
    return {"labels": names, "counts": counts}


def _labelled(answers: Answers) -> list[str]:
    known = set(answers.labels)
    return [text.strip() if text.strip() in known else NO_LABEL for text in answers.given]


class _Words:
    """rouge-score's own tokenizer drops every letter outside a-z; this one keeps all alphabets."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)
