"""One check with its measured value, the threshold that it is held against, and what it means."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any, Literal

from backend.core.errors import Problem, Translate, untranslated
from backend.core.schemas import View

Unit = Literal["count", "share", "number", "nats", "ms", "bytes"]
INFINITE_VALUE = 1e6
"""Stands for a value that is infinite or no number, which JSON doesn't know."""


class Check(View):
    """`name`: see `backend.checks.titles`; `value` must be at least (`at_least`) or at most `threshold`; None: it could not be
    measured, which fails. `args`: what its sentences need; `detail`: further figures and examples; `reason`: in which of
    several ways it failed."""

    name: str
    value: float | None
    threshold: float
    at_least: bool = False
    unit: Unit = "count"
    passed: bool
    args: dict[str, Any] = {}
    detail: dict[str, Any] = {}
    reason: str = "failed"

    def sentence(self, translate: Translate = untranslated) -> str:
        """What was measured, what it means, and, when it failed, what to do."""
        return Problem(code=self.code, args=self.args).sentence(translate)

    @property
    def code(self) -> str:
        if self.value is None:
            return "gate.unmeasured"
        return f"gate.{self.name}" if self.passed else f"gate.{self.name}_{self.reason}"


def at_most(name: str, value: float | None, threshold: float, unit: Unit = "count", **about: Any) -> Check:
    held = _finite(value)
    return Check(
        name=name, value=held, threshold=threshold, unit=unit, passed=held is not None and held <= threshold, **about
    )


def at_least(name: str, value: float | None, threshold: float, unit: Unit = "share", **about: Any) -> Check:
    held = None if value is None or not isfinite(value) else value
    passed = held is not None and held >= threshold
    return Check(name=name, value=held, threshold=threshold, at_least=True, unit=unit, passed=passed, **about)


def failed(checks: Iterable[Check]) -> list[str]:
    """The names of those that failed, in their order."""
    return [check.name for check in checks if not check.passed]


def check_dicts(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """As they stand in `report.json`, with their English sentence."""
    return [check.model_dump(mode="json") | {"sentence": check.sentence()} for check in checks]


def _finite(value: float | None) -> float | None:
    return value if value is None or isfinite(value) else INFINITE_VALUE
