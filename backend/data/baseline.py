"""How far one gets without a language model: the commonest answer, a plain classifier, the nearest example. Seconds on a CPU.

The classifier is logistic regression on TF-IDF of words and runs of characters; the nearest example is the training row with
the largest TF-IDF cosine, whose answer is given. All are measured on rows that training does not hold, and once more on a
naive random division of the same rows, which shows what such a division would have pretended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from time import perf_counter
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem
from backend.data.baseline_advice import advice, notes
from backend.data.dataset import DataFolder, Row, gold_answer
from backend.data.split_keys import context_text, equal_form
from backend.stats.intervals import wilson_interval
from backend.stats.token_f1 import token_f1, words

Method = Literal["majority", "classifier", "nearest"]
Pair = tuple[str, str]
"""Text and answer."""
Features = tuple[list[str], Sequence[float]]
"""Terms, and the weight of each (its inverse document frequency)."""
MAX_TRAIN, MAX_TEST = 20_000, 2_000
"""Of more rows a sample is taken, the same one for the same rows."""
MAX_CHARS = 2_000
"""A longer text is read to here."""
_FEATURES = 50_000
_WEIGHTS = 1_000_000
"""Classes x features of either kind, at most: what keeps a fit at seconds."""
_ROWS_AT_ONCE = 256
_SECONDS, _ROW_SECONDS = 3.0, 0.0009
_MEMORY, _ROW_MEMORY = 260_000_000, 30_000
"""scikit-learn, and each row of 60 characters: 8,300 rows of the demo took 6.3 s of one core."""


class MethodScore(BaseModel):
    """Share of right answers (equal ones, outer spaces aside) with its 95 % interval (Wilson), which counts different test
    texts, not their copies; `token_f1`: mean F1 of words, free text only; `naive_`: the same on a naive random division."""

    model_config = ConfigDict(extra="forbid")

    method: Method
    accuracy: float
    low: float
    high: float
    token_f1: float | None = None
    naive_accuracy: float
    naive_token_f1: float | None = None


class BaselineReport(BaseModel):
    """`train`, `test`: rows; `distinct`: different pairs of text and answer in all splits, `distinct_test`: different test
    texts; `advice`: whether tuning is right for these data, in a sentence; `notes`: what else is to be said; `ready`: whether
    there is enough to learn from."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["label", "text"]
    train: int
    test: int
    distinct: int
    distinct_test: int
    methods: list[MethodScore]
    advice: Problem
    notes: list[Problem] = []
    ready: bool
    seconds: float

    def score(self, method: Method) -> MethodScore | None:
        return next((score for score in self.methods if score.method == method), None)


def baseline_report(
    train: Sequence[Pair], test: Sequence[Pair], answer: Literal["label", "text"], spare: Sequence[Pair] = ()
) -> BaselineReport:
    """Measure all methods that fit the kind of answer. `test`: rows that training does not hold, none of them a copy. Neither
    may be empty. `spare`: rows of a third split, which join the naive division only."""
    start = perf_counter()
    kept, held_out = sample(train, MAX_TRAIN), sample(test, MAX_TEST)
    naive = _shuffled([*kept, *held_out, *sample(spare, MAX_TEST)])
    honest = measure(kept, held_out, answer)
    pretended = measure(naive[len(held_out) :], naive[: len(held_out)], answer)
    distinct = len({(equal_form(text), reply) for text, reply in [*train, *test, *spare]})
    texts = len({equal_form(text) for text, _ in held_out})
    scores = [_score(method, found, pretended[method], texts) for method, found in honest.items()]
    figures = {score.method: score.model_dump() for score in scores}
    rows = len(train) + len(test) + len(spare)
    told, ready = advice(figures, answer, rows=rows, distinct=distinct, tested=texts)
    sampled = rows if (len(kept), len(held_out)) != (len(train), len(test)) else 0
    return BaselineReport(
        answer=answer,
        train=len(train),
        test=len(test),
        distinct=distinct,
        distinct_test=texts,
        methods=scores,
        advice=told,
        notes=notes(figures, sampled, len(kept) + len(held_out)),
        ready=ready,
        seconds=round(perf_counter() - start, 2),
    )


@dataclass(frozen=True)
class Measured:
    accuracy: float
    token_f1: float | None


def measure(train: Sequence[Pair], test: Sequence[Pair], answer: Literal["label", "text"]) -> dict[Method, Measured]:
    """The methods that fit, measured on `test`."""
    expected = [reply for _, reply in test]
    found: dict[Method, Measured] = {}
    for method, replies in answers_by_method(train, [text for text, _ in test], answer).items():
        right = [reply.strip() == wanted.strip() for reply, wanted in zip(replies, expected, strict=True)]
        shared = [token_f1(wanted, reply) for reply, wanted in zip(replies, expected, strict=True)]
        found[method] = Measured(float(np.mean(right)), float(np.mean(shared)) if answer == "text" else None)
    return found


def answers_by_method(
    train: Sequence[Pair], asked: Sequence[str], answer: Literal["label", "text"]
) -> dict[Method, list[str]]:
    """What each method that fits the kind of answer gives to the texts of `asked`."""
    texts, answers = [text for text, _ in train], [reply for _, reply in train]
    given: dict[Method, list[str]] = {"majority": [_commonest(answers)] * len(asked)}
    if answer == "label":
        given["classifier"] = TextClassifier(texts, answers).predict(asked)
    given["nearest"] = [answers[at] for at in nearest_rows(texts, asked)]
    return given


