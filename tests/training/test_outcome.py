"""A training that came to its end and made nothing of use says so."""

from __future__ import annotations

import math

import pytest

from backend.training.outcome import finite, training_findings


@pytest.mark.parametrize(
    ("loss", "code"),
    [(math.nan, "good.no_loss"), (math.inf, "good.no_loss"), (30.0, "good.diverged"), (6.95, None), (0.4, None)],
)
def test_the_loss_on_validation_rows_tells(loss: float, code: str | None) -> None:
    """A vocabulary of 1,024: a model that knows nothing has 6.93 nats a token."""
    found = training_findings({"train_loss": 1.0, "eval_loss": loss}, {"vocabulary": 1024})
    assert [each.code for each in found] == ([code] if code else [])
    assert not any(each.blocking for each in found)
    assert "eval_loss" in finite({"eval_loss": loss}) or not math.isfinite(loss)


def test_without_validation_rows_nothing_is_told() -> None:
    assert training_findings({"train_loss": 1.0}, {"vocabulary": 1024}) == []
