"""What a comparison of a model with its export found, as checks against limits that fit how many bits its weights have."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np

from backend.checks.asked_model import TimedAnswer
from backend.checks.check import INFINITE_VALUE, Check, at_least, at_most
from backend.core.schemas import View
from backend.stats.bootstrap import bootstrap_interval
from backend.stats.token_f1 import token_f1

END_OF_TURN = -1
"""Stands for the end of turn among the tokens of an answer."""
MAX_EXAMPLES = 20
MEASURED_CHECKS = ("token_agreement", "kl_answer", "kl_prompt", "perplexity_ratio", "task_loss")
"""The checks that need an answer to every question."""


@dataclass
class Question:
    """`prompt` and the right `answer` with its end of turn, as token ids, and `expected`, the right answer as text; none for
    the fixed texts. `text`: what a user would write."""

    text: str
    prompt: list[int]
    answer: list[int] = field(default_factory=list)
    expected: str | None = None


@dataclass
class AnswerPair:
    """What both said to a question. `kl`: of each position in nats, (positions); `loss`: sum of -ln p of the right answer,
    original and export; `finite`: all of the export's logits are numbers."""

    question: Question
    original: TimedAnswer
    export: TimedAnswer
    kl: Any
    loss: tuple[float, float]
    finite: bool


@dataclass
class Comparison:
    """`asked` questions; `refused`: those that the export gave an error for, with its words; `died`: how its process ended,
    "" if it did not; `prompts` rendered texts, `mismatched_texts`: those that the runtime's own tokenizer reads otherwise."""

    asked: int
    prompts: int
    pairs: list[AnswerPair] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    died: str = ""
    mismatched_texts: list[str] = field(default_factory=list)


class Limits(View):
    """How far an export may be from its original. `agreement`: tokens of greedy answers; `kl_answer`: mean KL where the
    right answer is written, `kl_prompt`: where the question is read (a model that was only taught answers is unsure there, so
    rounding moves it further); `perplexity`: of the right answers, times that of the original; `task_loss`: of the score."""

    agreement: float
    kl_answer: float
    kl_prompt: float
    perplexity: float
    task_loss: float


LIMITS = {
    "fp32": Limits(agreement=0.98, kl_answer=1e-4, kl_prompt=1e-3, perplexity=1.01, task_loss=0.0),
    "fp16": Limits(agreement=0.97, kl_answer=1e-3, kl_prompt=1e-2, perplexity=1.02, task_loss=0.0),
    "int8": Limits(agreement=0.95, kl_answer=0.05, kl_prompt=0.3, perplexity=1.1, task_loss=0.01),
    "int4": Limits(agreement=0.90, kl_answer=0.2, kl_prompt=1.0, perplexity=1.25, task_loss=0.02),
}


def limits_for(precision: str) -> Limits:
    """Those of a precision; of one that is not known the ones for 4 bits."""
    return LIMITS.get(precision, LIMITS["int4"])


def comparison_checks(found: Comparison, limit: Limits, labels: bool) -> list[Check]:
    """`labels`: an answer is right or wrong; else it has a share of the right words."""
    rows = [each for each in found.pairs if each.question.expected is not None]
    first = [_runs(found), _runtime_tokens(found)]
    if found.died or len(found.pairs) < found.asked:
        return [*first, *(_not_measured(name, found) for name in MEASURED_CHECKS)]
    return [
        *first,
        _agreement(rows, limit),
        *_kl(rows, found.pairs, limit),
        _perplexity(rows, limit),
        _task(rows, limit, labels),
    ]


def examples(found: Comparison) -> list[dict[str, Any]]:
    """Questions whose answers differ, with the first that agree behind them."""
    ordered = sorted(found.pairs, key=lambda each: each.original.ids == each.export.ids)
    return [
        {
            "text": each.question.text,
            "expected": each.question.expected,
            "original": each.original.text,
            "export": each.export.text,
            "same": each.original.ids == each.export.ids,
        }
        for each in ordered[:MAX_EXAMPLES]
    ]


def agreement(one: TimedAnswer, two: TimedAnswer) -> tuple[int, int]:
    """How many tokens, the end of turn counted, are equal before the first that differs; and of how many."""
    first, second = _ids_with_end(one), _ids_with_end(two)
    same = 0
    for ours, theirs in zip(first, second, strict=False):
        if ours != theirs:
            break
        same += 1
    return same, max(len(first), len(second))


