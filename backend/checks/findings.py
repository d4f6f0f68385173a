"""What failed in a report, as findings of the job that made it: figure, threshold and remedy."""

from __future__ import annotations

from collections.abc import Sequence

from backend.checks.check import Check
from backend.checks.comparison import MEASURED_CHECKS
from backend.core.errors import Problem
from backend.core.units import decimal_text, percent_text


def check_findings(checks: Sequence[Check]) -> list[Problem]:
    """A finding for every check that failed, the measured ones with their figure and threshold."""
    return [_finding(each) for each in checks if not each.passed]


def _finding(check: Check) -> Problem:
    if check.name not in MEASURED_CHECKS or check.value is None:
        return Problem(code=check.code, args=check.args, blocking=False)
    value, limit = (_figure(each, check.unit) for each in (check.value, check.threshold))
    return Problem(code=f"good.parity_{check.name}", args={"value": value, "limit": limit}, blocking=False)


def _figure(value: float, unit: str) -> str:
    return percent_text(value) if unit == "share" else decimal_text(value, most=4)
