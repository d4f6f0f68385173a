"""Numbers as people read them, in the reader's language: the only place where a value becomes figures.

Marks, percent and grouping follow CLDR: `88.5%`, `2,064` and `72.0 GB` in English; `88,5 %`, `2064`, `12.345` and `72,0 GB`,
with no-break spaces, in Spanish.
"""

from __future__ import annotations

import math
import re
from functools import cache

_GROUPED_FROM = {"es": 10_000}
"""CLDR's minimumGroupingDigits, which Babel does not read: from where digits are grouped, where that is not 1,000."""
_QUANTITY = re.compile(r"(-?\d[\d,]*(?:\.\d+)?)(?: (B|kB|MB|GB|TB|USD|s)|(%))$")


@cache
def _marks(locale: str) -> tuple[str, str, str]:
    """(decimal mark, mark between thousands, space before a unit)."""
    if locale == "en":
        return ".", ",", " "
    from babel.numbers import get_decimal_symbol, get_group_symbol

    return get_decimal_symbol(locale), get_group_symbol(locale), "\u00a0"


def decimal_text(value: float, locale: str = "en", least: int = 0, most: int = 3) -> str:
    """With `least` to `most` digits after the point: `2064.5` is "2,064.5" and "2064,5"."""
    if not math.isfinite(value):
        return str(value)
    point, group, _space = _marks(locale)
    whole, _, part = f"{abs(value):,.{most}f}".partition(".")
    while len(part) > least and part.endswith("0"):
        part = part[:-1]
    grouped = abs(value) >= _GROUPED_FROM.get(locale, 1000)
    digits = whole.replace(",", group if grouped else "") + (point + part if part else "")
    return f"-{digits}" if value < 0 and re.search("[1-9]", digits) else digits


def number_text(value: float, locale: str = "en") -> str:
    """With all its digits: `0.8` is "0.8" in English and "0,8" in Spanish, `1234567` "1,234,567" and "1.234.567"."""
    written = str(value)
    if not re.fullmatch(r"-?\d+(\.\d+)?", written):
        return written
    digits = len(written.partition(".")[2])
    return decimal_text(value, locale, digits, digits)


def percent_text(share: float, locale: str = "en", least: int = 1, most: int = 1) -> str:
    """`0.885` is "88.5%" in English and "88,5 %" in Spanish."""
    space = "" if locale == "en" else _marks(locale)[2]
    return f"{decimal_text(100 * share, locale, least, most)}{space}%"


def quantity(value: str, unit: str, locale: str = "en") -> str:
    """A figure before its unit."""
    return f"{value}{_marks(locale)[2]}{unit}"


def human_bytes(count: float, locale: str = "en") -> str:
    """`1234567` is "1.2 MB" and "1,2 MB" (decimal units, as disks are sold)."""
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if abs(count) < (999.5 if unit == "B" else 999.95):  # what rounds to 1,000 takes the next unit
            break
        count, unit = count / 1000, larger
    digits = 0 if unit == "B" else 1
    return quantity(decimal_text(count, locale, digits, digits), unit, locale)


def duration_text(seconds: float, locale: str = "en") -> str:
    """`95` is "1 min 35 s"; above an hour in hours and minutes; "< 1 s" for less."""
    whole = round(seconds)
    if seconds < 0.95:
        return "< 1 s"
    if whole < 60:
        return f"{whole} s"
    (first, one), (second, two) = ((whole // 60, "min"), (whole % 60, "s"))
    if whole >= 3600:
        (first, one), (second, two) = ((whole // 3600, "h"), (whole % 3600 // 60, "min"))
    return f"{decimal_text(first, locale)} {one} {second:02d} {two}"


def quantity_text(text: str, locale: str) -> str:
    """An English figure with its unit (`1.4 GB`) as that language writes it; any other text as it is."""
    found = None if locale == "en" else _QUANTITY.fullmatch(text)
    if not found:
        return text
    digits = found[1].replace(",", "")
    after = len(digits.partition(".")[2])
    value = decimal_text(float(digits), locale, after, after)
    return quantity(value, found[2] or found[3], locale)