def read_text(row: Row) -> str:
    """All that a model reads of a row."""
    return f"{context_text(row.context)}\n{row.input}".strip()


def pairs_of(data: DataFolder, split: str) -> list[Pair]:
    """All that a model reads of each row of a split, and the right answer, where it has one."""
    return [(read_text(row), answer) for row in data.rows(split) if (answer := gold_answer(row))]


def cost(measured: float, chars: float) -> tuple[float, float]:
    """(seconds of one core of the reference, bytes) for so many rows to learn from and to ask; `chars`: of a prompt."""
    work = measured * max(1.0, min(float(MAX_CHARS), chars) / 60)
    return _SECONDS + work * _ROW_SECONDS, _MEMORY + work * _ROW_MEMORY


class TextClassifier:
    """Logistic regression on TF-IDF of words and pairs of words, and of runs of 2 to 4 characters within words. One class only
    is always answered."""

    def __init__(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        from sklearn.linear_model import LogisticRegression

        self.labels = sorted(set(labels))
        self._model: Any = None
        if len(self.labels) > 1:
            self._features = _features(max(2_000, min(_FEATURES, _WEIGHTS // len(self.labels))))
            weights = self._features.fit_transform([text[:MAX_CHARS] for text in texts])
            self._model = LogisticRegression(C=10, max_iter=200, tol=1e-3).fit(weights, list(labels))

    def probabilities(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(texts, labels), the labels in the order of `labels`."""
        if self._model is None:
            return np.ones((len(texts), 1))
        found: np.ndarray[Any, np.dtype[np.float64]] = self._model.predict_proba(
            self._features.transform([text[:MAX_CHARS] for text in texts])
        )
        return found

    def parameters(self) -> tuple[list[Features], Sequence[Sequence[float]], Sequence[float]]:
        """(both kinds of features, a line of weights for each label, what is added); of two labels one line, which is above 0
        for the second; of one label none."""
        if self._model is None:
            return [], [], []
        return _fitted(self._features), self._model.coef_, self._model.intercept_

    def predict(self, texts: Sequence[str]) -> list[str]:
        return [self.labels[at] for at in self.probabilities(texts).argmax(axis=1)]


def nearest_rows(known: Sequence[str], asked: Sequence[str]) -> list[int]:
    """For each asked text the place of the known one with the largest TF-IDF cosine, of equals the first."""
    features = _features(_FEATURES)
    rows = features.fit_transform([text[:MAX_CHARS] for text in known])
    questions = features.transform([text[:MAX_CHARS] for text in asked])
    found: list[int] = []
    for start in range(0, len(asked), _ROWS_AT_ONCE):
        alike = (questions[start : start + _ROWS_AT_ONCE] @ rows.T).toarray()
        found += alike.argmax(axis=1).tolist()
    return found


def example_features(known: Sequence[str]) -> list[Features]:
    """Both kinds of features by which `nearest_rows` compares."""
    return _fitted(_features(_FEATURES).fit([text[:MAX_CHARS] for text in known]))


def _fitted(union: Any) -> list[Features]:
    found = []
    for _name, kind in union.transformer_list:
        terms = sorted(kind.vocabulary_, key=kind.vocabulary_.__getitem__)
        found.append((terms, kind.idf_))
    return found


def _features(most: int) -> Any:
    """Weights of unit length for each of both kinds of features, side by side."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    kinds = (
        TfidfVectorizer(analyzer=kind, sublinear_tf=True, max_features=most, dtype=np.float32)
        for kind in (_words, _character_runs)
    )
    return make_union(*kinds)


def _words(text: str) -> list[str]:
    """Words and pairs of words; a text without words is its own."""
    found = words(text) or [text]
    return [*found, *(f"{one} {two}" for one, two in pairwise(found))]


def _character_runs(text: str) -> list[str]:
    """Runs of 2 to 4 characters, a space around the text; unlike words they exist in every text."""
    padded = f" {' '.join(text.casefold().split())} "
    return [padded[at : at + size] for size in (2, 3, 4) for at in range(max(1, len(padded) - size + 1))]


def _score(method: Method, found: Measured, pretended: Measured, texts: int) -> MethodScore:
    low, high = wilson_interval(round(found.accuracy * texts), texts)
    return MethodScore(
        method=method,
        accuracy=found.accuracy,
        low=low,
        high=high,
        token_f1=found.token_f1,
        naive_accuracy=pretended.accuracy,
        naive_token_f1=pretended.token_f1,
    )


def _commonest(answers: Sequence[str]) -> str:
    counts = Counter(answers)
    return min(counts, key=lambda reply: (-counts[reply], reply))


def sample(pairs: Sequence[Pair], most: int) -> list[Pair]:
    """All, or of more than `most` so many that follow from their content."""
    return list(pairs) if len(pairs) <= most else _shuffled(pairs)[:most]


def _shuffled(pairs: Sequence[Pair]) -> list[Pair]:
    """In an order that follows from content and, among equal rows, from place: copies are spread as by chance."""
    seen: Counter[Pair] = Counter()
    ranked = []
    for pair in pairs:
        seen[pair] += 1
        ranked.append((blake2b(f"{pair[0]}\x1f{pair[1]}\x1f{seen[pair]}".encode(), digest_size=8).digest(), pair))
    return [pair for _, pair in sorted(ranked)]
