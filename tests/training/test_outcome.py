"""Whether a training that came to its end made something worth having."""

from __future__ import annotations

import math

import pytest

from backend.core.errors import Problem
from backend.training.outcome import finite, result_fields

HINT = Problem(code="curve.few_rows", args={"rows": 9}, blocking=False)
DIVERGED = Problem(code="curve.diverged", args={"lowest": 1.0, "last": 9.0, "rate": 0.1})


@pytest.mark.parametrize(("loss", "codes"), [(30.0, ["good.diverged"]), (6.95, []), (0.4, []), (math.nan, [])])
def test_a_loss_above_that_of_a_model_that_knows_nothing_is_a_finding(loss: float, codes: list[str]) -> None:
    told = result_fields([HINT], {"train_loss": 1.0, "eval_loss": loss}, {"vocabulary": 1024})
    assert [each.code for each in told["findings"]] == codes and told["hints"] == [HINT]
    assert all(each.sentence() for each in told["findings"])


def test_divergence_is_said_once_and_nothing_without_validation_rows() -> None:
    told = result_fields([DIVERGED, HINT], {"eval_loss": 30.0}, {"vocabulary": 1024})
    assert told == {"findings": [DIVERGED], "hints": [HINT]}
    assert result_fields([], {"train_loss": 1.0}, {"vocabulary": 1024}) == {"findings": [], "hints": []}


def test_what_is_no_number_is_left_out() -> None:
    assert finite({"eval_loss": math.nan, "train_loss": 1.0}) == {"train_loss": 1.0}
