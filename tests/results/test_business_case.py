"""What answers cost: figures that can be checked by hand, and who is cheaper."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from backend.inference.load import LoadLevel
from backend.results.business_case import Assumptions, Hosted, business_case, pace_of
from backend.results.load_tests import LoadTest

GIVEN = Assumptions(
    machine_price=1095.0,
    watts=100,
    electricity_price=0.25,
    lifetime_years=3,
    hours_per_day=24,
    answers_per_day=10_000,
)
"""A dollar a day for the machine, 2.4 kWh and so 0.60 dollars for power."""
HOSTED = Hosted(input_price=1.0, output_price=5.0, prompt_tokens=500, answer_tokens=100)
"""0.001 dollars an answer."""


def test_the_machine_pays_for_itself() -> None:
    case = business_case(1.0, HOSTED, GIVEN)
    assert (case.machines, case.capacity_per_day) == (1, 86_400)
    assert case.hosted == pytest.approx(0.001) and case.own == pytest.approx(1.6 / 10_000)
    assert case.break_even_answers == pytest.approx(1095 / (0.001 - 0.6 / 10_000))
    assert case.break_even_months == pytest.approx(1095 / (10.0 - 0.6) / (365 / 12))
    assert case.own_is_cheaper and case.saved_share == pytest.approx(0.84) and case.cheaper_from == pytest.approx(1600)


def test_hosted_is_cheaper_for_few_answers_and_where_power_alone_costs_more() -> None:
    few = business_case(1.0, HOSTED, GIVEN.model_copy(update={"answers_per_day": 1000}))
    assert not few.own_is_cheaper and few.break_even_months is not None
    assert few.break_even_months > few.lifetime_months and few.cheaper_from == pytest.approx(1600)
    never = business_case(1.0, HOSTED, GIVEN.model_copy(update={"answers_per_day": 500}))
    assert never.break_even_answers is None and not never.own_is_cheaper
    free = business_case(1.0, HOSTED.model_copy(update={"input_price": 0.0, "output_price": 0.0}), GIVEN)
    assert free.break_even_answers is None and free.cheaper_from is None and not free.own_is_cheaper


def test_more_answers_than_a_machine_can_give_need_more_machines() -> None:
    case = business_case(0.05, HOSTED, GIVEN)
    assert case.machines == 3 and case.utilization == pytest.approx(10_000 / 12_960)
    assert case.own == pytest.approx(3 * 1.6 / 10_000) and case.cheaper_from == pytest.approx(1600)


def level(clients: int, latency: float, rate: float, errors: int = 0) -> LoadLevel:
    figures = dict.fromkeys(LoadLevel.model_fields, 1.0) | {"clients": clients, "requests": 9, "errors": errors}
    return LoadLevel.model_validate(figures | {"reasons": {}, "latency_ms_p95": latency, "requests_per_s": rate})


def test_users_at_once_and_pace_are_those_within_the_latency_limit() -> None:
    levels = [level(1, 100, 8), level(4, 400, 12), level(16, 900, 11), level(32, 950, 20, errors=1)]
    test = LoadTest(id="r", model="m", model_name="m", cores=2, levels=levels, created=datetime.now(UTC))
    assert (test.users_at_once(1000), test.users_at_once(500), test.users_at_once(50)) == (16, 4, 0)
    pace = pace_of(test, None, None, 1000)
    assert pace and (pace.answers_per_s, pace.users) == (12, 16)
    assert pace_of(test, None, None, 50) is None and pace_of(None, None, None, 1000) is None
