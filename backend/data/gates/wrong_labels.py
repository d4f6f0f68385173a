"""Rows whose label a quick baseline firmly contradicts, without having seen them: confident learning (Northcutt et al. 2021).

Out of fold, TF-IDF of words and of runs of characters with logistic regression; deterministic by the content of the rows.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backend.data.gates.base import Found, Gate, Hits, Options, prompt_text
from backend.data.gates.label_names import label_key
from backend.data.gates.same_rows import block_prompts
from backend.data.near_duplicates import words
from backend.data.row_blocks import RowBlock

MIN_CLASS_ROWS = 5
MIN_ROWS = 40
MOST_ROWS = 10_000
"""More rows are sampled, by a hash of their text: the same ones each time."""
FOLDS = 5
_SOLVED_ROWS = 4_000
_MARGIN = 0.3
"""How much likelier than the given label another one has to be, beside the share of rows that the baseline takes for another
class: one that is often wrong has to be surer."""
_CHARS = 2_000

Floats = np.ndarray[Any, np.dtype[np.float64]]


class WrongLabels:
    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._codes: dict[str, int] = {}
        self._answers, self._ranks, self._numbers = array("i"), array("Q"), array("q")

    def see_block(self, block: RowBlock) -> None:
        """Texts are not kept, but an order by which some are chosen."""
        if not self.labels or block.split == "pool":
            return
        answers = block.outputs.to_pylist()
        for at, (text, answer) in enumerate(zip(block_prompts(block).to_pylist(), answers, strict=True)):
            if answer is not None:
                self._answers.append(self._codes.setdefault(answer, len(self._codes)))
                self._ranks.append(int(_rank(text[:_CHARS]), 16))
                self._numbers.append(block.first + at)

    def found(self) -> Found | None:
        kept = self._chosen()
        rows = [self.options.look(self._numbers[at]) for at in kept]
        texts = [prompt_text(row)[:_CHARS] for _split, row in rows]
        answers = [label_key(row.output or "") for _split, row in rows]
        if len(kept) < MIN_ROWS or len(set(answers)) < 2:
            return None
        hits = Hits()
        names = {label_key(label): label for label in self.options.template.labels}
        for at, label, chance in suspects(texts, answers, self.options.tick):
            split, row = rows[at]
            if row.id in self.options.confirmed:
                continue
            likelier = f"{row.output} → {names.get(label, label)} ({chance:.0%})"
            hits.add(split, row.id, row.input, detail=likelier)
        return self.gate.finding("gates.wrong_labels", hits, len(kept))

    def _chosen(self) -> list[int]:
        """Rows of classes that are large enough, the same sample of them each time."""
        if not self._answers:
            return []
        keys = [label_key(label) for label in self._codes]
        place = {key: at for at, key in enumerate(dict.fromkeys(keys))}
        classes = np.array([place[key] for key in keys])[np.array(self._answers)]
        kept = np.flatnonzero(np.bincount(classes)[classes] >= MIN_CLASS_ROWS)
        if len(kept) > MOST_ROWS:
            kept = np.sort(kept[np.argsort(np.array(self._ranks, np.uint64)[kept], kind="stable")[:MOST_ROWS]])
        chosen: list[int] = kept.tolist()
        return chosen


def suspects(
    texts: Sequence[str], answers: Sequence[str], tick: Callable[[int], None] = lambda rows: None
) -> list[tuple[int, str, float]]:
    """(row, the label that it seems to have, its probability), most suspicious first."""
    labels = sorted(set(answers))
    given = np.array([labels.index(answer) for answer in answers])
    chances = out_of_fold(texts, given, len(labels), tick)
    own = chances[np.arange(len(given)), given]
    usual = np.array([own[given == label].mean() for label in range(len(labels))])
    others = np.where(chances >= usual, chances, 0.0)
    others[np.arange(len(given)), given] = 0.0
    likeliest = others.argmax(axis=1)
    best = others[np.arange(len(given)), likeliest]
    doubt = float(np.mean(chances.argmax(axis=1) != given))
    firm = np.flatnonzero((best - own > _MARGIN + doubt) & (best > 0))
    order = firm[np.argsort(-(best[firm] - own[firm]), kind="stable")]
    return [(int(at), labels[likeliest[at]], float(best[at])) for at in order]


def out_of_fold(texts: Sequence[str], given: Any, classes: int, tick: Callable[[int], None]) -> Floats:
    """Probabilities (rows, classes) by models that did not see the row, nor another with the same words."""
    folds = _folds(texts, given)
    chances = np.zeros((len(texts), classes))
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(outside) or len(set(given[inside].tolist())) < 2:
            continue
        features, model = _features(), _classifier(len(texts))
        model.fit(features.fit_transform([texts[int(at)] for at in inside]), given[inside])
        chances[np.ix_(outside, model.classes_)] = model.predict_proba(
            features.transform([texts[int(at)] for at in outside])
        )
        tick(len(outside))
    return chances


def _features() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    shared: dict[str, Any] = {"sublinear_tf": True, "max_features": 50_000, "dtype": np.float32}
    return make_union(
        TfidfVectorizer(token_pattern=r"(?u)\w+", ngram_range=(1, 2), **shared),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **shared),
    )


def _classifier(rows: int) -> Any:
    """Logistic regression, a class against the rest; on many rows by stochastic gradients, which is ten times as fast."""
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.multiclass import OneVsRestClassifier

    if rows > _SOLVED_ROWS:
        return SGDClassifier(loss="log_loss", alpha=2e-5, max_iter=8, tol=None, random_state=0)
    return OneVsRestClassifier(LogisticRegression(C=10.0, solver="liblinear", tol=1e-2, random_state=0))


def _folds(texts: Sequence[str], given: Any) -> Any:
    """A fold for each row: equal words together, each class spread evenly."""
    by_label: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, text in enumerate(texts):
        by_label[int(given[at])][" ".join(words(text))].append(at)
    folds = np.zeros(len(texts), dtype=int)
    for groups in by_label.values():
        for place, key in enumerate(sorted(groups, key=_rank)):
            folds[groups[key]] = place % FOLDS
    return folds


def _rank(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