def _runs(found: Comparison) -> Check:
    wrong = [*found.refused, *([found.died] if found.died else [])]
    wrong += [f"{each.question.text[:60]!r}: NaN" for each in found.pairs if not each.finite]
    args = {"count": len(wrong), "total": found.asked, "examples": "; ".join(wrong[:3])}
    return at_most("runs", len(wrong), 0, args=args, detail={"wrong": wrong[:20]})


def _runtime_tokens(found: Comparison) -> Check:
    if found.died:
        return _not_measured("runtime_tokens", found)
    wrong = found.mismatched_texts
    args = {"count": len(wrong), "total": found.prompts, "examples": ", ".join(wrong[:3])}
    return at_most("runtime_tokens", len(wrong), 0, args=args, detail={"wrong": wrong[:20]})


def _agreement(rows: list[AnswerPair], limit: Limits) -> Check:
    counts = [agreement(each.original, each.export) for each in rows]
    same, total = sum(one for one, _ in counts), sum(two for _, two in counts)
    equal = sum(one == two for one, two in counts)
    args = {"equal": equal, "total": len(rows)}
    return at_least("token_agreement", same / max(1, total), limit.agreement, args=args, detail={"tokens": total})


def _kl(rows: list[AnswerPair], everything: list[AnswerPair], limit: Limits) -> list[Check]:
    """Position i foretells token i + 1: the answer begins at the last position of its prompt."""
    answers = np.concatenate([each.kl[-len(each.question.answer) - 1 : -1] for each in rows])
    prompts = np.concatenate([each.kl[: len(each.kl) - len(each.question.answer)] for each in everything])
    return [
        at_most(name, float(np.mean(values)), threshold, "nats", detail={**_spread(values), "positions": len(values)})
        for name, values, threshold in (
            ("kl_answer", answers, limit.kl_answer),
            ("kl_prompt", prompts, limit.kl_prompt),
        )
    ]


def _spread(values: Any) -> dict[str, float]:
    found = {"median": np.median(values), "p99": np.quantile(values, 0.99), "max": values.max()}
    return {name: min(INFINITE_VALUE, float(np.nan_to_num(value, nan=INFINITE_VALUE))) for name, value in found.items()}


def _perplexity(rows: list[AnswerPair], limit: Limits) -> Check:
    tokens = sum(len(each.question.answer) for each in rows)
    theirs, ours = (sum(each.loss[side] for each in rows) / tokens for side in (0, 1))
    values = {"original": exp(min(theirs, 700.0)), "export": min(INFINITE_VALUE, exp(min(ours, 700.0)))}
    return at_most("perplexity_ratio", exp(min(ours - theirs, 700.0)), limit.perplexity, "number", detail=values)


def _task(rows: list[AnswerPair], limit: Limits, labels: bool) -> Check:
    """The score that is lost, with its 95 % interval over rows (both answered the same ones). A loss above the limit counts
    when chance alone does not explain it: its interval leaves out zero."""
    scores = np.array([[_score(each, side, labels) for each in rows] for side in ("original", "export")])
    lost = scores[0] - scores[1]
    low, high = bootstrap_interval(lost[None, :])
    original, export = (float(each) for each in scores.mean(axis=1))
    value = float(lost.mean())
    detail = {"low": low, "high": high, "original": original, "export": export, "rows": len(rows)}
    return Check(
        name="task_loss",
        value=value,
        threshold=limit.task_loss,
        unit="share",
        passed=value <= limit.task_loss or low <= 0,
        args={"total": len(rows)},
        detail=detail,
    )


def _score(pairs: AnswerPair, side: str, labels: bool) -> float:
    answer, expected = getattr(pairs, side).text, pairs.question.expected or ""
    return float(answer.strip() == expected.strip()) if labels else token_f1(expected, answer)


def _not_measured(name: str, found: Comparison) -> Check:
    reason = found.died or (found.refused or ["–"])[0]
    return at_most(name, None, 0, args={"reason": reason[:200]})


def _ids_with_end(answered: TimedAnswer) -> list[int]:
    return [*answered.ids, *([END_OF_TURN] if answered.ended else [])]
