"""How good answers are. Everything is a share between 0 and 1; texts are compared stripped, upper and lower case kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from backend.stats.bootstrap import bootstrap_interval
from backend.stats.intervals import wilson_interval
from backend.stats.numbers import same_numbers
from backend.stats.token_f1 import words

NO_LABEL = "(no label)"
_DRAWS = 2_000
"""Of the bootstrap: every evaluation draws for each of its metrics, and for those of its baselines."""
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


def mean_of(name: str, values: Sequence[float]) -> dict[str, float]:
    """The mean over rows and its 95 % interval: Wilson's where every row is right or wrong, else the bootstrap over rows."""
    low, high = mean_interval(np.asarray(values, dtype=float))
    return {name: sum(values) / len(values), f"{name}_low": low, f"{name}_high": high}


def mean_interval(rows: NDArray[Any]) -> tuple[float, float]:
    """95 % interval of the mean of at least one row."""
    if np.isin(rows, (0.0, 1.0)).all():
        return wilson_interval(int(rows.sum()), len(rows))
    return bootstrap_interval(rows[None], _DRAWS)


def same_text(expected: str, given: str) -> float:
    return float(expected.strip() == given.strip())


def answer_in_text(expected: str, given: str) -> float:
    """Whether the words of the expected answer stand one after another in the given one (`best_subspan_em` of Liu et al. 2024,
    "Lost in the middle", TACL 12)."""
    wanted, said = words(expected), words(given)
    return float(any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1)))


def macro_f1(answers: Answers) -> float:
    """The mean of F1 over the labels that occur."""
    from sklearn.metrics import f1_score

    expected, given = [text.strip() for text in answers.expected], _labelled(answers)
    occur = sorted({*expected, *given} - {NO_LABEL})
    return float(f1_score(expected, given, labels=occur, average="macro", zero_division=0))


def micro_f1(answers: Answers) -> dict[str, float]:
    """Over all labels together; only where some answers are no label: everywhere else it is accuracy."""
    from sklearn.metrics import f1_score

    expected, given = [text.strip() for text in answers.expected], _labelled(answers)
    if NO_LABEL not in given:
        return {}
    occur = sorted({*expected, *given} - {NO_LABEL})
    return {"micro_f1": float(f1_score(expected, given, labels=occur, average="micro", zero_division=0))}


def balanced_accuracy(answers: Answers) -> float:
    """The mean of recall over the labels that are expected."""
    from sklearn.metrics import recall_score

    expected, given = [text.strip() for text in answers.expected], _labelled(answers)
    return float(recall_score(expected, given, labels=sorted(set(expected)), average="macro", zero_division=0))


def mcc(answers: Answers) -> float:
    """Matthews' correlation coefficient for several labels (Gorodkin 2004): -1 to 1, chance is 0."""
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef([text.strip() for text in answers.expected], _labelled(answers)))


def chrf(answers: Answers) -> float:
    """chrF2 of all answers together, as a share of 1 (Popović 2015), by sacrebleu with its defaults:
    `nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`."""
    from sacrebleu.metrics.chrf import CHRF

    return float(CHRF().corpus_score(list(answers.given), [list(answers.expected)]).score / 100)


def bleu(answers: Answers) -> float:
    """BLEU of all answers together, as a share of 1 (Papineni et al. 2002; Post 2018, "A call for clarity in reporting BLEU
    scores"), by sacrebleu with its defaults: `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`."""
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(answers.given), [list(answers.expected)]).score / 100)


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
