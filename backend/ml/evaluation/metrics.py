"""How good answers are. Everything is a share between 0 and 1; texts are compared stripped, upper and lower case kept."""

from __future__ import annotations

from collections.abc import Sequence

from rouge_score.rouge_scorer import RougeScorer
from sklearn.metrics import f1_score

from backend.stats.intervals import wilson_interval
from backend.stats.token_f1 import token_f1, words

NO_LABEL = "(no label)"


class _Words:
    """rouge-score's own tokenizer drops every letter outside a-z; this one keeps all alphabets."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


def label_scores(
    expected: Sequence[str], answers: Sequence[str], labels: Sequence[str], majority: str
) -> dict[str, float]:
    """Accuracy with its 95 % interval, macro F1 over the labels that occur, share of answers that are no label, and the
    accuracy of always answering `majority`."""
    known = set(labels)
    given = [answer.strip() if answer.strip() in known else NO_LABEL for answer in answers]
    gold = [text.strip() for text in expected]
    right = sum(map(str.__eq__, gold, given))
    low, high = wilson_interval(right, len(gold))
    occur = sorted({*gold, *given} - {NO_LABEL})
    return {
        "accuracy": right / len(gold),
        "accuracy_low": low,
        "accuracy_high": high,
        "exact_match": right / len(gold),
        "macro_f1": float(f1_score(gold, given, labels=occur, average="macro", zero_division=0)),
        "invalid_rate": given.count(NO_LABEL) / len(given),
        "majority_baseline": gold.count(majority.strip()) / len(gold),
        "n": float(len(gold)),
    }


def confusion(expected: Sequence[str], answers: Sequence[str], labels: Sequence[str]) -> dict[str, list]:
    """`counts[i][j]`: rows of label i that were answered with j; the last column counts answers that are no label."""
    names = [*labels, NO_LABEL]
    place = {name: at for at, name in enumerate(names)}
    counts = [[0] * len(names) for _ in names]
    for gold, answer in zip(expected, answers, strict=True):
        row = place.get(gold.strip(), place[NO_LABEL])
        counts[row][place.get(answer.strip(), place[NO_LABEL])] += 1
    return {"labels": names, "counts": counts}


def text_scores(expected: Sequence[str], answers: Sequence[str]) -> dict[str, float]:
    """Exact match with its 95 % interval, F1 of words, and ROUGE-L (F-measure), means over rows."""
    rouge = RougeScorer(["rougeL"], tokenizer=_Words())
    right = sum(gold.strip() == answer.strip() for gold, answer in zip(expected, answers, strict=True))
    low, high = wilson_interval(right, len(expected))
    pairs = list(zip(expected, answers, strict=True))
    return {
        "exact_match": right / len(pairs),
        "exact_match_low": low,
        "exact_match_high": high,
        "token_f1": sum(token_f1(*pair) for pair in pairs) / len(pairs),
        "rouge_l": sum(rouge.score(*pair)["rougeL"].fmeasure for pair in pairs) / len(pairs),
        "n": float(len(pairs)),
    }
