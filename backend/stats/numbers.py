"""The numbers in a text: whether an answer gives the same ones as the expected answer."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")


def numbers(text: str) -> frozenset[str]:
    """As digits: without grouping of thousands, with a decimal point, so that `1,200` is `1200` and `2,50` is `2.5`. Times and
    versions (`18:00`, `1.2.3`) stay as they are."""
    return frozenset(_plain(found) for found in _NUMBER.findall(text))


def same_numbers(expected: str, given: str) -> bool | None:
    """Whether an answer has all numbers of the expected one and no other; None where that one has none."""
    wanted = numbers(expected)
    return wanted == numbers(given) if wanted else None


def readings(number: str) -> list[str]:
    """What digits with points and commas may mean, each with a decimal point at most: `1.234` is a thousand and more, or one
    and a little. None for versions (`1.2.3`)."""
    marks = re.findall(r"[.,]", number)
    found = [re.sub(r"[.,]", "", number)] if not marks or _GROUPED.fullmatch(number) else []
    if len(marks) == 1:
        found.append(number.replace(",", "."))
    elif len(set(marks)) == 2 and marks.count(marks[-1]) == 1:
        whole, _, decimals = number.rpartition(marks[-1])
        found += [re.sub(r"[.,]", "", whole) + "." + decimals] if _GROUPED.fullmatch(whole) else []
    return found


def _plain(number: str) -> str:
    if _GROUPED.fullmatch(number):
        return re.sub(r"[.,]", "", number)
    decimal = number.replace(",", ".")
    if ":" not in decimal and decimal.count(".") == 1:
        return decimal.rstrip("0").rstrip(".")
    return decimal
