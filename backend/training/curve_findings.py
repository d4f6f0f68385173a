"""What a training's curves and rows say about it, in plain words with the remedy. Pure functions, no torch.

A finding is bad enough that the job ends with findings; a note is a hint beside a result that is sound. The thresholds are set
by judgement and tried on drawn curves and on a tiny model made to overfit, not yet on many real runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from statistics import fmean, median

from backend.core.errors import Problem

Points = Sequence[tuple[float, float]]
"""(optimizer step, loss), by step."""
OVERFIT = 1.05
"""Last validation loss over the best, from which it is told. A hint only: answers may get better while their loss rises."""
DIVERGED = 1.5
"""Mean training loss at the end over the lowest fifth."""
FLAT = 0.98
"""Mean training loss of the last fifth over that of the first, above which nothing was learned."""
STILL_FALLING = 0.9
"""The last tenth of the training loss over the tenth before it, below which it would have learned more."""
SPIKE, SPIKES = 2.0, 0.05
"""A loss so many times the median of its neighbours is a spike; from this share of spikes the curve is unsteady."""
FEW_ROWS, FEW_STEPS = 50, 10
"""Training rows, and optimizer steps, below which little can have been learned."""
LEFT_OUT = 0.05
"""Share of rows whose answer did not fit, from which it is told."""
MAJORITY, MOST_LABELS = 0.8, 50
"""Share of the commonest answer, and the number of different answers up to which they count as labels."""
_POINTS = 10  # of a curve, before its shape means anything
_PARTS = 5
_FLAT_POINTS = 40  # a few warm-up steps may well change little


@dataclass(frozen=True)
class TrainingRun:
    """What is known of a run. `kept_best`: the weights of the best evaluation are kept; `left_out`: rows whose answer is longer
    than the maximum length; `answers`: how often each answer stands in the rows, {} where they are not labels; `chance`: the
    loss before anything is learned, where the method says it and the least is 0: below it nothing has diverged."""

    training: Points = ()
    validation: Points = ()
    steps: int = 0
    rows: int = 0
    left_out: int = 0
    max_length: int = 0
    learning_rate: float = 0.0
    kept_best: bool = False
    chance: float = 0.0
    answers: Mapping[object, int] = field(default_factory=dict)


def curve_findings(run: TrainingRun) -> list[Problem]:
    """Everything that can be said, findings (`blocking`) and notes; of the curve's shape only the gravest."""
    shape = next(filter(None, (_not_a_number(run), _diverged(run), _unsteady(run), _flat(run))), None)
    found = [shape, _overfit(run), _unfinished(run) if shape is None else None]
    return [problem for problem in [*found, _few_rows(run), _left_out(run), _unbalanced(run)] if problem]


def label_counts(answers: Sequence[object]) -> dict[object, int]:
    """How often each answer stands in the rows; {} where there are too many different ones for labels."""
    counts = Counter(answers)
    return dict(counts) if len(counts) <= min(MOST_LABELS, len(answers) / 2) else {}


def _note(code: str, **args: object) -> Problem:
    return Problem(code=code, args=args, blocking=False)


def _not_a_number(run: TrainingRun) -> Problem | None:
    step = next((step for step, loss in [*run.validation, *run.training] if not isfinite(loss)), None)
    return None if step is None else Problem(code="curve.not_a_number", args={"step": round(step)})


def _diverged(run: TrainingRun) -> Problem | None:
    parts = _parts(run.training)
    if not parts or parts[-1] < max(run.chance, DIVERGED * min(parts)):
        return None
    args = {"last": round(parts[-1], 3), "lowest": round(min(parts), 3), "rate": run.learning_rate}
    return Problem(code="curve.diverged", args=args)


def _unsteady(run: TrainingRun) -> Problem | None:
    losses = [loss for _step, loss in run.training]
    if len(losses) < _POINTS:
        return None
    around = [median(losses[max(0, at - 3) : at + 4]) for at in range(len(losses))]
    spikes = sum(loss > max(run.chance, SPIKE * usual) for loss, usual in zip(losses[1:], around[1:], strict=True))
    return _note("curve.unsteady", rate=run.learning_rate) if spikes >= max(3, SPIKES * len(losses)) else None


def _flat(run: TrainingRun) -> Problem | None:
    parts = _parts(run.training)
    if len(run.training) < _FLAT_POINTS or not parts or parts[-1] < FLAT * parts[0]:
        return None
    return _note("curve.flat", rate=run.learning_rate)


def _unfinished(run: TrainingRun) -> Problem | None:
    """Where training and validation loss are still falling at the end: both, or it would only overfit."""
    losses = [loss for _step, loss in run.training]
    tenth = len(losses) // 10
    falls = tenth >= 2 and fmean(losses[-tenth:]) < STILL_FALLING * fmean(losses[-2 * tenth : -tenth])
    held_out = [loss for _step, loss in run.validation][-3:]
    return _note("curve.unfinished") if falls and all(b < a for a, b in pairwise(held_out)) else None


def _overfit(run: TrainingRun) -> Problem | None:
    """The validation loss rises while the training loss falls."""
    held_out = [point for point in run.validation if isfinite(point[1])]
    if len(held_out) < 2 or run.kept_best:
        return None
    (best_step, best), last = min(held_out, key=lambda point: point[1]), held_out[-1][1]
    before = [loss for step, loss in run.training if step <= best_step]
    after = [loss for step, loss in run.training if step > best_step]
    if not before or not after or best <= 0 or last < OVERFIT * best:
        return None
    if fmean(after[-max(1, len(after) // 2) :]) >= fmean(before[-max(1, len(before) // 2) :]):
        return None
    return _note("curve.overfit", step=round(best_step), best=round(best, 3), last=round(last, 3))


def _few_rows(run: TrainingRun) -> Problem | None:
    if 0 < run.steps < FEW_STEPS and run.rows:
        return _note("curve.hardly_trained", steps=run.steps, rows=run.rows)
    return _note("curve.few_rows", rows=run.rows) if 0 < run.rows < FEW_ROWS else None


def _left_out(run: TrainingRun) -> Problem | None:
    total = run.rows + run.left_out
    if not total or run.left_out < LEFT_OUT * total:
        return None
    return _note("curve.left_out", count=run.left_out, rows=total, max_length=run.max_length)


def _unbalanced(run: TrainingRun) -> Problem | None:
    total = sum(run.answers.values())
    if len(run.answers) < 2 or total < FEW_ROWS or max(run.answers.values()) < MAJORITY * total:
        return None
    return _note("curve.unbalanced", percent=round(100 * max(run.answers.values()) / total))


def _parts(points: Points) -> list[float]:
    """Mean loss of each fifth of a curve; empty where it is too short, or no number everywhere."""
    losses = [loss for _step, loss in points]
    if len(losses) < _POINTS or not all(map(isfinite, losses)):
        return []
    ends = [len(losses) * part // _PARTS for part in range(_PARTS + 1)]
    return [fmean(losses[start:end]) for start, end in pairwise(ends)]
