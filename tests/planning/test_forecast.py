"""What a student will be like, from facts alone."""

from __future__ import annotations

import pytest

from backend.models import costs
from backend.planning.forecast import forecast_model
from tests.models.test_costs import ROWS, SIX, SMOL


def test_a_student_beside_its_teacher() -> None:
    teacher, six = forecast_model(SMOL, ROWS, 1.0), forecast_model(SIX, ROWS, 1.0)
    cut = forecast_model(costs.with_vocabulary(SIX, 4096), ROWS, 1.0)
    assert teacher.fp32_bytes == 538_060_032 and cut.parameters == SIX["parameters"] - (49_152 - 4_096) * 576
    assert teacher.int4_bytes == pytest.approx(79e6, rel=0.1)  # measured
    assert six.int4_bytes == pytest.approx(34e6, rel=0.1)  # measured
    assert cut.int4_bytes < 0.05 * teacher.fp32_bytes
    assert teacher.first_token_seconds > six.first_token_seconds > cut.first_token_seconds > 0
    assert teacher.tokens_per_s < six.tokens_per_s < cut.tokens_per_s
    assert cut.int4_answer_seconds < six.int4_answer_seconds < six.fp32_answer_seconds < teacher.fp32_answer_seconds


def test_a_machine_twice_as_fast_halves_the_times_and_an_adapter_counts_as_its_model() -> None:
    slow, fast = forecast_model(SMOL, ROWS, 1.0), forecast_model({**SMOL, "format": "adapter", "base": "b"}, ROWS, 2.0)
    assert fast.first_token_seconds == pytest.approx(slow.first_token_seconds / 2)
    assert fast.tokens_per_s == pytest.approx(slow.tokens_per_s * 2)
    assert fast.int4_answer_seconds == pytest.approx(slow.int4_answer_seconds / 2)
    assert fast.fp32_bytes == slow.fp32_bytes
