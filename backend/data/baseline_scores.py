"""The quick baseline beside a model: the same rows, answered without a language model, and whether the model beats that.

The method is fixed by the kind of answer, not chosen by its score: the rows that measure are not chosen on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem
from backend.core.progress import Progress
from backend.data.baseline import MAX_TRAIN, Method, answers_by_method, read_text
from backend.data.dataset import DataFolder, Row, answer_of
from backend.stats.bootstrap import bootstrap_interval
from backend.stats.metrics import headline, metrics, row_scores, scores_of
from backend.stats.paired import mcnemar_p
from backend.stats.scores import Answers
from backend.stats.tasks import Task

METHODS: dict[str, Method] = {"label": "classifier", "text": "nearest"}
"""Kind of answer -> the method that a model has to beat."""
WORDS: dict[Method, str] = {
    "majority": "most common answer",
    "classifier": "TF-IDF classifier",
    "nearest": "nearest training example",
}
"""What a method is called within a sentence."""
_ALPHA = 0.05


class BaselineScores(BaseModel):
    """`scores`: of each method all qualities of the task, by the names of the metrics, and their intervals; empty where it was
    left out. `method`: the one to beat. `train`: rows it learned from, of `known`. `comparison`: whether the model beats it, or
    why there is none. `beaten`: None where there is none."""

    model_config = ConfigDict(extra="forbid")

    method: Method | None = None
    scores: dict[Method, dict[str, float]] = {}
    train: int = 0
    known: int = 0
    beaten: bool | None = None
    comparison: Problem

    @property
    def figures(self) -> dict[str, float]:
        """Those of the method to beat."""
        return self.scores.get(self.method, {}) if self.method else {}

    @property
    def words(self) -> str:
        """The method to beat, in English."""
        return WORDS[self.method] if self.method else ""


def stored_baseline(facts: dict[str, Any]) -> BaselineScores | None:
    """What an evaluation's facts hold; None for an evaluation of before, or of another version of the studio."""
    try:
        return BaselineScores.model_validate(facts["baseline"])
    except (KeyError, ValueError):
        return None


def baseline_scores_of(
    data: DataFolder,
    split: str,
    rows: Sequence[Row],
    answers: tuple[list[str], list[str]],
    progress: Progress,
    task: Task | None = None,
) -> BaselineScores:
    """Answers `rows` of `split` by all methods, which learn from the training rows (20,000 at most, at even steps).
    `answers`: the right ones, and the model's. `task`: what they are measured by, plain labels or text for None."""
    if split == "train":
        return _left_out("trained_on")
    if any(row.tool_calls for row in rows):
        return _left_out("calls")
    known = data.count("train")
    learned = data.rows("train", max(1, -(-known // MAX_TRAIN)))
    train = [(read_text(row), answer) for row in learned if (answer := answer_of(row))]
    if not train:
        return _left_out("no_train")
    progress()
    kind, (expected, given) = data.template.answer, answers
    task = task or kind
    replies = answers_by_method(train, [read_text(row) for row in rows], kind)
    labels = [answer for _, answer in train]
    scored = {
        method: scores_of(task, Answers.of(expected, said, data.template.labels, labels))
        for method, said in replies.items()
    }
    method = METHODS[kind]
    model = scores_of(task, Answers.of(expected, given, data.template.labels, labels))
    comparison, beaten = _compared(method, expected, (given, replies[method]), (model, scored[method]))
    return BaselineScores(
        method=method, scores=scored, train=len(train), known=known, beaten=beaten, comparison=comparison
    )


def _left_out(reason: str) -> BaselineScores:
    return BaselineScores(comparison=Problem(code=f"baseline.left_out_{reason}", blocking=False))


def _compared(
    method: Method,
    expected: list[str],
    given: tuple[list[str], list[str]],
    scores: tuple[dict[str, float], dict[str, float]],
) -> tuple[Problem, bool]:
    """`given`, `scores`: the model's, then the baseline's. A difference that may be chance is said as such."""
    measure = headline(scores[0])
    model, baseline = (each[measure] for each in scores)
    code = "not_beaten" if model <= baseline else "beaten" if _is_sure(measure, expected, *given) else "by_chance"
    args = {
        "measure": metrics()[measure].title,
        "model": round(100 * model, 1),
        "baseline": round(100 * baseline, 1),
        "method": WORDS[method],
    }
    return Problem(code=f"baseline.{code}", args=args, blocking=False), code != "not_beaten"


def _is_sure(measure: str, expected: list[str], model: list[str], baseline: list[str]) -> bool:
    """Where rows are right or wrong: the exact McNemar test at 5 %; else the 95 % bootstrap interval of the mean difference."""
    one, other = (np.array(row_scores(measure, expected, said)) for said in (model, baseline))
    if np.isin([one, other], (0.0, 1.0)).all():
        return mcnemar_p(int((one > other).sum()), int((other > one).sum())) < _ALPHA
    low, _high = bootstrap_interval((one - other)[None])
    return low > 0
