"""Is tuning right for these data? The sentence that follows from the figures of the quick baseline."""

from __future__ import annotations

from typing import Any

from backend.core.errors import Problem

MIN_DISTINCT = 50
"""Fewer different examples teach nothing but themselves."""
MIN_TESTED = 10
"""Fewer different test rows say nothing."""
ENOUGH = 0.95
"""A share of right answers that is good enough for a plain method to be taken."""
_GAP = 0.02
"""What a naive division may pretend on top without a word."""

Figures = dict[Any, dict[str, Any]]
"""By method, a MethodScore as a dictionary."""


def advice(figures: Figures, answer: str, *, rows: int, distinct: int, tested: int) -> tuple[Problem, bool]:
    """(the sentence, whether there is enough to learn from)."""
    if distinct < MIN_DISTINCT:
        return _said("few_distinct", distinct=distinct, rows=rows, least=MIN_DISTINCT), False
    if tested < MIN_TESTED:
        return _said("few_tested", rows=tested, least=MIN_TESTED), False
    nearest = figures["nearest"]
    if answer == "label":
        return _about_labels(figures), True
    if nearest["accuracy"] >= ENOUGH:
        return _said("nearest_enough", percent=_percent(nearest["accuracy"])), True
    return _said("text_room", percent=_percent(nearest["token_f1"] or 0.0)), True


def _about_labels(figures: Figures) -> Problem:
    plain, nearest, majority = figures["classifier"], figures["nearest"], figures["majority"]
    percent = _percent(plain["accuracy"])
    if plain["accuracy"] <= majority["high"]:
        return _said("no_signal", percent=percent, majority=_percent(majority["accuracy"]))
    if plain["accuracy"] >= ENOUGH:
        return _said("classifier_enough", percent=percent)
    if nearest["accuracy"] >= ENOUGH:
        return _said("nearest_enough", percent=_percent(nearest["accuracy"]))
    return _said("label_room", percent=percent)


def notes(figures: Figures, sampled: int, measured: int) -> list[Problem]:
    """What else is to be said: that rows were sampled, and what a naive division would have pretended."""
    found = []
    if sampled:
        found.append(_said("sampled", measured=measured, rows=sampled))
    best = max(figures.values(), key=lambda score: float(score["naive_accuracy"]))
    if best["naive_accuracy"] > best["high"] and best["naive_accuracy"] - best["accuracy"] >= _GAP:
        args = {"naive": _percent(best["naive_accuracy"]), "honest": _percent(best["accuracy"])}
        found.append(_said("naive_gap", **args))
    return found


def _said(code: str, **args: Any) -> Problem:
    return Problem(code=f"baseline.{code}", args=args, blocking=False)


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"
