"""The short trainings of a diagnosis: other learning rates on the same rows, and a few rows that are to be memorized."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from backend.checks.diagnosis import FACTORS, MEMORIZED, CapacityFigures, RateFigures
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.dataset import DataFolder
from backend.data.gates.same_rows import row_key
from backend.stages.diagnosed import Training, Tried, spread, subset, try_out

RATE_UPDATES, RATE_BATCHES, RATE_MEASURED = 8, 4, 64
"""Of each training with another rate: updates, batches of rows, rows whose loss is measured."""
MEMORY_ROWS, MEASUREMENTS = 16, 12
"""Rows to be memorized, and how often their loss is measured."""


class Tries:
    """The short trainings of a diagnosis."""

    def __init__(
        self,
        training: Training,
        inputs: tuple[ArtifactView, ArtifactView],
        curve: Sequence[tuple[float, float]],
        updates: int,
        ctx: Context,
        report: Callable[[float, str], None],
    ) -> None:
        """`inputs`: model and dataset of the training; `curve`: its own, as far as it is kept; `updates`: within which rows
        should be known; `report` hears how many short trainings are done, and what goes on."""
        self.training, (self.base, self.data), self.curve = training, inputs, curve
        self.updates, self.ctx, self.report = updates, ctx, report

    @cached_property
    def rates(self) -> RateFigures:
        """The same rows with each of FACTORS times the learning rate."""
        per_update = self.training.params.batch_size * self.training.params.accumulation
        rows = spread(DataFolder(self.data.path), RATE_BATCHES * per_update, lambda row: row.id)
        data = subset(self.data, rows, RATE_MEASURED, self.ctx.dir / "rate_rows")
        found = [
            self._tried(rate_training(self.training, factor), data, f"rate-{at}", 0.0, at)
            for at, factor in enumerate(FACTORS)
        ]
        start = next((tried.start for tried in found if tried.start is not None), 0.0)
        quarter, same, fourfold = (tried.last for tried in found)
        return RateFigures(
            rate=self.training.params.rate,
            updates=RATE_UPDATES,
            start=start,
            losses=(quarter, same, fourfold),
            curve=self.curve,
        )

    def capacity(self) -> CapacityFigures:
        """A few different rows again and again, with the learning rate that did best; with twice the rank if they stay
        unknown."""
        usual = self.training.params.usual_rate(self.base.facts).usual
        rate = self.rates.times(self.rates.best) if self.rates.learns else usual
        rows = spread(DataFolder(self.data.path), MEMORY_ROWS, row_key)
        data = subset(self.data, rows, MEMORY_ROWS, self.ctx.dir / "memory_rows")
        training, at = memory_training(self.training, self.updates, rate), len(FACTORS)
        tried = self._tried(training, data, "memory", MEMORIZED, at)
        twice = None
        if tried.last > MEMORIZED and self.training.rank:
            doubled = training.ranked(2 * self.training.rank)
            twice = self._tried(doubled, data, "memory-twice", MEMORIZED, at + 1).last
        return CapacityFigures(
            rows=len(rows),
            updates=training.params.max_steps,
            loss=tried.last,
            needed=tried.reached(MEMORIZED),
            rank=self.training.rank,
            twice_loss=twice,
            trained=self.training.updates,
        )

    def _tried(self, training: Training, data: ArtifactView, name: str, enough: float, before: float) -> Tried:
        def hears(event: dict[str, Any]) -> None:
            share = event["done"] / event["total"] if event["total"] else 0.0
            self.report(before + share, event["note"])

        return try_out(training, data, self.ctx, name, enough, hears)


def short_trainings(training: Training, updates: int) -> list[Training]:
    """All that may be tried, with all their updates."""
    memory = memory_training(training, updates, training.params.rate)
    twice = [memory.ranked(2 * training.rank)] if training.rank else []
    return [*(rate_training(training, factor) for factor in FACTORS), memory, *twice]


def rate_training(training: Training, factor: float) -> Training:
    rate = min(1.0, factor * training.params.rate)
    about = {"evaluate_steps": RATE_UPDATES, "evaluate_rows": RATE_MEASURED, "schedule": "constant"}
    return training.changed(learning_rate=rate, max_steps=RATE_UPDATES, **about)


def memory_training(training: Training, updates: int, rate: float) -> Training:
    """All rows in one update."""
    pause = updates // MEASUREMENTS
    about = {"evaluate_steps": pause, "evaluate_rows": MEMORY_ROWS, "schedule": "cosine", "warmup_ratio": 0.1}
    batch = min(training.params.batch_size, MEMORY_ROWS)
    sizes = {"batch_size": batch, "accumulation": max(1, MEMORY_ROWS // batch)}
    return training.changed(learning_rate=rate, max_steps=pause * MEASUREMENTS, **sizes, **about)
