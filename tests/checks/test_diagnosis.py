"""From what a diagnosis measured to states with their remedies."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from backend.checks.check import Check, at_most
from backend.checks.diagnosis import (
    CapacityFigures,
    DataFigures,
    RateFigures,
    TemplateFigures,
    capacity_check,
    cause,
    data_check,
    rate_check,
    template_check,
)
from backend.checks.document import document
from backend.core.messages import MESSAGES
from backend.results.report import markdown

DATA = DataFigures(400, 380, {"contradictions": 4, "empty": 0, "duplicates": 9}, 0.4, 0.1, 0.8, 0.4, 0.45)
TEMPLATE = TemplateFigures(50, 0, 0, 320, 0, 2, 512, 16, 16)
FALLING = [(step, max(0.1, 3.0 / step)) for step in range(1, 41)]
RATE = RateFigures(1e-3, 8, 3.0, (2.5, 2.0, 2.6), FALLING)
CAPACITY = CapacityFigures(16, 60, 0.08, 25, 16, trained=120)


def state(check: Check) -> str:
    """Which state, and that it says and shows what it is."""
    said = check.sentence()
    assert check.code in MESSAGES and "{" not in said
    assert check.passed is (check.reason == "") and check.model_validate_json(check.model_dump_json()) == check
    within = (check.value or 0.0) >= check.threshold if check.at_least else (check.value or 0.0) <= check.threshold
    assert within is check.passed or check.reason in ("unstable", "unbalanced", "dropped", "no_signal")
    return check.reason


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"distinct": 40}, "few"),
        ({"found": {"contradictions": 21}}, "contradictions"),
        ({"found": {"several_answers": 300}}, ""),
        ({"found": {"empty": 41}}, "empty"),
        ({"found": {"duplicates": 121}}, "duplicates"),
        ({"baseline": 0.44, "no_signal": True}, "no_signal"),
        ({"commonest": 0.9}, "unbalanced"),
        ({"baseline": None, "majority": None}, ""),
    ],
)
def test_data(change: dict[str, Any], expected: str) -> None:
    assert state(data_check(replace(DATA, **change))) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"differ": 1}, "differs"),
        ({"unended": 50}, "no_end"),
        ({"dropped": 16}, "dropped"),
        ({"truncated": 200}, "truncated"),
        ({"ended": 12}, "runs_on"),
        ({"asked": 0, "ended": 0}, ""),
    ],
)
def test_template(change: dict[str, Any], expected: str) -> None:
    assert state(template_check(replace(TEMPLATE, **change))) == expected


@pytest.mark.parametrize(
    ("change", "expected", "better"),
    [
        ({}, "", None),
        ({"losses": (1.5, 2.0, inf)}, "high", 2.5e-4),
        ({"losses": (3.2, inf, inf)}, "high", 2.5e-4),
        ({"losses": (3.0, 3.0, 2.99)}, "stuck", None),
        ({"curve": [*FALLING[:20], *((step, 2.5) for step in range(21, 41))]}, "unstable", 2.5e-4),
        ({"curve": [*FALLING[:9], (10, nan)]}, "unstable", 2.5e-4),
        ({"losses": (2.98, 2.9, 1.9)}, "", None),
        ({"losses": (2.98, 2.9, 1.9), "curve": [(1, 3.0), (9, 2.9)]}, "low", 4e-3),
        ({"losses": (2.98, 2.9, 0.05)}, "low", 4e-3),
        ({"losses": (2.99, 2.98, 1.9), "curve": []}, "low", 4e-3),
        ({"losses": (2.9, 2.6, 1.9), "curve": []}, "", None),
    ],
)
def test_rate(change: dict[str, Any], expected: str, better: float | None) -> None:
    found = rate_check(replace(RATE, **change))
    assert (state(found), found.args.get("better_rate")) == (expected, better)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ""),
        ({"trained": 0}, ""),
        ({"trained": 20}, "updates"),
        ({"loss": 0.6, "needed": 0, "twice_loss": 0.05}, "rank"),
        ({"loss": 0.6, "needed": 0, "twice_loss": 0.5}, "small"),
        ({"loss": inf, "needed": 0, "rank": 0}, "full"),
    ],
)
def test_capacity(change: dict[str, Any], expected: str) -> None:
    assert state(capacity_check(replace(CAPACITY, **change))) == expected


def test_the_cause_is_what_explains_the_rest() -> None:
    good, runs_on = data_check(DATA), template_check(replace(TEMPLATE, ended=0))
    stuck, small = rate_check(replace(RATE, losses=(3.0, 3.0, 3.0))), capacity_check(replace(CAPACITY, loss=1.0))
    assert cause([good, runs_on, stuck, small]) == "diagnosis_capacity"
    assert cause([good, runs_on]) == "diagnosis_template" and cause([good]) == ""
    assert cause([data_check(replace(DATA, distinct=9)), runs_on, stuck, small]) == "diagnosis_data"


def test_the_report_has_four_rows_and_all_figures() -> None:
    checks = [data_check(DATA), template_check(TEMPLATE), rate_check(RATE), capacity_check(CAPACITY)]
    about = {"report": "diagnosis", "model_name": "voice-lora", "data_name": "voice"}
    shown = markdown(document({**about, "checks": [check.model_dump(mode="json") for check in checks]}))
    assert shown.startswith("# Diagnosis: voice-lora\n\nTrained on voice.\n\nAll 4 checks passed.")
    assert "| Capacity | Updates needed to memorize | 25 |" in shown and "| Data | Duplicates | 9 |" in shown
    assert at_most("alive", 1, 0).code == "gate.alive_failed"
