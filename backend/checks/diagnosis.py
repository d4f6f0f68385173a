"""Why a training gave a poor result: what was measured of its data, template, rate and capacity, as four checks.

Pure functions from figures to a state with its remedy. The limits are those of the gates, the quick baseline and the curves
where these have one, else set by judgement and tried on small models made to fail, not yet on many real trainings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from backend.checks.check import INFINITE_VALUE, Check, Unit
from backend.core.units import percent_text
from backend.data.baseline_advice import MIN_DISTINCT
from backend.data.gates.registry import GATES
from backend.training.curve_findings import FLAT, LEFT_OUT, MAJORITY, STILL_FALLING, TrainingRun, curve_findings

REPORT = "diagnosis"
"""The word for it in the facts of reports."""
CHECKS = ("diagnosis_data", "diagnosis_template", "diagnosis_rate", "diagnosis_capacity")
"""In the order in which one explains the next."""
FACTORS = (0.25, 1.0, 4.0)
"""Of the learning rate, which are tried beside one another."""
BETTER = 0.9
"""Another rate is better from so much of the loss."""
MEMORIZED = 0.1
"""Nats a token: rows with this loss are known."""
ENDED = 0.9
"""Least share of answers that the model ends itself."""
_ERROR_ABOVE = {each.name: each.error_above or 0.0 for each in GATES}
_UNSTABLE = ("curve.diverged", "curve.not_a_number", "curve.unsteady")
_SIGNS = ("runs_on", "stuck")
"""Reasons that another check explains, where one fails."""
Figures = dict[str, tuple[float, Unit]]


@dataclass(frozen=True)
class DataFigures:
    """Of a dataset: rows of all splits that answer `distinct` questions, rows that a gate found by its name, of labels the
    shares of the commonest and the rarest (0 of free text); `baseline` and `majority` on validation rows, the latter with the
    upper end of its interval, None where there are none; `no_signal`: the first is no better."""

    rows: int
    distinct: int
    found: dict[str, int]
    commonest: float = 0.0
    rarest: float = 0.0
    baseline: float | None = None
    majority: float | None = None
    most: float = 1.0
    no_signal: bool = False

    @property
    def figures(self) -> Figures:
        told: dict[str, tuple[float | None, Unit]] = {
            "rows": (self.rows, "count"),
            "distinct": (self.distinct, "count"),
        }
        told |= {name: (count, "count") for name, count in self.found.items()}
        told |= {name: (getattr(self, name) or None, "share") for name in ("commonest", "rarest")}
        told |= {name: (getattr(self, name), "share") for name in ("baseline", "majority")}
        return {name: (value, unit) for name, (value, unit) in told.items() if value is not None}


def data_check(of: DataFigures) -> Check:
    """Whether the rows determine their answers, and a model can tell."""
    found = _Finder(CHECKS[0], of.figures)
    if of.distinct < MIN_DISTINCT:
        args = {"distinct": of.distinct, "least": MIN_DISTINCT}
        return found.failed("few", of.distinct, MIN_DISTINCT, "count", at_least=True, **args)
    for reason in ("contradictions", "empty", "duplicates"):
        count, most = of.found.get(reason, 0), _ERROR_ABOVE[reason]
        if count > most * of.rows:
            return found.failed(reason, count / of.rows, most, "share", count=count, rows=of.rows)
    if of.no_signal and of.baseline is not None:
        shown = {"baseline": percent_text(of.baseline), "majority": percent_text(of.majority or 0.0)}
        return found.failed("no_signal", of.baseline, of.most, "share", at_least=True, **shown)
    if MAJORITY <= of.commonest < 1:
        return found.failed("unbalanced", of.commonest, MAJORITY, "share", share=percent_text(of.commonest))
    return found.passed(of.found.get("contradictions", 0) / max(1, of.rows), _ERROR_ABOVE["contradictions"], "share")


@dataclass(frozen=True)
class TemplateFigures:
    """Of `rows` compared token by token: those that `differ` at inference, and whose answers end without a token that stops it
    (`unended`). Of all `train` rows those whose answer was left out or whose prompt lost its beginning. Of `asked` rows those
    whose answer the model `ended` itself."""

    rows: int
    differ: int
    unended: int
    train: int
    dropped: int
    truncated: int
    max_length: int
    asked: int
    ended: int

    @property
    def figures(self) -> Figures:
        names = ("rows", "differ", "unended", "dropped", "truncated", "asked", "ended")
        return {("compared" if name == "rows" else name): (getattr(self, name), "count") for name in names}


def template_check(of: TemplateFigures) -> Check:
    """Whether the model is asked as it was taught, and was taught whole answers with their end."""
    found = _Finder(CHECKS[1], of.figures)
    for reason, count in (("differs", of.differ), ("no_end", of.unended)):
        if count:
            return found.failed(reason, count, 0, "count", count=count, rows=of.rows)
    for reason, count in (("dropped", of.dropped), ("truncated", of.truncated)):
        if of.train and count >= LEFT_OUT * of.train:
            args: dict[str, Any] = {"count": count, "rows": of.train, "max_length": of.max_length}
            return found.failed(reason, count / of.train, LEFT_OUT, "share", **args)
    share = of.ended / of.asked if of.asked else 1.0
    if share < ENDED:
        return found.failed("runs_on", share, ENDED, "share", at_least=True, ended=of.ended, asked=of.asked)
    return found.passed(share, ENDED, "share", at_least=True)


@dataclass(frozen=True)
class RateFigures:
    """`losses`: of the same rows after `updates` updates with each of FACTORS times `rate`, infinite where it was no number;
    `start`: before them; `curve`: (update, loss) of the training itself, empty where it is not kept."""

    rate: float
    updates: int
    start: float
    losses: tuple[float, float, float]
    curve: Sequence[tuple[float, float]] = ()

    @property
    def best(self) -> float:
        """The factor with the least loss."""
        return FACTORS[self.losses.index(min(self.losses))]

    @property
    def learns(self) -> bool:
        """Whether the loss fell with any of them."""
        return min(self.losses) < FLAT * self.start

    def times(self, factor: float) -> float:
        """The rate so many times as high."""
        return float(f"{factor * self.rate:.3g}")

    @property
    def curve_codes(self) -> set[str]:
        """What the kept curve says."""
        run = TrainingRun(training=self.curve, learning_rate=self.rate)
        return {problem.code for problem in curve_findings(run)}

    @property
    def slow(self) -> bool:
        """Whether the training was slow to learn: its kept curve hardly fell, still falls at its end, or ends above what a few
        updates with a higher rate reach. Without a curve by the updates here."""
        if len(self.curve) < 2:
            return self.losses[1] >= FLAT * self.start
        end = fmean(loss for _step, loss in self.curve[-max(1, len(self.curve) // 5) :])
        unfinished = "curve.unfinished" in self.curve_codes
        return unfinished or end > STILL_FALLING * self.curve[0][1] or self.losses[2] < BETTER * end

    @property
    def figures(self) -> Figures:
        told: Figures = {"rate": (self.rate, "number"), "start": (self.start, "nats")}
        ends = {"curve_first": self.curve[0][1], "curve_last": self.curve[-1][1]} if self.curve else {}
        losses = dict(zip(("quarter", "same", "fourfold"), self.losses, strict=True)) | ends
        return told | {name: (loss, "nats") for name, loss in losses.items() if math.isfinite(loss)}


def rate_check(of: RateFigures) -> Check:
    """Whether another learning rate learns the same rows better."""
    found, (quarter, same, fourfold) = _Finder(CHECKS[2], of.figures), of.losses
    args: dict[str, Any] = {"rate": of.rate, "updates": of.updates, "same": _rounded(same), "start": _rounded(of.start)}
    if quarter < BETTER * same or (same >= FLAT * of.start and quarter < same):
        args |= {"better": _rounded(quarter), "better_rate": of.times(0.25)}
        return found.failed("high", same, quarter, "nats", **args)
    if not of.learns:
        return found.failed("stuck", same, FLAT * of.start, "nats", **args)
    if of.curve_codes & {*_UNSTABLE}:
        return found.failed("unstable", same, quarter, "nats", **args, better_rate=of.times(0.25))
    if fourfold < BETTER * same and of.slow:
        args |= {"better": _rounded(fourfold), "better_rate": of.times(4.0)}
        return found.failed("low", same, fourfold, "nats", **args)
    return found.passed(same, max(same, FLAT * of.start), "nats", **args)


@dataclass(frozen=True)
class CapacityFigures:
    """`rows` rows learned alone: `loss` after `updates` updates at most, of which `needed` were needed to know them (0: they
    are not known). `rank`: of the adapter, 0 of a training in full; `twice_loss`: with twice the rank, None where nobody
    tried. `trained`: the updates of the training itself, 0 where they are not known."""

    rows: int
    updates: int
    loss: float
    needed: int
    rank: int = 0
    twice_loss: float | None = None
    trained: int = 0

    @property
    def figures(self) -> Figures:
        told: Figures = {"memorized": (self.rows, "count"), "memorized_loss": (self.loss, "nats")}
        counts = {"needed": self.needed, "rank": self.rank, "trained": self.trained}
        told |= {name: (count, "count") for name, count in counts.items() if count}
        told |= {"twice_loss": (self.twice_loss, "nats")} if self.twice_loss is not None else {}
        return {name: figure for name, figure in told.items() if math.isfinite(figure[0])}


def capacity_check(of: CapacityFigures) -> Check:
    """Whether these settings can learn a few rows whole, and whether the training had the updates for it."""
    found = _Finder(CHECKS[3], of.figures)
    args: dict[str, Any] = {"rows": of.rows, "updates": of.updates, "rank": of.rank, "twice": 2 * of.rank}
    if of.loss > MEMORIZED:
        helped = of.twice_loss is not None and of.twice_loss <= MEMORIZED
        reason = "full" if not of.rank else "rank" if helped else "small"
        return found.failed(reason, of.loss, MEMORIZED, "nats", **args)
    args |= {"needed": of.needed, "trained": of.trained}
    if 0 < of.trained < of.needed:
        return found.failed("updates", of.trained, of.needed, "count", at_least=True, **args)
    return found.passed(of.loss, MEMORIZED, "nats", **args)


def cause(checks: Sequence[Check]) -> str:
    """The check that explains the rest: the first that failed, but for what too little learning or a poor rate is only the
    sign of. "" where all passed."""
    failed = [check for check in checks if not check.passed]
    causes = [check for check in failed if check.reason not in _SIGNS]
    return next((check.name for check in causes or failed), "")


@dataclass(frozen=True)
class _Finder:
    """Makes the check of this name, with all that was measured for it."""

    name: str
    figures: Figures

    def failed(self, reason: str, value: float, bound: float, unit: Unit, at_least: bool = False, **args: Any) -> Check:
        """A value that is no number is shown as a very large one, as JSON has none."""
        held = value if math.isfinite(value) else INFINITE_VALUE
        detail = {"figures": {name: list(figure) for name, figure in self.figures.items()}}
        return Check(
            name=self.name,
            value=held,
            threshold=bound,
            at_least=at_least,
            unit=unit,
            passed=not reason,
            reason=reason,
            args=args,
            detail=detail,
        )

    def passed(self, value: float, bound: float, unit: Unit, at_least: bool = False, **args: Any) -> Check:
        return self.failed("", value, bound, unit, at_least, **args)


def _rounded(loss: float) -> float | str:
    return round(loss, 3) if math.isfinite(loss) else "–"
