"""What curves say: each kind of run that goes wrong is told, a sound one is not, and one thing is not told twice."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from backend.training.curve_findings import TrainingRun, curve_findings, label_counts

Loss = Callable[[int], float]


def told(training: Loss, validation: Loss | None = None, steps: int = 60, **more: Any) -> dict[str, bool]:
    """Code -> whether it is a finding. The validation loss is measured every ten steps."""
    held_out = [(step, validation(step)) for step in range(10, steps + 1, 10)] if validation else []
    run = TrainingRun(
        training=[(step, training(step)) for step in range(1, steps + 1)],
        validation=held_out,
        **{"rows": 400, "steps": steps, "learning_rate": 1e-3, **more},
    )
    return {problem.code: problem.blocking for problem in curve_findings(run)}


def falling(step: int) -> float:
    return 0.5 + 2 * math.exp(-step / 8) + 0.03 * (step * 7 % 5 - 2)


def rising(step: int) -> float:
    """Best at step 20."""
    return 1 + abs(step - 20) / 50


def test_a_sound_run_says_nothing() -> None:
    assert told(falling, lambda step: falling(step) + 0.1) == {}
    assert curve_findings(TrainingRun()) == [] == curve_findings(TrainingRun(training=[(1, 2.0), (2, 1.9)], rows=60))


@pytest.mark.parametrize(
    ("training", "code", "finding"),
    [
        (lambda step: float("nan") if step > 40 else falling(step), "curve.not_a_number", True),
        (lambda step: falling(step) + max(0, step - 30) / 5, "curve.diverged", True),
        (lambda step: falling(step) + 3 * (step % 9 == 4), "curve.unsteady", False),
        (lambda step: 2.5 + 0.05 * (step % 3 - 1), "curve.flat", False),
    ],
)
def test_each_shape_has_its_name_and_no_second_one(training: Loss, code: str, finding: bool) -> None:
    assert told(training) == {code: finding}


def test_a_validation_loss_that_is_no_number_is_told() -> None:
    assert told(falling, lambda step: float("inf") if step == 60 else 1.0) == {"curve.not_a_number": True}


def test_overfitting_is_a_rising_validation_loss_under_a_falling_training_loss() -> None:
    assert told(falling, rising) == {"curve.overfit": False}
    assert told(falling, lambda step: 1 + abs(step - 20) / 500) == {"curve.overfit": False}
    assert told(falling, lambda step: 1 + abs(step - 20) / 5000) == {}
    assert told(falling, rising, kept_best=True) == {}
    both = told(lambda step: falling(step) + max(0, step - 30) / 5, rising)
    assert both == {"curve.diverged": True}, "the training loss rises too: that is no overfitting"


def test_the_sentence_names_step_and_losses() -> None:
    run = TrainingRun(
        training=[(step, falling(step)) for step in range(1, 61)],
        validation=[(step, rising(step)) for step in range(10, 61, 10)],
        rows=400,
    )
    [found] = curve_findings(run)
    assert found.args == {"step": 20, "best": 1.0, "last": 1.8}
    assert found.text().startswith("Overfitting: the validation loss was 1.0 at step 20 and 1.8 at the end.")


def test_a_run_that_was_still_learning_is_told() -> None:
    assert told(lambda step: 3 * 0.96**step, lambda step: 3 * 0.97**step) == {"curve.unfinished": False}
    assert "curve.unfinished" not in told(lambda step: 3 * 0.96**step, lambda step: 1.0)


def test_a_small_loss_that_doubles_has_not_diverged_where_chance_is_known() -> None:
    def low(step: float) -> float:
        return 0.7 if step < 5 else 0.02 + abs(step - 30) / 500

    assert "curve.diverged" in told(low) and "curve.diverged" not in told(low, chance=0.69)
    assert "curve.diverged" in told(lambda step: 0.1 + step / 10, chance=0.69)


def test_what_the_rows_say() -> None:
    assert told(falling, rows=20) == {"curve.few_rows": False}
    assert told(falling, rows=15, steps=2) == {"curve.hardly_trained": False}
    assert told(falling, left_out=40, max_length=64) == {"curve.left_out": False} and told(falling, left_out=4) == {}
    assert told(falling, answers={"a": 90, "b": 10}) == {"curve.unbalanced": False}
    assert told(falling, answers={"a": 60, "b": 40}) == {} == told(falling, answers={"a": 400})
    assert label_counts(["a", "b", "a", "b"]) == {"a": 2, "b": 2} and label_counts(["a", "b", "c"]) == {}
