"""Whether an answer gives the right number, however it is written: `1,200.5 €`, `1.200,50 EUR` and `EUR 1200.5` are equal.

Of an answer the last number counts, as in the `flexible-extract` of lm-evaluation-harness (GSM8K): an answer often says how it
came to its result. It is right when it is equal to the expected one within one millionth of it, or, having more decimals than
the expected one has, when it rounds to it (`3.14159` for `3.14`). Where a unit is expected, the answer must have the same one
next to its number; units are not converted. A separator before three digits may mean thousands or decimals (`1.234`): then
the number has two readings, and one of each has to agree.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from backend.stats.numbers import readings

_TOLERANCE = Fraction(1, 1_000_000)
_LONGEST = 60
_SPACES = " \u00a0\u202f\u2009"
_NUMBER = (
    rf"(?<![\w.,:/])[-+\u2212]?(?:[1-9]\d{{0,2}}(?:[{_SPACES}'\u2019]\d{{3}})+(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"
    r"(?:[eE][-+]?\d+|/[1-9]\d*)?(?![:/]?\d)"
)
_CURRENCY = "€$£¥"
_UNIT = r"%|‰|°[CF]?|[€$£¥]|[^\W\d_]+(?:[²³]|/[^\W\d_]+|\^[23])?"
_QUANTITY = re.compile(rf"(?P<before>[{_CURRENCY}]|[A-Z]{{3}}(?= ))? ?(?P<number>{_NUMBER}) ?(?P<unit>{_UNIT})?")
_BEFORE_SIGN = re.compile(rf"([-+\u2212])([{_CURRENCY}])(?=\d)")
_ALIASES = {
    **dict.fromkeys(("eur", "euro", "euros"), "€"),
    **dict.fromkeys(("usd", "dollar", "dollars", "dólar", "dólares"), "$"),
    **dict.fromkeys(("gbp", "pound", "pounds", "libra", "libras"), "£"),
    **dict.fromkeys(("percent", "pct"), "%"),
}


class Quantity(NamedTuple):
    """`number`: as it is written; `unit`: in one spelling, "" for none."""

    number: str
    unit: str


def is_quantity(text: str) -> bool:
    """Whether a text is one number with at most a sign, currency or unit of one word. Codes with zeros in front, times and
    versions are none."""
    found = _QUANTITY.fullmatch(_plain(text))
    return bool(found and not (found["before"] and found["unit"]) and _values(found["number"]))


def last_quantity(text: str) -> Quantity | None:
    """The last number of a text and its unit; None where it has no number."""
    found = [each for each in _QUANTITY.finditer(_plain(text)) if _values(each["number"])]
    if not found:
        return None
    return Quantity(found[-1]["number"], _spelling(found[-1]["before"] or found[-1]["unit"] or ""))


def same_quantity(expected: str, given: str) -> float:
    """1 where the last number of the answer is the expected one, else 0."""
    wanted, got = last_quantity(expected), last_quantity(given)
    if wanted is None or got is None or (wanted.unit and wanted.unit != got.unit):
        return 0.0
    return float(any(_equal(*pair) for pair in product(_values(wanted.number), _values(got.number))))


def _plain(text: str) -> str:
    """A sign stands next to its number, and nothing around a text belongs to it."""
    return _BEFORE_SIGN.sub(r"\2\1", text.strip().rstrip(".")).replace("\u2212", "-")


def _values(number: str) -> list[tuple[Fraction, int]]:
    """(value, decimals) of every reading; none for codes, versions and digits that go on and on."""
    if len(number) > _LONGEST:
        return []
    whole, _, below = re.sub(rf"[{_SPACES}'\u2019]", "", number).partition("/")
    mantissa, mark, power = whole.lower().partition("e")
    sign, digits = (-1 if mantissa.startswith("-") else 1), mantissa.lstrip("+-")
    if re.match(r"0\d", digits) or (mark and abs(int(power)) > _LONGEST):
        return []
    scaled = sign * Fraction(10) ** int(power or 0) / int(below or 1)
    return [(Fraction(each) * scaled, len(each.partition(".")[2])) for each in readings(digits)]


def _equal(wanted: tuple[Fraction, int], got: tuple[Fraction, int]) -> bool:
    difference = abs(wanted[0] - got[0])
    if difference <= _TOLERANCE * abs(wanted[0]):
        return True
    return 0 < wanted[1] < got[1] and difference <= Fraction(1, 2 * 10 ** wanted[1])


def _spelling(unit: str) -> str:
    """Upper and lower case mean the same, and so do plurals with an s."""
    small = unit.casefold()
    known = _ALIASES.get(small)
    return known or (small.removesuffix("s") if len(small) > 3 else small)
