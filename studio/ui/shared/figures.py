"""Which figures of a result are worth a place, and in which order."""

from __future__ import annotations

from collections.abc import Mapping

from backend.api.metrics import headline, metrics, qualities

_ENDS = ("_low", "_high")
_TELLING = frozenset({"answered", "kept", "rows", "accepted", "judged", "checks_passed"})
"""Counts of which 0 is news."""
_RARE = frozenset({"cut_off", "too_long", "invalid_rate", "mean_tail"})
"""Shares of which 0 is none."""


def told_metrics(found: Mapping[str, float]) -> list[str]:
    """The headline first, then qualities, then the rest as they come. Left out: the seconds, which are told elsewhere, ends of
    intervals, what a naive division pretends, and zeros that only say that nothing of a kind happened."""
    names = [
        name
        for name, value in found.items()
        if name != "seconds"
        and not name.startswith("naive_")
        and not _is_end(name, found)
        and (value or not _idle(name))
    ]
    first = headline(found)
    return sorted(names, key=lambda name: (name != first, name not in qualities()))


def _is_end(name: str, found: Mapping[str, float]) -> bool:
    return any(name.endswith(end) and name.removesuffix(end) in found for end in _ENDS)


def _idle(name: str) -> bool:
    known = metrics().get(name)
    counted = known is not None and known.unit in ("count", "usd")
    return name in _RARE or (counted and name not in _TELLING)
